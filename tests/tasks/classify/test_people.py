"""A run of rows that several annotators voted on: named before training, judged beside a person, recomputed from its files."""

import json
import random
from pathlib import Path

import pytest
from running import call, learning_flags

from pretune.run import RunFolder
from pretune.tasks.classify.recompute import recompute

VOTES = "--votes", "ann,ben,carl"


@pytest.fixture
def voted(separable_rows, write_csv, tmp_path, monkeypatch):
    """A table whose three annotators are each right in nine of ten rows."""
    monkeypatch.chdir(tmp_path)
    chance, other, rows = random.Random(0), {"good": "bad", "bad": "good"}, []
    for text, label in separable_rows(400):
        votes = [label if chance.random() < 0.9 else other[label] for _ in range(3)]
        rows.append((text, max(other, key=votes.count), *votes))
    return write_csv(rows, columns=("text", "label", "ann", "ben", "carl"))


def test_a_run_is_judged_beside_people_and_recomputes_to_the_same_bytes(voted, tiny_checkpoint, capsys):
    flags = ["--run", "runs/voted", "--quiet", *learning_flags(tiny_checkpoint("bert"))]
    assert call("run", voted, *VOTES, "--human-margin", "0.3", "--min-accuracy", "0.99", *flags) in (0, 1, 3)
    folder = RunFolder(Path("runs/voted"))
    record = folder.read_record()
    person = next(score for score in record.scores if (score.source, score.metric) == ("person", "accuracy"))
    assert person.num_examples > 50
    reason = next(item for item in record.verdict.reasons if item.name == "finetuned-person")
    assert reason.text.startswith("agreement less that of a person is")
    assert record.verdict.policy["votes"] == ["ann", "ben", "carl"]
    assert not {item.column for item in record.slices} & {"ann", "ben", "carl"}
    found = recompute(folder)
    assert (found.differences, found.stored) == ((), found.found)
    assert call("judge", "runs/voted") in (0, 1, 3)  # the votes are those of the run's own command
    assert any(score.source == "person" for score in folder.read_record().scores)
    assert "person" in (folder.path / "report.html").read_text()
    capsys.readouterr()


def test_columns_without_votes_are_refused_before_training_and_before_the_seal_is_opened(
    voted, finetuned, tiny_checkpoint, capsys
):
    assert call("run", voted, "--votes", "ann,dora", *learning_flags(tiny_checkpoint("bert"))) == 2
    assert "no column 'dora'" in capsys.readouterr().err
    assert call("judge", finetuned, *VOTES) == 2
    assert "--votes" in capsys.readouterr().err
    assert not (finetuned / "data/openings.jsonl").exists()


def test_check_names_the_votes_and_how_far_people_agree(voted, capsys):
    assert call("check", voted, "--json") == 0
    found = next(item for item in json.loads(capsys.readouterr().out)["findings"] if item["check"] == "labels.annotations")
    assert "one annotator agrees with the majority of the others in" in found["summary"]
    assert found["fix"] == "Pass --votes ann,ben,carl, so that the model is judged beside a person."
