"""The tables of ``benchmarks/tables.py``: nine real sets, cut to few and many rows.

Half of the sets chose the settings of the default, the other half did not; both are shown apart.
"""

import csv
import gzip
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import SHARED

Row = tuple[str, str]  # text, label

CHOOSING = ("films", "spam", "news", "intents")
OTHERS = ("disaster", "hate", "newsgroups", "ohsumed", "reviews")
PER_CLASS, TOTALS = (8, 32, 128), (500, 2_000, 0)  # 0: all rows
MAX_TEST = 1_000
MAX_TRAIN = 10_000  # "all" of the largest sets


@dataclass(frozen=True, slots=True)
class Cell:
    """One table: a set, cut.

    Args:
        name: Of the set.
        per_class: Rows a class, where it is cut so.
        total: Rows in all, where it is cut so; 0 is all of them.
    """

    name: str
    per_class: int = 0
    total: int = 0

    @property
    def title(self) -> str:
        """Name of the row."""
        return f"{self.name}-{self.per_class}-a-class" if self.per_class else f"{self.name}-{self.total or 'all'}"


def all_cells() -> list[Cell]:
    """Return every table: per class where the set is larger than that, then totals."""
    found = []
    for name in (*CHOOSING, *OTHERS):
        train, _ = read_set(name)
        counts = Counter(label for _, label in train)
        sizes = {per: sum(min(per, count) for count in counts.values()) for per in PER_CLASS}
        found += [Cell(name, per_class=per) for per, size in sizes.items() if size < 0.8 * len(train)]
        found += [Cell(name, total=total) for total in TOTALS if total >= 3 * len(counts) or total == 0]
    return found


def cut(cell: Cell, seed: int) -> tuple[list[Row], list[Row]]:
    """Return training and test rows; the test rows are the same for every cut and seed."""
    train, test = read_set(cell.name)
    random.Random(f"{cell.name} {seed}").shuffle(train)
    if cell.per_class:
        counts, kept = Counter[str](), []
        for text, label in train:
            counts[label] += 1
            if counts[label] <= cell.per_class:
                kept.append((text, label))
        train = kept
    else:
        train = train[: cell.total or MAX_TRAIN]
    known = {label for _, label in train}
    return train, [row for row in test if row[1] in known]


def write_csv(rows: list[Row], path: Path) -> None:
    """Write rows as any spreadsheet would."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)


def read_set(name: str) -> tuple[list[Row], list[Row]]:
    """Return training and test rows of a set, in one order for ever; repeats across the two are taken out of training."""
    if name == "intents":
        train, test = _jsonl("clinc150_train"), _jsonl("clinc150_test")
        train, test = ([row for row in rows if row[1] != "oos"] for rows in (train, test))
    elif name in ("newsgroups", "ohsumed", "reviews"):
        stem = {"newsgroups": "newsgroups20", "ohsumed": "ohsumed", "reviews": "imdb"}[name]
        train, test = _jsonl(f"{stem}_train"), _jsonl(f"{stem}_test")
    else:
        rows = _disaster() if name == "disaster" else _jsonl(_FILES[name])
        rows = list(dict(rows).items())  # one row a text
        random.Random(name).shuffle(rows)
        split = min(MAX_TEST, len(rows) // 3)
        test, train = rows[:split], rows[split:]
    random.Random(f"{name} test").shuffle(test)
    test = test[:MAX_TEST]
    seen = {text for text, _ in test}
    return [row for row in train if row[0] not in seen], test


_FILES = {"films": "mr_rt_polarity", "spam": "sms_spam", "news": "ag_news_test", "hate": "hate_tweets"}


def _jsonl(stem: str) -> list[Row]:
    with gzip.open(SHARED / f"{stem}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    return [(row["text"], str(row["label"])) for row in rows]


def _disaster() -> list[Row]:
    from pretune.data.catalogue.fetch import fetch, require_entry

    path = next(fetch(require_entry("disaster-tweets")).glob("*.csv"))
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["text"], row["target"]) for row in csv.DictReader(file)]
