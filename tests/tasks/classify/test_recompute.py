"""The verdict follows from the files of the run folder alone, to the byte, and a changed file is noticed."""

import json
import os
import subprocess

import pytest
from running import call, python, read_strictly, reseal

from pretune.errors import PretuneError, SealedError, StorageError, UsageError
from pretune.run import RunFolder
from pretune.tasks.classify.recompute import recompute
from pretune.tasks.recomputed import canonical_bytes

KEPT = ("scores", "comparisons", "confusions", "slices", "mistakes", "findings", "verdict", "sample")


def change_rows(path, change):
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")


def change_record(judged, change):
    record = json.loads((judged / "run.json").read_text())
    change(record)
    (judged / "run.json").write_text(json.dumps(record))
    reseal(judged)


def test_the_files_give_the_same_bytes_as_stored(judged):
    found = recompute(RunFolder(judged))
    stored = json.loads((judged / "run.json").read_text())
    assert found.differences == ()
    assert found.stored == found.found
    assert canonical_bytes(found.assessment.to_json()) == canonical_bytes({name: stored[name] for name in KEPT})
    assert len(stored["findings"]) > 5


def test_another_threshold_than_validation_gives_is_noticed(judged):
    def move(record):
        record["threshold"]["threshold"] = 0.123
        record["threshold"]["note"] = "by hand"

    change_record(judged, move)
    found = recompute(RunFolder(judged))
    assert {line.partition(":")[0] for line in found.differences} == {"threshold.threshold", "threshold.note"}


def test_it_is_no_look_and_writes_nothing(judged):
    def files():
        return {path: path.read_bytes() for path in (*judged.rglob("*"), *judged.parent.rglob("ledger*")) if path.is_file()}

    before = files()
    recompute(RunFolder(judged))
    assert files() == before


def test_the_command_shows_the_verdict_and_leaves_with_its_code(judged, capsys):
    outcome = json.loads((judged / "run.json").read_text())["verdict"]["outcome"]
    code = call("judge", judged, "--recompute", "--json")
    shown = read_strictly(capsys.readouterr().out)
    assert code == {"ship": 0, "do_not_ship": 1, "not_enough_evidence": 3}[outcome]
    assert (shown["recomputed"], shown["verdict"]["outcome"]) == (True, outcome)
    assert call("judge", judged, "--recompute") == code
    assert "same bytes as stored" in capsys.readouterr().out


def test_torch_is_not_imported(judged):
    code = (
        "import sys\nfrom pretune.cli.app import _run\n"
        f"_run(['judge', {str(judged)!r}, '--recompute', '--json'])\n"
        "print(sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(python("-c", code), capture_output=True, text=True, env=dict(os.environ), check=True)
    assert read_strictly(done.stdout)["recomputed"] is True
    assert done.stderr.splitlines()[-1] == "[]"


def swap_answer(lines):
    """Give the first row the other answer, and its probabilities likewise."""
    id, label, said, *shares = lines[1].split(",")
    other = next(line.split(",")[2] for line in lines[1:] if line.split(",")[2] != said)
    return [lines[0], ",".join([id, label, other, *reversed(shares)]), *lines[2:]]


def nudge_probability(lines):
    *kept, share = lines[1].split(",")
    return [lines[0], ",".join([*kept, repr(float(share) * (1 + 1e-9))]), *lines[2:]]


@pytest.mark.parametrize("change", [swap_answer, nudge_probability])
@pytest.mark.parametrize("file", ["test.majority.csv", "validation.finetuned.csv", "test.linear.csv", "train.finetuned.csv"])
def test_one_changed_row_of_predictions_is_noticed(judged, file, change):
    if change is swap_answer and file == "test.majority.csv":
        pytest.skip("the majority class gives one answer only")
    change_rows(judged / "predictions" / file, change)
    found = recompute(RunFolder(judged))
    assert f"predictions/{file} was changed since the run was judged" in found.differences
    with pytest.raises(StorageError, match=file):
        found.check()


@pytest.mark.parametrize("file", ["test.linear.csv", "validation.finetuned.csv"])
def test_a_row_that_is_gone_is_an_error(judged, file):
    change_rows(judged / "predictions" / file, lambda lines: lines[:-1])
    with pytest.raises(PretuneError, match=file):
        recompute(RunFolder(judged)).check()


def test_the_figures_that_differ_are_named(judged, capsys):
    """The digests are taken out of the record, as somebody would who covers his traces."""
    change_rows(judged / "predictions" / "test.finetuned.csv", swap_answer)
    change_record(judged, lambda record: record.pop("digests"))
    assert call("judge", judged, "--recompute", "--json") == 4
    error = read_strictly(capsys.readouterr().out)["error"]
    assert "scores[test finetuned accuracy].value: stored" in error["got"]
    assert error["expected"] == "the same bytes"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record["scores"][1].update(value=0.99), r"scores\[test finetuned accuracy\].value: stored 0.99"),
        (lambda record: record["verdict"].update(outcome="ship", summary="Ship it"), "verdict.summary: stored"),
        (lambda record: record["verdict"]["reasons"][0].update(holds=True, text="fine"), r"verdict.reasons"),
        (lambda record: record["findings"].pop(), "findings: stored"),
        (lambda record: record.update(look=7), "look: stored 7"),
    ],
)
def test_an_edited_record_is_noticed(judged, change, message):
    change_record(judged, change)
    with pytest.raises(StorageError, match=message):
        recompute(RunFolder(judged)).check()


def test_changed_labels_of_training_are_noticed(judged):
    change_rows(judged / "data" / "train.jsonl", lambda lines: [lines[0].replace('"label": "', '"label": "x'), *lines[1:]])
    with pytest.raises(StorageError, match=r"data/train.jsonl was changed"):
        recompute(RunFolder(judged)).check()


def test_a_run_that_was_not_judged_has_nothing_to_recompute(finetuned):
    with pytest.raises(UsageError, match="has no verdict"):
        recompute(RunFolder(finetuned))


def test_without_the_opening_that_the_figures_come_from_nothing_is_read(judged):
    (judged / "data" / "openings.jsonl").write_text("")
    with pytest.raises(SealedError, match="does not have the opening"):
        recompute(RunFolder(judged))


def test_another_gate_is_no_recomputation(judged, capsys):
    assert call("judge", judged, "--recompute", "--min-recall", "0.5") == 2
    assert "judges the run as it was judged before" in capsys.readouterr().err
