"""Planted near-duplicates: of pairs whose Jaccard similarity is known, how many does a corpus lose, and how many wrongly?"""

import json
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from pieces import CORPORA, cut
from pretune.configs import CorpusConfig
from pretune.data.alike.similar import jaccard
from pretune.data.alike.words import Words, distinct, pairs_of, words_of
from pretune.data.corpus import prepare_corpus
from pretune.hashing import fold
from pretune.intervals import proportion_interval

NUM_PAIRS = 20_000
THRESHOLD = 0.8
# The bins of the table; the lower end counts in.
EDGES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def measure(number: int = NUM_PAIRS) -> dict[str, Any]:
    """Change copies of real pieces by words dropped, replaced, inserted and moved, and see which copies are dropped.

    A pair counts as found where its copy is dropped as near; as false where it is, and its similarity is below the threshold
    (which chaining may do: the copy is near to another document of its cluster).
    """
    chance = random.Random(0)
    originals = sample(number, chance)
    copies = [change(text, chance) for text in originals]
    similarity = [similar(a, b) for a, b in zip(originals, copies, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "planted.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*originals, *copies]))
        corpus = prepare_corpus(path, CorpusConfig(boilerplate=0, min_words=1), Path(folder) / "data")
        kept = {fold(text) for split in ("train", "validation") for text in corpus.texts(split)}
    found: dict[int, list[bool]] = defaultdict(list)
    for original, copy, value in zip(originals, copies, similarity, strict=True):
        if fold(original) in kept and value < 1:  # an exact copy, or one of an original that is gone itself, tells nothing
            found[int(np.searchsorted(EDGES, value, side="right")) - 1].append(fold(copy) not in kept)
    table = [bin_of(index, hits) for index, hits in sorted(found.items())]
    above = [hit for index, hits in found.items() if EDGES[index] >= THRESHOLD for hit in hits]
    below = [hit for index, hits in found.items() if EDGES[index] < THRESHOLD for hit in hits]
    return {
        "num_pairs": len(above) + len(below),
        "threshold": THRESHOLD,
        "recall": [sum(above) / len(above), *proportion_interval(sum(above), len(above))],
        "precision": sum(above) / max(sum(above) + sum(below), 1),
        "num_false": sum(below),
        "compared": corpus.receipt.near_duplicates,
        "bins": table,
    }


def sample(number: int, chance: random.Random) -> list[str]:
    """Return so many pieces, drawn from all corpora alike."""
    each = -(-number // len(CORPORA))
    pieces = [piece for name in CORPORA for piece in chance.sample(list(cut(name, 0)), each)]
    chance.shuffle(pieces)
    return pieces[:number]


def change(text: str, chance: random.Random) -> str:
    """Return a text with up to a third of its words dropped, replaced, doubled or moved."""
    words = text.split()
    for _ in range(chance.randint(1, max(1, len(words) // 3))):
        place = chance.randrange(len(words))
        what = chance.choice(("drop", "replace", "insert", "move"))
        word = words.pop(place) if what in ("drop", "replace", "move") and len(words) > 2 else chance.choice(words)
        if what == "replace":
            words.insert(place, f"{word}{chance.randrange(1_000)}x")
        elif what == "insert":
            words.insert(place, f"new{chance.randrange(1_000_000)}")
        elif what == "move":
            words.insert(chance.randrange(len(words) + 1), word)
    return " ".join(words)


def similar(first: str, second: str) -> float:
    """Return the exact Jaccard similarity of two texts' words and pairs of words."""
    return jaccard(shingles(first), shingles(second))


def shingles(text: str) -> Any:
    """Return the distinct shingles of a text."""
    words = words_of([text])
    one = Words(words.hashes, words.starts)
    return distinct(np.concatenate((one.hashes, pairs_of(one)[:-1])))


def bin_of(index: int, hits: list[bool]) -> dict[str, Any]:
    """Return one row of the table: pairs of similar similarity, and the share of them that were dropped."""
    low, high = proportion_interval(sum(hits), len(hits))
    return {
        "from": EDGES[index],
        "to": EDGES[index + 1],
        "num_pairs": len(hits),
        "dropped": sum(hits) / len(hits),
        "low": low,
        "high": high,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
