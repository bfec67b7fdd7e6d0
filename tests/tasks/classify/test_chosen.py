"""--choose best: validation chooses before the seal is opened, the look counts every candidate, and the chosen one answers."""

import json
from pathlib import Path

import pytest
from running import call

from pretune.evaluate import choose_source
from pretune.run import RunFolder
from pretune.tasks.classify.predict import open_answering


@pytest.fixture(autouse=True)
def few_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the choice be made by the figures, though the run is small."""
    monkeypatch.setattr(choose_source, "LEAST_ROWS", 0)


def shown(*words: object, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert call(*words, "--json") in (0, 1, 3)
    return json.loads(capsys.readouterr().out)


def test_the_look_counts_every_candidate_and_the_verdict_is_about_the_chosen_one(
    finetuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown("judge", finetuned, "--choose", "best", capsys=capsys)
    chosen, record = found["chosen"], RunFolder(finetuned).read_record()
    assert set(chosen["values"]) == {"linear", "encoder_linear", "finetuned"}
    assert chosen["values"][chosen["source"]] == max(chosen["values"].values())
    assert record.scores[0].source == chosen["source"] == record.judged_source
    assert record.scores[0].confidence == pytest.approx(1 - 0.05 / 3)
    opening = json.loads((finetuned / "data/openings.jsonl").read_text().splitlines()[-1])
    assert opening["num_models"] == 3


def test_a_chosen_verdict_recomputes_and_a_changed_choice_is_found(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown("judge", finetuned, "--choose", "best", capsys=capsys)
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)
    folder = RunFolder(finetuned)
    text = (finetuned / "run.json").read_text()
    rule = folder.read_record().chosen.rule  # type: ignore[union-attr]
    (finetuned / "run.json").write_text(text.replace(rule, "the one I like"))
    assert call("judge", finetuned, "--recompute") == 4


def test_a_choice_at_class_shares_of_production_recomputes(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = RunFolder(finetuned).read_record().classes[0]
    found = shown("judge", finetuned, "--choose", "best", "--prevalence", f"{label}=0.1", capsys=capsys)
    assert "weighed by class shares" in found["chosen"]["rule"]
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)


def test_predict_answers_by_the_chosen_model(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = shown("judge", finetuned, "--choose", "best", capsys=capsys)["chosen"]["source"]
    assert source != "finetuned"  # of equals the simplest: the test would show nothing otherwise
    assert open_answering(finetuned).shown.endswith(f"/{source}")
    card = (finetuned / "README.md").read_text()
    assert f"Validation chose `{source}/`" in card
    assert f"| model that was judged | {source.replace('_', chr(92) + '_')}, chosen on" in card


def test_judging_again_keeps_the_choice_of_the_run_unless_another_is_named(
    finetuned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown("judge", finetuned, "--choose", "best", capsys=capsys)["chosen"] is not None
    assert shown("judge", finetuned, capsys=capsys)["chosen"] is None  # chosen for one judging, not by the run's own command
    assert RunFolder(finetuned).read_record().scores[0].source == "finetuned"


def test_few_validation_rows_keep_the_fine_tuned_model_and_say_why(
    finetuned: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    num_rows = len(RunFolder(finetuned).read_examples("validation"))
    monkeypatch.setattr(choose_source, "LEAST_ROWS", num_rows + 1)
    found = shown("judge", finetuned, "--choose", "best", capsys=capsys)["chosen"]
    assert (found["source"], found["rule"].endswith(choose_source.CAUTIOUS)) == ("finetuned", True)
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)


def test_a_run_that_chose_by_few_rows_before_they_were_doubted_recomputes(
    finetuned: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_source, "LEAST_ROWS", 0)
    shown("judge", finetuned, "--choose", "best", capsys=capsys)
    monkeypatch.setattr(choose_source, "LEAST_ROWS", len(RunFolder(finetuned).read_examples("validation")) + 1)
    assert call("judge", finetuned, "--recompute") in (0, 1, 3)


def test_another_word_than_best_is_refused(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("judge", finetuned, "--choose", "linear") == 2
    assert "best or finetuned" in capsys.readouterr().err
