"""Does plain transformers answer as pretune does? Asked of its ``pipeline``, in this process or in one of its own.

This file is also a program: it loads nothing of pretune then, reads texts from standard input, and writes what the pipeline of
the folder in its arguments says.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

# Largest difference of two probabilities that are the same to a reader; float32 sums in another order differ by about 1e-6.
MAX_SHARE_DIFFERENCE = 1e-3
# Texts on which a saved model, and merged adapters, must give the logits of the live ones.
PARITY_ROWS = 64
# Probabilities nearer to each other than this are a draw: sums in another order may decide it either way.
DRAW = 1e-4
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


def long_texts(texts: Sequence[str], max_length: int) -> tuple[str, ...]:
    """Return two texts to be cut: of twice the length that is judged, and of more than the model has positions for."""
    words = [word for text in texts for word in text.split()][:10_000] or ["word"]
    return tuple(
        " ".join((words * (number // len(words) + 1))[:number]) for number in (2 * max_length, max(1_100, 8 * max_length))
    )


def compare_shares(ours: "Tensor", theirs: "Tensor") -> tuple[float, int]:
    """Return the largest difference of probabilities (texts, classes), and how many answers are others, draws aside."""
    if not ours.numel():
        return 0.0, 0
    best = ours.topk(min(2, ours.shape[1]), dim=1).values
    is_draw = (best[:, 0] - best[:, -1] < DRAW) if ours.shape[1] > 1 else (best[:, 0] < 0)
    others = (ours.argmax(dim=1) != theirs.argmax(dim=1)) & ~is_draw
    return float((ours - theirs).abs().max()), int(others.sum())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask_pipeline(sys.argv[1], json.load(sys.stdin))) + "\n")
