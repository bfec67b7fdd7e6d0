"""People: does the interval of a person's figure cover, and does the margin to people keep its word?

Annotators and models are right with a probability that goes with how hard a row is. The truth of a person's figure is that of
very many rows. At the edge the model agrees with the majority as much less often than a person as the margin allows.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from error_rates import share_of
from pretune.evaluate.people import compare_with_person, score_people
from pretune.records import PERSON, Predictions, Terms, Votes
from pretune.verdict.limits import weigh_margin

SETS, MANY, MARGIN, GAIN = 300, 400_000, 0.03, 0.05
GAINS = (-MARGIN, -MARGIN + GAIN)  # at the edge, and 5 points above
POSITIVE = "class 1"
EASY, HARD, HARD_SHARE = 0.96, 0.68, 0.25
# Annotators of a row, classes, rows of a test, copies of each text.
WORLDS = ((2, 2, 500, 1), (3, 2, 150, 1), (3, 2, 1_000, 1), (5, 2, 500, 1), (3, 5, 500, 1), (5, 20, 1_000, 1), (3, 2, 400, 4))


World = tuple[int, int, int, int]
Codes = npt.NDArray[np.int64]


def said_of(generator: np.random.Generator, world: World, rows: int, shift: float) -> Codes:
    """Return what each annotator, and last the model, says of each row, shape (rows, annotators + 1)."""
    annotators, num_classes, _, _ = world
    truth = generator.integers(num_classes, size=rows)
    quality = np.where(generator.random(rows) < HARD_SHARE, HARD, EASY)
    right = np.column_stack([*[quality] * annotators, np.clip(quality + shift, 0, 1)])
    wrong = (truth[:, None] + generator.integers(1, num_classes, size=right.shape)) % num_classes
    return np.where(generator.random(right.shape) < right, truth[:, None], wrong)


def draw(generator: np.random.Generator, world: World, shift: float = 0.0) -> tuple[Votes, Predictions, Terms]:
    """Return votes and answers; the model is right by ``shift`` more or less often than an annotator."""
    _, num_classes, rows, copies = world
    names = np.array([f"class {number}" for number in range(num_classes)], object)
    spoken = [tuple(row) for row in names[said_of(generator, world, rows // copies, shift)].tolist()]
    texts = np.repeat(np.arange(rows // copies), copies).tolist()
    ids = tuple(f"{text}-{row}" for row, text in enumerate(texts))
    votes = Votes(columns=("votes",), by_row={id: spoken[text][:-1] for id, text in zip(ids, texts, strict=True)})
    answers = tuple(spoken[text][-1] for text in texts)
    made = Predictions(
        source="finetuned", split="test", classes=tuple(names.tolist()), ids=ids, labels=answers, predicted=answers
    )
    groups = {id: str(text) for id, text in zip(ids, texts, strict=True)} if copies > 1 else {}
    return votes, made, Terms(positive=POSITIVE, groups=groups, unit="different texts")


@cache
def truth_of(world: World, shift: float) -> tuple[dict[str, float], float]:
    """Return a person's figures and how much more often than one the model agrees, counted on very many rows."""
    said = said_of(np.random.default_rng(99), world, MANY, shift)
    votes, answers, positive = said[:, :-1], said[:, -1], int(POSITIVE.rpartition(" ")[2])
    counts = np.stack([(votes == label).sum(axis=1) for label in range(world[1])], axis=1)  # (rows, classes)
    parts = []
    for place in range(world[0]):
        vote = votes[:, place]
        others = counts - (vote[:, None] == np.arange(world[1]))
        most = others.max(axis=1)
        is_clear = (others == most[:, None]).sum(axis=1) == 1
        parts.append(np.stack([others.argmax(axis=1), vote, answers])[:, is_clear])
    target, vote, answer = np.concatenate(parts, axis=1)
    hits, wanted, called = ((vote == target) & (target == positive)).sum(), (target == positive).sum(), (vote == positive).sum()
    person = {
        "accuracy": float((vote == target).mean()),
        f"precision[{POSITIVE}]": float(hits / called),
        f"recall[{POSITIVE}]": float(hits / wanted),
        f"f1[{POSITIVE}]": float(2 * hits / (wanted + called)),
    }
    return person, float((answer == target).mean() - person["accuracy"])


def measure(sets: int = SETS) -> dict[str, Any]:
    """Measure coverage of a person's figures and of the difference, and the margin at its edge and 5 points above."""
    return {"sets": sets, "margin": MARGIN, "cells": [measure_world(world, sets) for world in WORLDS]}


def measure_world(world: World, sets: int) -> dict[str, Any]:
    """Measure one world."""
    shift_at = {gain: brentq(lambda shift, gain=gain: truth_of(world, shift)[1] - gain, -0.4, 0.3, xtol=1e-3) for gain in GAINS}
    truth = truth_of(world, 0.0)[0]
    covers: dict[str, list[tuple[bool, bool]]] = {}
    holds: dict[float, list[bool]] = {gain: [] for gain in GAINS}
    for gain, shift in shift_at.items():
        real, generator = truth_of(world, shift)[1], np.random.default_rng(1)
        for _ in range(sets):
            votes, made, terms = draw(generator, world, shift)
            compared = compare_with_person(votes, made, terms)
            holds[gain].append(compared is not None and weigh_margin(compared, "a person", MARGIN).holds is True)
            if gain != GAINS[0]:
                continue
            if compared is not None and compared.low is not None and compared.high is not None:
                covers.setdefault("difference", []).append((compared.low > real, compared.high < real))
            for score in score_people(votes, made, terms):
                if score.low is not None and score.high is not None:
                    found = score.low > truth[score.name], score.high < truth[score.name]
                    covers.setdefault(f"{PERSON} {score.name}", []).append(found)
    return {
        "annotators": world[0],
        "classes": world[1],
        "rows": world[2],
        "copies": world[3],
        "person": truth["accuracy"],
        "intervals": {name: ends_of(found, sets) for name, found in covers.items()},
        "wrong": share_of(sum(holds[GAINS[0]]), sets),
        "power": share_of(sum(holds[GAINS[1]]), sets),
    }


def ends_of(found: list[tuple[bool, bool]], sets: int) -> dict[str, Any]:
    """Return coverage, and how often an interval lies above and below the truth."""
    above, below = (sum(side) for side in zip(*found, strict=True))
    given = len(found)
    return {
        "covered": share_of(given - above - below, given),
        "above": above / given,
        "below": below / given,
        "none": 1 - given / sets,
    }
