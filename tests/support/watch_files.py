"""Files of production, drawn like the rows of a run or not."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path

COLUMNS = ("text", "mood", "lang", "day")


def write_rows(path: Path, rows: Sequence[tuple[str, str]], *, days: int = 1, start: int = 1, seed: int = 0) -> Path:
    """Write rows with a language, one in five of which is German, and so many days in turn."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, (text, label) in enumerate(rows):
            day = start + number * days // len(rows)
            writer.writerow([text, label, draw.choice(["de", *["en"] * 4]), f"2026-11-{day:02}"])
    return path


def shifted(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return rows with other words in a tenth of the places."""
    draw = random.Random(1)
    return [
        (" ".join(f"qux{draw.randint(0, 9)}" if draw.random() < 0.15 else word for word in text.split()), label)
        for text, label in rows
    ]
