"""What a team asks besides the gates, from the command line to the stored verdict, which recomputes."""

import json
from pathlib import Path

import pytest
from running import call

from pretune.run import RunFolder


def shown(*words: object, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert call(*words, "--json") in (0, 1, 3)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("flags", "at", "names"),
    [
        (("--at-precision", "0.7"), {"precision": 0.7}, {"recall[good]", "precision[good]"}),
        (("--max-alerts", "600"), {"alerts": 0.6}, {"recall[good]", "alerts"}),
    ],
)
def test_recall_under_a_constraint_sets_the_threshold_is_judged_and_recomputes(
    finetuned: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], at: dict, names: set[str]
) -> None:
    found = shown("judge", finetuned, "--positive", "good", "--min-recall", "0.3", *flags, capsys=capsys)
    assert found["threshold"]["at"] == at
    assert names <= {reason["name"] for reason in found["verdict"]["reasons"]}
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)


def test_a_floor_of_slices_is_judged_and_recomputes(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = shown("judge", finetuned, "--min-slice-accuracy", "0.2", capsys=capsys)
    kinds = {reason["kind"] for reason in found["verdict"]["reasons"]}
    assert "slice" in kinds
    assert found["verdict"]["policy"]["limits"][-1]["metric"] == "slice_accuracy"
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)
    assert RunFolder(finetuned).read_record().verdict is not None
