"""Gates on slices, at class shares of production, and of the model that validation chose: their edge, and 5 points above."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import gates
from gates import SETS, Answer, Draw, holds, predictions, rates, two_classes
from pretune.evaluate.aims import Aim
from pretune.evaluate.choose_source import CANDIDATES, choose_source
from pretune.evaluate.codes import confusion_of, rows_of
from pretune.evaluate.prevalence import weigh_scores
from pretune.evaluate.shares import accuracy_score, class_scores
from pretune.evaluate.slices import find_slices
from pretune.intervals import confidence_at
from pretune.records import Evaluation, Example, Predictions, Score, Terms
from pretune.verdict.limits import Limit, weigh_limits

ROWS, GATE = 2_000, 0.85
Codes = npt.NDArray[np.int64]


def slices(generator: np.random.Generator, gain: float, *, kinds: int, least: float = 0.80) -> Answer:
    """Draw one slice with an accuracy at the floor, and others at 0.95; with a gain all are so much above the floor."""
    kind = np.arange(ROWS) % kinds
    rates = np.full(kinds, least + gain) if gain else np.r_[least, np.full(kinds - 1, 0.95)]
    labels = (generator.random(ROWS) < 0.5).astype(np.int64)
    right = generator.random(ROWS) < rates[kind]
    made = predictions(labels, np.where(right, labels, 1 - labels))
    rows = [Example(id=id, text="", extra={"kind": str(number)}) for id, number in zip(made.ids, kind.tolist(), strict=True)]
    found = find_slices(made, rows, limit=None)
    limit = Limit(metric="slice_accuracy", minimum=least)
    reasons = weigh_limits(Evaluation(scores=()), (limit,), confusion_of(made), "pos", 5, found)
    values = {item.value: item.accuracy for item in found if item.column == "kind"}
    return all(reason.holds for reason in reasons), tuple(values[str(number)] for number in range(kinds))


def at_shares(generator: np.random.Generator, gain: float, *, metric: str, share: float, least: float) -> Answer:
    """Draw rows half of which are positive, of a model with ``least`` + ``gain`` where production has this share of them."""
    recall, wanted = 0.80, least + gain
    if metric == "precision":
        alarms = share * recall * (1 - wanted) / wanted / (1 - share)
    else:  # accuracy
        alarms = (share * recall + 1 - share - wanted) / (1 - share)
    made = two_classes(generator, 0.5, recall, 1 - alarms)
    terms = Terms(positive="pos")
    found = tuple(weigh_scores(scores_of(made, terms), made, terms, {"pos": share, "neg": 1 - share}))
    label = "pos" if metric == "precision" else None
    value = next(item.value for item in found if (item.metric, item.label) == (metric, label))
    return holds(found, made, Limit(metric=metric, minimum=least, label=label)), (float(value or 0.0),)


def scores_of(made: Predictions, terms: Terms) -> tuple[Score, ...]:
    """Return accuracy, and precision, recall and F1 of the positive class."""
    rows = rows_of(made, terms)
    make = partial(Score, split=made.split, source=made.source, confidence=terms.confidence, look=terms.look)
    return accuracy_score(make, rows), *class_scores(make, rows, rows.classes.index("pos"))


def chosen(generator: np.random.Generator, gain: float, *, spread: float) -> Answer:
    """Draw three models of which validation chooses one; the best is at the gate, the others so much and twice below it."""
    truths = GATE + gain - spread * np.arange(3)
    known, answers = [], {}
    for source, truth in zip(CANDIDATES, generator.permutation(truths), strict=True):
        for split in ("validation", "test"):
            labels = (generator.random(ROWS) < 0.5).astype(np.int64)
            made = predictions(labels, np.where(generator.random(ROWS) < truth, labels, 1 - labels))
            made = replace(made, source=source, split=split)
            if split == "validation":
                known.append(made)
            else:
                answers[source] = made
    judged = answers[choose_source(known, Aim(positive=None)).source]
    score = scores_of(judged, Terms(confidence=confidence_at(1, len(known))))[0]
    return holds((score,), judged, Limit(metric="accuracy", minimum=GATE)), (float(score.value or 0.0),)


GATES: dict[str, Draw] = {
    "accuracy of each of 4 slices at least 0.80": partial(slices, kinds=4),
    "accuracy of each of 10 slices at least 0.80": partial(slices, kinds=10),
    "precision at least 0.50 at 5 % positive, half in the test": partial(at_shares, metric="precision", share=0.05, least=0.50),
    "precision at least 0.80 at 20 % positive, half in the test": partial(at_shares, metric="precision", share=0.2, least=0.80),
    "accuracy at least 0.85 at 5 % positive, half in the test": partial(at_shares, metric="accuracy", share=0.05, least=0.85),
    "accuracy at least 0.85, the best of three by validation, all alike": partial(chosen, spread=0.0),
    "accuracy at least 0.85, the best of three by validation, 2 points apart": partial(chosen, spread=0.02),
}


def measure(sets: int = SETS) -> dict[str, Any]:
    """Measure every gate, those of ``gates`` and these, at its edge and 5 points above it."""
    cells = [{"gate": name, **rates(draw, sets)} for name, draw in (gates.GATES | GATES).items()]
    return {"rows": ROWS, "sets": sets, "cells": cells}
