"""Standard streams that are closed, full or unread: exit codes keep their meaning, and a loss is said."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import python

from pretune.cli.app import main
from pretune.evaluate.baselines import fit_linear
from pretune.records import Example
from tiny import make_rows

WORDS = {"answer": ["datasets"], "error": ["verify", "nosuch"]}
CODES = {"answer": 0, "error": 2}
DESCRIPTORS = {"stdout": 1, "stderr": 2}


def end(words: list[str], stream: str, state: str) -> "subprocess.CompletedProcess[str]":
    """Give a command with one of its streams closed, on a full disk, or without a reader."""
    command = python("-m", "pretune", *words)
    pipes: dict[str, object] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if state == "closed":
        command = ["sh", "-c", f'exec "$@" {DESCRIPTORS[stream]}>&-', "sh", *command]
        return subprocess.run(command, check=False, text=True, **pipes)
    if state == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    try:
        return subprocess.run(command, check=False, text=True, **(pipes | {stream: descriptor}))
    finally:
        os.close(descriptor)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("is_json", [False, True], ids=["plain", "json"])
@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("state", ["closed", "full", "unread"])
@pytest.mark.parametrize("stream", DESCRIPTORS)
def test_no_stream_changes_what_an_exit_code_means(stream, state, kind, is_json):
    ended = end([*WORDS[kind], *(["--json"] if is_json else [])], stream, state)
    is_lost = (stream, state, kind) == ("stdout", "full", "answer")  # an answer that was to be kept, and is not
    assert ended.returncode == (4 if is_lost else CODES[kind])
    assert "Traceback" not in (ended.stderr or "")
    if is_lost:
        assert ended.stderr.startswith("pretune: cannot write to standard output: No space left on device")
    elif kind == "error" and stream == "stdout" and (state == "full" or not is_json):
        assert ended.stderr.startswith("pretune: there is no nosuch")


@pytest.mark.parametrize(("state", "code"), [("closed", 1), ("unread", 1), ("full", 4)])
def test_a_verdict_is_the_exit_code_unless_its_text_is_lost(state, code, write_csv):
    wrong = [(str(number), "ab"[number % 2], "ba"[number % 2]) for number in range(300)]
    path = write_csv(wrong, columns=("id", "label", "predicted"))
    assert end(["audit", str(path), "--quiet"], "stdout", state).returncode == code


def test_a_reader_that_has_seen_enough_ends_endless_answers(tmp_path):
    rows = [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(make_rows(80))]
    fit_linear(rows).save(tmp_path / "linear")
    command = ["bash", "-c", 'set -o pipefail; yes "a great film" | "$@" | head -n 1; echo ${PIPESTATUS[1]}', "bash"]
    command += python("-m", "pretune", "predict", str(tmp_path / "linear"))
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert ended.stdout.splitlines()[-1] == "0"
    assert ended.stderr == ""


def test_no_file_gets_the_number_of_a_closed_stream(write_csv):
    path = write_csv(make_rows(60))
    command = ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", *python("-c", CODE, str(path))]
    assert subprocess.run(command, check=False).returncode == 0


CODE = """
import os, sys
from pretune.cli.streams import protect_streams
protect_streams()
print("a"); print("b", file=sys.stderr)
with open(sys.argv[1]) as file:
    sys.exit(file.fileno() < 3 or sys.stdin.read() != "")
"""


def test_help_may_be_cut_short():
    for words in (["--help"], ["audit", "--help"]):
        assert end(words, "stdout", "unread").returncode == 0


def test_a_stream_that_a_caller_put_in_place_stays(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pretune", "datasets", "--json"])
    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert json.loads(out.getvalue())["entries"]
