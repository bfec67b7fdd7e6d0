"""What plain transformers answers: asks its ``pipeline``, in this process or in a separate one.

This file is also a program. It then loads nothing of pretune, reads texts from standard input, and writes the answers of the
pipeline of the folder in its arguments.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS = 600.0


def ask_pipeline(folder: str, texts: Sequence[str]) -> list[dict[str, float]]:
    """Return the probability of each class by name, a text each, as ``pipeline(..., truncation=True)`` gives them."""
    from transformers import pipeline

    classify: Any = pipeline("text-classification", model=folder, truncation=True, top_k=None, device="cpu")
    return [{item["label"]: item["score"] for item in found} for found in classify(list(texts))]


def ask_apart(folder: str, texts: Sequence[str]) -> list[dict[str, float]]:
    """Return the same from another Python, which has never heard of pretune.

    Raises:
        OSError: It could not be started, took too long, ended with an error, or answered something else; the message says what.
    """
    command = [sys.executable, "-P", str(Path(__file__).resolve()), folder]
    try:
        done = subprocess.run(
            command, input=json.dumps(list(texts)).encode(), capture_output=True, check=False, timeout=SECONDS
        )
    except subprocess.SubprocessError as error:
        raise OSError(_last_line(str(error))) from error
    said, answered = (text.decode("utf-8", "replace") for text in (done.stderr, done.stdout))
    if done.returncode:
        raise OSError(_last_line(said))
    try:
        answers = json.loads((answered.strip().splitlines() or [""])[-1])
    except ValueError as error:
        raise OSError(f"it answered {_last_line(answered)!r}") from error
    if not isinstance(answers, list) or len(answers) != len(texts) or not all(isinstance(item, dict) for item in answers):
        raise OSError(f"it answered {_last_line(answered)!r}")
    return answers


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1][:300]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask_pipeline(sys.argv[1], json.load(sys.stdin))) + "\n")
