"""Verify: every file of a run is covered, and a flipped bit is named by it and by the command that reads the file."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from running import call, cover, read_strictly, reseal

from pretune import storage
from pretune.errors import StorageError, UsageError
from pretune.run import RunFolder, check_run
from pretune.tasks.verify import verify


def flip(path: Path, at: float = 0.5, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1 << bit
    path.write_bytes(data)


def test_a_whole_run_has_no_difference_and_no_file_without_a_digest(judged):
    found = verify(judged)
    assert (found.kind, found.differences, found.no_digest) == ("classify", (), ())
    assert found.num_files > 15


FILES = (
    "run.json", "data/train.jsonl", "data/validation.jsonl", "data/test.sealed.jsonl", "data/receipt.json",
    "data/openings.jsonl", "trace.jsonl", "linear/model.json", "linear/model.safetensors", "encoder_linear/features.json",
    "encoder_linear/features.safetensors", "model/model.safetensors", "model/config.json", "model/tokenizer.json",
    "model/pretune.json", "predictions/test.finetuned.csv", "predictions/validation.linear.csv", "report.html", "README.md",
)  # fmt: skip


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999999])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_named_with_its_file(judged, name, at):
    flip(judged / name, at)
    found = verify(judged)
    assert any(name in line or line.startswith(name.split("/")[0]) for line in found.differences), found


def test_the_command_names_what_differs_and_leaves_with_4(judged, capsys):
    assert call("verify", judged, "--json") == 0
    assert read_strictly(capsys.readouterr().out)["differences"] == []
    flip(judged / "linear" / "model.safetensors")
    assert call("verify", judged) == 4
    assert "✗ linear/model.safetensors was changed since the run was judged" in capsys.readouterr().out
    assert call("judge", judged, "--json") == 4
    assert "linear/model.safetensors was changed" in read_strictly(capsys.readouterr().out)["error"]["got"]


def test_a_missing_an_added_and_a_shortened_file_are_named(judged):
    (judged / "predictions" / "test.prior.csv").unlink()
    (judged / "predictions" / "test.mine.csv").write_text("id,label,predicted\n")
    for name in ("trace.jsonl", "data/openings.jsonl"):
        lines = (judged / name).read_text().splitlines(keepends=True)
        (judged / name).write_text("".join(lines[: len(lines) // 2]))
    found = " ".join(verify(judged).differences)
    for said in (
        "test.prior.csv is missing",
        "test.mine.csv was not there",
        "trace.jsonl was changed",
        "openings.jsonl was changed",
    ):
        assert said in found


@pytest.mark.parametrize("name", ["report.html", "README.md"])
@pytest.mark.parametrize("is_shortened", [True, False])
def test_a_page_that_is_missing_or_has_lost_its_end_is_named_and_can_be_had_again(judged, name, is_shortened, capsys):
    lines = (judged / name).read_text().splitlines(keepends=True)
    (judged / name).write_text("".join(lines[:-1])) if is_shortened else (judged / name).unlink()
    how = "was changed" if is_shortened else "is missing"
    assert verify(judged).differences == (f"{name} {how}: `pretune report {judged}` writes it again",)
    assert call("report", judged) == 0
    assert call("verify", judged) == 0
    capsys.readouterr()


def test_a_record_is_not_read_when_it_lacks_its_digest_or_its_schema(judged):
    record = json.loads((judged / "run.json").read_text())
    for changed in ({**record, "look": 9}, {k: v for k, v in record.items() if k != "digest"}, {**record, "schema": 3}):
        (judged / "run.json").write_text(json.dumps(changed))
        with pytest.raises(StorageError, match="damaged run"):
            RunFolder(judged).read_record()
    (judged / "run.json").write_text(json.dumps({**record, "look": 9}))
    reseal(judged)
    assert RunFolder(judged).read_record().look == 9


def test_a_run_of_an_earlier_version_is_read_and_what_has_no_digest_is_listed(judged):
    record = json.loads((judged / "run.json").read_text())
    for name in ("digest", "heads", "pending"):
        del record[name]
    record["digests"] = {name: item for name, item in record["digests"].items() if name.startswith(("data/", "predictions/"))}
    record["digests"].pop("data/receipt.json")  # which those versions left out
    (judged / "run.json").write_text(json.dumps(record | {"schema": 1}))
    found = verify(judged)
    assert found.differences == ()
    assert {"run.json", "model/model.safetensors"} <= set(found.no_digest)
    assert call("judge", judged, "--recompute", "--json") in (0, 1, 3)


def test_a_judging_that_is_killed_while_it_stores_a_threshold_can_be_given_again(judged, monkeypatch):
    """The record says what is being replaced, and by what, before the first file is."""
    before = RunFolder(judged).read_record()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pretune.tasks.classify.judge.tell_choice", die)
        assert call("judge", judged, "--goal", "recall", "--quiet") == 130
    folder = RunFolder(judged)
    record = folder.read_record()
    assert record.pending["linear/model.json"] == ""
    assert (record.threshold, verify(judged).differences) == (before.threshold, ())
    assert call("judge", judged, "--json", "--quiet") in (0, 1, 3)
    after = folder.read_record()
    assert (after.pending, after.threshold) == ({}, before.threshold)
    assert verify(judged).differences == ()


def test_model_folders_corpora_and_copies_are_verified_too(judged, tmp_path):
    shutil.copytree(judged / "model", tmp_path / "copy")
    assert (verify(tmp_path / "copy").kind, verify(tmp_path / "copy").differences) == ("model", ())
    flip(tmp_path / "copy" / "config.json")
    assert "config.json" in verify(tmp_path / "copy").differences[0]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_text("a")
    storage.write_digests(tmp_path / "files")
    assert verify(tmp_path / "files").differences == ()
    (tmp_path / "files" / "a").write_text("b")
    assert "a is not what was written" in verify(tmp_path / "files").differences[0]
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError):
            verify(place)


def test_a_ledger_that_lost_the_runs_opening_is_told(judged):
    home = storage.data_folder()
    for name in ("ledger.jsonl", "ledger.head.json"):
        (home / name).unlink()
    shutil.rmtree(home / "ledger.rows")
    found = verify(judged)
    assert found.differences == ()
    assert found.notes == ("there is no ledger here to compare the run's openings with",)


def test_a_damaged_run_is_called_so_with_what_is_left_of_it(judged, capsys):
    (judged / "run.json").unlink()
    for command in ("judge", "report", "verify"):
        assert call(command, judged, "--json") == 4
        shown = json.loads(capsys.readouterr().out)
        said = shown["error"]["got"] if "error" in shown else " ".join(shown["differences"])
        assert "is a damaged run" in said
        assert "predictions is there: `pretune audit` reads each table" in said


def test_parts_that_are_asked_for_by_name_are_checked_alone(judged):
    folder = RunFolder(judged)
    flip(judged / "data" / "train.jsonl")
    check_run(folder, folder.read_record(), "linear", "predictions")
    with pytest.raises(StorageError, match=r"data/train\.jsonl was changed since the run was judged"):
        check_run(folder, folder.read_record(), "data")
    cover(judged)
    check_run(folder, folder.read_record())
    assert replace(folder.read_record(), digests={}) != folder.read_record()


def test_checkpoints_that_a_kill_left_in_a_finished_run_are_removed_by_the_next_command(judged):
    """It came between the record that said so and their removal."""
    (judged / "checkpoints" / "step-1").mkdir(parents=True)
    assert call("judge", judged, "--quiet") in (0, 1, 3)
    assert not (judged / "checkpoints").exists()
