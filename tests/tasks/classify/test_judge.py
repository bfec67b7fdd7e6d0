"""Judging again: whatever is missing or changed is said before the seal is opened, and no look is free."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import call, count_reads, cover, learning_flags, python

from pretune.records import CorpusSketch
from pretune.run import RunFolder
from pretune.tasks.classify import judge


def num_looks(home: Path) -> int:
    ledger = home / "ledger.jsonl"
    return len(ledger.read_text().splitlines()) if ledger.exists() else 0


def shorten(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-3]))


def change(file: Path) -> None:
    file.write_text(file.read_text().replace('"event"', '"evenT"', 1))


@pytest.mark.parametrize("spoil", [shorten, change, Path.unlink])
@pytest.mark.parametrize("flags", [(), ("--goal", "f1", "--positive", "good"), ("--recompute",)])
def test_a_spoilt_trace_stops_judging_again_before_a_look_is_spent(
    judged: Path, tmp_path: Path, spoil: Callable[[Path], None], flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(judged / "trace.jsonl")
    before = num_looks(tmp_path / "pretune-home")
    record = (judged / "run.json").read_bytes()
    assert call("judge", judged, "--quiet", *flags) == 4
    assert "trace.jsonl" in capsys.readouterr().err
    assert num_looks(tmp_path / "pretune-home") == before
    assert (judged / "run.json").read_bytes() == record


@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_lost_list_of_openings_is_no_first_look_in_another_data_folder(
    judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_emptied: bool
) -> None:
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "elsewhere"))
    openings = judged / "data/openings.jsonl"
    openings.write_text("") if is_emptied else openings.unlink()
    assert call("judge", judged, "--quiet") == 4
    assert "openings.jsonl" in capsys.readouterr().err
    assert num_looks(tmp_path / "elsewhere") == 0


def test_in_another_data_folder_the_looks_of_the_run_count(
    judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "elsewhere"))
    assert call("judge", judged, "--quiet") in (0, 1, 3)
    assert RunFolder(judged).read_record().look == 2
    entry = json.loads((judged / "data/openings.jsonl").read_text().splitlines()[-1])
    assert entry["look"] == 2


@pytest.mark.parametrize(
    ("name", "flags"),
    [("in-corpus.jsonl", ("--recompute",)), ("learned-before.jsonl", ()), ("learned-before.jsonl", ("--recompute",))],
)
@pytest.mark.parametrize("content", ["{\n", "3\n", "[]\n", "\n", '{"hashes": 3}\n', ""])
def test_a_damaged_note_of_a_run_is_named_and_no_look_is_spent(
    judged: Path, tmp_path: Path, name: str, flags: tuple[str, ...], content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (judged / "data" / name).write_text(content)
    cover(judged)
    before = num_looks(tmp_path / "pretune-home")
    assert call("judge", judged, "--quiet", *flags) == 4
    assert name in capsys.readouterr().err
    assert num_looks(tmp_path / "pretune-home") == before


def test_what_an_earlier_judging_found_in_a_corpus_goes_with_the_corpus(judged: Path) -> None:
    folder = RunFolder(judged)
    folder.write_kept(CorpusSketch(name="pages", num_texts=9, hashes=()))
    cover(judged)
    assert call("judge", judged, "--quiet") in (0, 1, 3)
    assert not (folder.data / "in-corpus.jsonl").exists()
    assert not any("pages" in finding.summary for finding in folder.read_record().findings)


@pytest.mark.parametrize("goal", [(), ("--goal", "f1", "--positive", "good")])
def test_judging_reads_the_weights_once_for_their_digest(
    finetuned: Path, monkeypatch: pytest.MonkeyPatch, goal: tuple[str, ...]
) -> None:
    reads = count_reads(monkeypatch)
    assert call("judge", finetuned, "--quiet", *goal) in (0, 1, 3)
    weights = [count for path, count in reads.items() if path.name == "model.safetensors" and path.parent.name == "model"]
    assert sum(weights) == (1 if not goal else 3)  # saved again with its threshold: read back, and entered in the record


def test_training_reads_the_weights_three_times_for_their_digest(
    workplace: Path, tiny_checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = count_reads(monkeypatch)
    flags = [*learning_flags(tiny_checkpoint("bert"), epochs=1), "--quiet", "--set", "judge.encoder_linear=false"]
    assert call("finetune", workplace / "reviews.csv", "--run", "runs/x", *flags) == 0
    of_model = {path: count for path, count in reads.items() if path.name == "model.safetensors" and "linear" not in str(path)}
    assert sum(of_model.values()) == 3  # as written, read back in place, entered in the record


def test_a_model_that_is_swapped_while_it_is_judged_is_not_taken_for_the_judged_one(
    finetuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = judge._answer_test

    def swap(*arguments: Any) -> Any:
        data = bytearray((finetuned / "model/model.safetensors").read_bytes())
        data[-1] ^= 1
        (finetuned / "model/model.safetensors").write_bytes(data)
        return answer(*arguments)

    monkeypatch.setattr(judge, "_answer_test", swap)
    assert call("judge", finetuned, "--quiet") in (0, 1, 3)
    assert call("verify", finetuned) == 4


@pytest.mark.parametrize("name", ["run.json", "data/openings.jsonl"])
@pytest.mark.parametrize("run", ["finetuned", "judged"])
def test_what_cannot_be_written_afterwards_stops_judging_before_a_look_is_spent(
    run: str, name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that lets this user write to some places only; root, as whom tests may run, is let everywhere."""
    folder: Path = request.getfixturevalue(run)
    before, make, opened = num_looks(tmp_path / "pretune-home"), os.open, Path.open
    is_denied = []

    def refuse(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if is_denied and str(path).startswith(str(folder / name)[: -len(Path(name).name)] + f".{Path(name).name}."):
            raise PermissionError(13, "Permission denied")
        return make(path, flags, mode, **options)

    def refuse_to_append(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if is_denied and path == folder / name and set(mode) & set("aw+"):
            raise PermissionError(13, "Permission denied")
        return opened(path, mode, *arguments, **options)

    answer = judge._answer_test

    def answer_and_deny(*arguments: Any) -> Any:
        is_denied.append(True)
        return answer(*arguments)

    monkeypatch.setattr(judge, "_answer_test", answer_and_deny)
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "open", refuse_to_append)
    assert call("judge", folder, "--quiet") == 4
    assert num_looks(tmp_path / "pretune-home") == before


HOLD = """
import sys, time
from pathlib import Path
from pretune.run import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.hold()
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_one_process_at_a_time_judges_a_run_whatever_its_data_folder(
    finetuned: Path, tmp_path: Path, is_elsewhere: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    env |= {"PRETUNE_HOME": str(tmp_path / "elsewhere")} if is_elsewhere else {}
    with subprocess.Popen([*python("-c", HOLD), finetuned], env=env, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert call("judge", finetuned, "--quiet") == 2
        assert "in use by another process" in capsys.readouterr().err
        other.kill()
    assert call("judge", finetuned, "--quiet") in (0, 1, 3)


def test_the_record_knows_the_last_line_of_the_trace(judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report drawn without it would be another one, in silence."""
    data = (judged / "trace.jsonl").read_bytes()
    (judged / "trace.jsonl").write_bytes(data[:-20])
    assert call("report", judged) == 4
    assert "trace.jsonl" in capsys.readouterr().err
    assert call("verify", judged) == 4
