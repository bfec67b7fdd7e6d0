"""Generated rows and predictions with known truth, for the tests of the checks."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from pretune.records import Example, Predictions

SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "ta", "vo", "si", "pe", "du")
CLASSES = ("neg", "pos")


def make_examples(split: str, count: int, seed: int, *, start: int = 0) -> tuple[Example, ...]:
    """Return rows of twelve words out of 400, so that no two are nearly alike, of films and makers that recur.

    Each film is in one split only, each maker in all of them, and the days go on from split to split; none of them says
    anything about the label.
    """
    generator = random.Random(seed)
    words = ["".join(random.Random(n).choices(SYLLABLES, k=4)) for n in range(400)]

    def row(number: int) -> Example:
        extra = {"maker": f"maker {generator.randrange(20)}", "rank": str(generator.random()), "day": _day(start + number)}
        text = " ".join(generator.choices(words, k=12))
        return Example(
            id=f"{split}-{number}", text=text, label=CLASSES[number % 2], group=f"film {(start + number) // 3}", extra=extra
        )

    return tuple(map(row, range(count)))


def _day(number: int) -> str:
    return (date(2020, 1, 1) + timedelta(days=number)).isoformat()


def make_predictions(
    rows: Sequence[Example], accuracy: float, *, source: str = "finetuned", seed: int = 0, classes: tuple[str, ...] = CLASSES
) -> Predictions:
    """Return calibrated predictions: each row is right with the probability stated, which varies around ``accuracy``."""
    generator = np.random.default_rng(seed)
    split = rows[0].id.split("-")[0]
    least = 1 / len(classes)
    spread = min(1 - accuracy, accuracy - least)
    stated = accuracy + spread * (2 * generator.random(len(rows)) - 1)
    right = generator.random(len(rows)) < stated
    shares, predicted = [], []
    for row, share, is_right in zip(rows, stated, right, strict=True):
        others = [label for label in classes if label != row.label]
        said = str(row.label) if is_right else others[int(generator.integers(len(others)))]
        predicted.append(said)
        shares.append(tuple(float(share) if label == said else float((1 - share) / (len(classes) - 1)) for label in classes))
    return Predictions(
        source=source, split=split, classes=classes, ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows), predicted=tuple(predicted), probabilities=tuple(shares),
    )  # fmt: skip
