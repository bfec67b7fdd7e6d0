"""Planted in real texts: near copies, to be found among 100,000 texts, and wrong labels."""

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from error_rates import share_of
from harness import SHARED
from pretune.data.alike.duplicates import find_duplicates
from pretune.evaluate.baselines import fit_linear
from pretune.hashing import fingerprint
from pretune.records import Example, Predictions

NUM_TEXTS, NUM_PLANTED, MIN_WORDS = 100_000, 400, 10
THRESHOLD = 0.8  # SplitConfig.near_duplicate_threshold
SOURCES = ("imdb_train", "imdb_test", "hate_tweets", "mr_rt_polarity", "newsgroups20_train", "ag_news_test", "sms_spam",
           "ohsumed_train", "ohsumed_test", "newsgroups20_test")  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def read_texts(names: tuple[str, ...] = SOURCES, *, folder: Path = SHARED) -> Iterator[tuple[str, str]]:
    """Yield (text, label) of labelled texts of at least ten words; long ones as pieces of up to 60 words, so that there are
    100,000 of them.
    """
    for name in names:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                words = row["text"].split()
                for start in range(0, min(len(words), 180), 60):
                    piece = words[start : start + 60]
                    if len(piece) >= MIN_WORDS:
                        yield " ".join(piece), str(row["label"])


def change_characters(text: str, count: int, generator: random.Random) -> str:
    """Replace, insert or delete so many letters, each within one word or another."""
    signs = list(text)
    for _ in range(count):
        place = generator.choice([index for index, sign in enumerate(signs) if sign.isalpha()])
        kind = generator.choice(("replace", "insert", "delete"))
        if kind == "delete":
            del signs[place]
        elif kind == "insert":
            signs.insert(place, generator.choice(LETTERS))
        else:
            signs[place] = generator.choice([letter for letter in LETTERS if letter != signs[place].lower()])
    return "".join(signs)


def change_words(text: str, count: int, generator: random.Random) -> str:
    """Replace so many words by others."""
    words = text.split()
    for place in generator.sample(range(len(words)), min(count, len(words))):
        words[place] = "".join(generator.choice(LETTERS) for _ in range(generator.randint(3, 9)))
    return " ".join(words)


Change = Callable[[str, int, random.Random], str]
CHANGES: dict[str, tuple[Change, int]] = {
    **{f"{count} characters": (change_characters, count) for count in (1, 2, 3, 5, 8, 12)},
    **{f"{count} words": (change_words, count) for count in (1, 2, 3, 5, 8)},
}


def measure_near(num_texts: int = NUM_TEXTS, *, num_planted: int = NUM_PLANTED, folder: Path = SHARED) -> dict[str, Any]:
    """Plant near copies and look for them among all texts at once.

    Recall is by kind of change. Precision is over found pairs: a planted copy's cluster may hold its original, and whatever
    pretune finds beyond is held against the texts themselves: it counts as right where the two texts share at least 70 % of
    their distinct words and neighbouring pairs, or 90 % of their letters in order, by counts that share no code with pretune.
    """
    generator = random.Random(0)
    rows = list(read_texts(folder=folder))
    generator.shuffle(rows)
    texts = [text for text, _ in rows[:num_texts]]
    planted = [(kind, place) for kind in CHANGES for place in generator.sample(range(len(texts)), num_planted)]
    copies = [CHANGES[kind][0](texts[place], CHANGES[kind][1], generator) for kind, place in planted]
    start, start_cpu = time.perf_counter(), time.process_time()
    found = find_duplicates([*texts, *copies], threshold=THRESHOLD)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    component = found.component
    is_found = [bool(component[len(texts) + number] == component[place]) for number, (_, place) in enumerate(planted)]
    curve = {
        kind: share_of(sum(hit for hit, (name, _) in zip(is_found, planted, strict=True) if name == kind), num_planted)
        for kind in CHANGES
    }
    asked = [kind for kind in CHANGES if kind in ("1 characters", "2 characters", "3 characters", "1 words")]
    hits = sum(hit for hit, (name, _) in zip(is_found, planted, strict=True) if name in asked)
    return {
        "num_texts": len(texts),
        "texts": ", ".join(SOURCES),
        "planted a kind": num_planted,
        "wall seconds": round(seconds, 1),  # with whatever else ran on the machine
        "processor seconds": round(cpu_seconds, 1),
        "recall": share_of(hits, len(asked) * num_planted),
        "precision": share_of(*_count_alike([*texts, *copies], component, found.folded)),
        "curve": curve,
    }


def _count_alike(texts: list[str], component: Any, folded: Any) -> tuple[int, int]:
    """Return how many texts that were tied to another really are nearly that text, and how many were tied."""
    members: dict[int, list[int]] = {}
    for number, cluster in enumerate(component.tolist()):
        members.setdefault(cluster, []).append(number)
    right = total = 0
    for same in members.values():
        different = list({int(folded[number]): number for number in same}.values())
        if len(different) > 1:
            some = [texts[number].lower() for number in different[:50]]
            for index, text in enumerate(some):
                total += 1
                right += any(_are_alike(text, other) for at, other in enumerate(some) if at != index)
    return right, total


def _are_alike(first: str, second: str) -> bool:
    one, other = _words_and_pairs(first), _words_and_pairs(second)
    return len(one & other) >= 0.7 * len(one | other) or SequenceMatcher(None, first, second, autojunk=False).ratio() >= 0.9


def _words_and_pairs(text: str) -> set[str]:
    words = "".join(sign if sign.isalnum() else " " for sign in text.lower()).split()
    return {*words, *(f"{a} {b}" for a, b in pairwise(words))}


def measure_labels(name: str, *, share: float = 0.05, seeds: int = 3, max_rows: int | None = None) -> dict[str, Any]:
    """Plant wrong labels in a data set of the catalogue; look at as many of the likeliest wrong ones as were planted.

    The rows' own wrong labels count as misses: nobody knows them.
    """
    from pretune.data.clean import clean_examples
    from pretune.data.read.path import read_table
    from pretune.diagnose.label_errors import rank_label_errors

    rows, _ = clean_examples(read_table(name).examples)
    distinct = list({fingerprint(row.text): row for row in rows}.values())[:max_rows]
    hits, total = 0, 0
    for seed in range(seeds):
        given, wrong = plant_wrong_labels(distinct, share, seed)
        ranked = rank_label_errors(out_of_fold(given, seed=seed))
        hits += len(wrong & set(ranked[: len(wrong)]))
        total += len(wrong)
    return {"data": name, "rows": len(distinct), "share": share, "seeds": seeds, "precision": share_of(hits, total)}


def plant_wrong_labels(rows: Sequence[Example], share: float, seed: int) -> tuple[list[Example], set[str]]:
    """Give this share of the rows another label; return all rows and the ids of those."""
    generator = np.random.default_rng(seed)
    names = sorted({str(row.label) for row in rows})
    chosen = set(generator.choice(len(rows), round(share * len(rows)), replace=False).tolist())
    given = [
        replace(row, label=str(generator.choice([name for name in names if name != row.label]))) if place in chosen else row
        for place, row in enumerate(rows)
    ]
    return given, {rows[place].id for place in chosen}


def out_of_fold(rows: Sequence[Example], *, num_folds: int = 5, seed: int = 0) -> Predictions:
    """Predict each row by TF-IDF + logistic regression fitted on the other folds."""
    classes = tuple(sorted({str(row.label) for row in rows}))
    folds = np.random.default_rng(seed).permutation(len(rows)) % num_folds
    parts = []
    for fold in range(num_folds):
        model = fit_linear([row for row, place in zip(rows, folds, strict=True) if place != fold], seed=seed)
        asked = [row for row, place in zip(rows, folds, strict=True) if place == fold]
        parts.append(model.predict(asked, split="train", classes=classes))

    def joined(field: str) -> tuple[Any, ...]:
        return tuple(item for part in parts for item in getattr(part, field))

    return Predictions(
        source="out_of_fold", split="train", classes=classes, ids=joined("ids"), labels=joined("labels"),
        predicted=joined("predicted"), probabilities=joined("probabilities"),
    )  # fmt: skip
