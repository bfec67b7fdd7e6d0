"""The run folder: is it nobody else's, and is what was written read back the same?"""

import gc
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from running import python

from pretune.errors import StorageError, UsageError
from pretune.records import Columns, Example, Predictions, Receipt, RunRecord
from pretune.run import RunFolder, claim_folder, identity_of
from pretune.run.prediction_tables import parse_predictions, predictions_csv

RECEIPT = Receipt(
    source="x.csv", files=(), columns=Columns(text=("text",), label="label"), num_rows=0, num_used=0, num_rejected=0
)
RECORD = RunRecord(
    run="x", status="started", command="pretune run", created="", data_source="x.csv", model_source="m", receipt=RECEIPT,
    identity=identity_of({"command": "this command"}), inputs={"command": "this command"},
)  # fmt: skip
PREDICTIONS = Predictions(
    source="finetuned", split="test", classes=("a,b", 'say "no"', "line\r\nbreak"), ids=("x.csv:2", "x.csv:3", "ü\n:4"),
    labels=("a,b", None, "line\r\nbreak"), predicted=('say "no"', "a,b", "line\r\nbreak"),
    probabilities=((0.1, 0.7, 0.2), (1 / 3, 1 / 3, 1 / 3), (1e-300, 5e-17, 1.0)),
)  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test has a current folder of its own."""
    monkeypatch.chdir(tmp_path)


def begin(path: str, **changes: str) -> RunFolder:
    folder = RunFolder(Path(path))
    folder.write_record(replace(RECORD, **changes))
    return folder


def claim(named: str | None = None, *, identity: str = "this command", overwrite: bool = False, done: str = "judged") -> str:
    path = Path(named) if named else None
    return claim_folder("x", {"command": identity}, named=path, overwrite=overwrite, done=done).path.as_posix()


def test_the_first_run_gets_the_plain_name():
    assert claim() == "runs/x"


def test_finished_runs_are_left_alone_and_the_next_number_is_taken():
    begin("runs/x", status="judged")
    begin("runs/x-2", status="judged")
    assert claim() == "runs/x-3"


@pytest.mark.parametrize("status", ["started", "trained"])
def test_the_same_command_goes_on_with_a_run_that_was_cut_off(status):
    begin("runs/x", status=status)
    assert claim() == claim("runs/x") == "runs/x"


def test_another_command_does_not_go_on_with_a_run_that_was_cut_off():
    begin("runs/x", status="trained")
    assert claim(identity="another") == "runs/x-2"
    with pytest.raises(UsageError, match="interrupted run of another command"):
        claim("runs/x", identity="another")


def test_what_differs_is_said_and_may_be_gone_on_with_when_asked_for():
    begin("runs/x", status="started")
    inputs = {"command": "this command", "finetune.learning_rate": "0.1"}
    with pytest.raises(UsageError, match=r"\(finetune.learning_rate: nothing then, 0.1 now\)") as caught:
        claim_folder("x", inputs, named=Path("runs/x"))
    assert "--continue-changed" in caught.value.fix
    folder = claim_folder("x", inputs, continue_changed=True)
    assert folder.path == Path("runs/x")
    assert folder.continue_changed


@pytest.mark.parametrize("status", ["trained", "judged"])
def test_a_training_that_ended_is_not_gone_on_with_after_a_change(status):
    begin("runs/x", status=status)
    with pytest.raises(UsageError):
        claim_folder("x", {"command": "another"}, named=Path("runs/x"), continue_changed=True)


def test_overwriting_and_going_on_exclude_each_other():
    with pytest.raises(UsageError, match="both given"):
        claim_folder("x", {}, overwrite=True, continue_changed=True)


def test_a_file_that_a_killed_process_wrote_aside_does_not_make_the_folder_somebody_elses():
    (Path("runs/x/data")).mkdir(parents=True)
    Path("runs/x/data/.receipt.json.k3x9.aside").write_text("{")
    Path("runs/x/.run.json.k3x9.aside").write_text("{")
    assert claim() == "runs/x"


def test_a_trained_run_is_finished_for_finetune_and_not_for_run():
    begin("runs/x", status="trained")
    assert claim(done="trained") == "runs/x-2"
    assert claim(done="judged") == "runs/x"


def test_a_finished_run_that_was_named_is_not_replaced_unasked():
    begin("runs/x", status="judged")
    with pytest.raises(UsageError, match="finished run") as caught:
        claim("runs/x")
    assert "--overwrite" in caught.value.fix


@pytest.mark.parametrize("named", [None, "runs/x"])
def test_overwriting_takes_the_folder_and_keeps_the_old_run_until_it_is_cleared(named):
    begin("runs/x", status="judged").write_examples("train", [])
    folder = claim_folder("x", {}, named=None if named is None else Path(named), overwrite=True)
    assert folder.path == Path("runs/x")
    assert folder.is_to_be_replaced
    assert folder.is_begun
    folder.clear(replace(RECORD, created="now"))
    assert [path.name for path in Path("runs/x").iterdir()] == ["run.json"]
    assert folder.read_record().created == "now"
    assert not folder.is_to_be_replaced


@pytest.mark.parametrize("kept", ["data/reviews.csv", "notes.txt", "model/config.json"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_no_run_is_never_used_or_cleared(kept, overwrite):
    file = Path("project") / kept
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(UsageError, match="not a run folder"):
        claim("project", overwrite=overwrite)
    assert file.read_text() == "mine"


def test_a_file_in_the_place_of_the_folder_is_an_error():
    Path("taken").write_text("mine")
    with pytest.raises(UsageError, match="not a run folder"):
        claim("taken")


def test_what_refused_data_leaves_behind_is_free():
    Path("runs/x/data").mkdir(parents=True)
    Path("runs/x/data/receipt.json").write_text("{}")
    assert claim() == claim("runs/x") == "runs/x"


def test_a_damaged_record_is_not_touched():
    Path("runs/x").mkdir(parents=True)
    Path("runs/x/run.json").write_text("{")
    assert claim() == "runs/x-2"
    with pytest.raises(UsageError):
        claim("runs/x")


def test_two_processes_do_not_share_a_folder(tmp_path):
    script = "import sys; from pretune.run import claim_folder; f = claim_folder('x', ''); print(f.path, flush=True); input()"
    with subprocess.Popen(python("-c", script), stdin=-1, stdout=-1, text=True, cwd=tmp_path) as other:
        assert other.stdout.readline().strip() == "runs/x"
        assert claim() == "runs/x-2"
        with pytest.raises(UsageError, match="in use by another process"):
            claim("runs/x")
        other.communicate("\n")
    assert claim("runs/x") == "runs/x"


def test_a_folder_is_given_back_when_nobody_refers_to_it(tmp_path):
    script = "from pretune.run import claim_folder; print(claim_folder('x', '').path)"
    mine = claim_folder("x", "")
    assert subprocess.check_output(python("-c", script), text=True, cwd=tmp_path).strip() == "runs/x-2"
    del mine
    gc.collect()
    assert subprocess.check_output(python("-c", script), text=True, cwd=tmp_path).strip() == "runs/x"


def test_predictions_come_back_to_the_last_digit():
    folder = RunFolder(Path("runs/x"))
    folder.write_predictions(PREDICTIONS)
    assert folder.read_predictions("test", "finetuned") == PREDICTIONS


def test_predictions_without_probabilities_come_back():
    plain = replace(PREDICTIONS, probabilities=None, classes=("a,b", "line\r\nbreak", 'say "no"'))
    assert parse_predictions(predictions_csv(plain), split="test", source="finetuned") == plain


def test_the_header_of_predictions_names_the_classes():
    header = predictions_csv(replace(PREDICTIONS, classes=("a", "b", "c"))).split("\n")[0]
    assert header == "id,label,predicted,p:a,p:b,p:c"


def test_missing_predictions_say_what_makes_them():
    with pytest.raises(UsageError, match="judge"):
        RunFolder(Path("runs/x")).read_predictions("test", "finetuned")


def test_examples_come_back():
    rows = (Example(id="a:1", text='tab\t, quote " and \ud800', label="x", group="g", extra={"year": "2024"}),)
    folder = RunFolder(Path("runs/x"))
    folder.write_examples("train", rows)
    assert folder.read_examples("train") == rows


def test_a_missing_split_is_an_error():
    with pytest.raises(StorageError, match=r"train\.jsonl is missing"):
        RunFolder(Path("runs/x")).read_examples("train")


def test_the_record_comes_back():
    assert begin("runs/x").read_record() == RECORD


def test_a_folder_without_a_record_is_no_run():
    with pytest.raises(UsageError, match="is not a run folder"):
        RunFolder(Path("runs/x")).read_record()


@pytest.mark.parametrize("text", ["{}", "[1]", '{"run": 1', '{"run": "x", "receipt": 5}'])
def test_a_damaged_record_is_an_error_with_its_path(text):
    Path("x").mkdir()
    Path("x/run.json").write_text(text)
    with pytest.raises(StorageError, match=r"x/run\.json"):
        RunFolder(Path("x")).read_record()


def test_events_are_those_of_the_last_attempt():
    folder = RunFolder(Path("x"))
    folder.path.mkdir()
    folder.trace.write_text(
        '{"event": "begun"}\n{"event": "note", "text": "old"}\n{"event": "begun"}\n{"event": "note"}\n{"torn'
    )
    assert [event["event"] for event in folder.read_events()] == ["begun", "note"]
