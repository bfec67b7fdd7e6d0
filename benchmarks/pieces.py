"""Pieces: real texts cut into 50 words each, as many as asked for, and how many came from where."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from harness import SHARED

# Every corpus that holds no test set: no official test side, and none of the data sets whose test rows are drawn from them.
CORPORA = {
    "wikipedia_en": ("text",),
    "imdb_unsup_corpus": ("text",),
    "medquad": ("prompt", "response"),
    "newsgroups20_train": ("text",),
    "imdb_train": ("text",),
    "gsm8k_train": ("prompt", "response"),
    "ohsumed_train": ("text",),
}
WORDS = 50
# Where windows begin once all texts have been cut, in words: half way first, so that two pieces share as little as can be.
SHIFTS = (0, 25, 12, 37)


def write_pieces(path: Path, number: int) -> dict[str, int]:
    """Write pieces, one a line, in the order of the corpora; return how many came from which corpus and shift."""
    counts: dict[str, int] = {}
    left = number
    with path.open("w", encoding="utf-8") as file:
        for shift in SHIFTS:
            for name in CORPORA:
                key, before = f"{name}, shift {shift}", left
                for piece in cut(name, shift):
                    if not left:
                        break
                    file.write(piece + "\n")
                    left -= 1
                if before > left:
                    counts[key] = before - left
    if left:
        raise SystemExit(f"the corpora give {number - left:,} pieces of {number:,}")
    return counts


def cut(name: str, shift: int) -> Iterator[str]:
    """Yield a corpus in pieces of 50 words, beginning at the ``shift``-th word of each text; shorter ends are left out."""
    with gzip.open(SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            words = " ".join(row[column] for column in CORPORA[name]).split()[shift:]
            for start in range(0, len(words) - WORDS + 1, WORDS):
                yield " ".join(words[start : start + WORDS])
