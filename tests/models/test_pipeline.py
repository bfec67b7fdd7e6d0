"""Transformers in a process of its own: whatever it does, the answer is one of transformers or an ``OSError``."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pretune.models import pipeline
from pretune.models.pipeline import ask_apart


def answer_with(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the other process be this program."""
    run = subprocess.run
    monkeypatch.setattr(pipeline.subprocess, "run", lambda _, **options: run([sys.executable, "-c", code], **options))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "it said nothing"),
        ("print('no JSON')", "no JSON"),
        ("print('{}')", "answered"),
        ("print('[]')", "answered"),
        ("print('[3, 4]')", "answered"),
        ("import sys; sys.stderr.buffer.write(b'\\xff killed'); sys.exit(3)", "killed"),
        ("import os; os.abort()", "it said nothing"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "answered"),
        ("import time; time.sleep(20)", "timed out"),
    ],
)
def test_whatever_goes_wrong_is_an_os_error_that_says_it(monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    answer_with(monkeypatch, code)
    monkeypatch.setattr(pipeline, "SECONDS", 1.0 if "sleep" in code else 60.0)
    with pytest.raises(OSError, match=said):
        ask_apart("folder", ["a", "b"])


def test_what_cannot_be_started_is_an_os_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pipeline, "sys", SimpleNamespace(executable=str(tmp_path / "none")))
    with pytest.raises(OSError, match="none"):
        ask_apart("folder", ["a"])


def test_answers_come_back_behind_whatever_libraries_print(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, "import sys; print('a warning'); print('[{\"a\": 1.0}]')")
    assert ask_apart("folder", ["x"]) == [{"a": 1.0}]
