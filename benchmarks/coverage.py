"""Do 95 % intervals cover the truth? Every figure of ``score_predictions``, on simulated test sets."""

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.evaluate import score_predictions
from pretune.records import Predictions, Score, Terms

SIZES = (50, 200, 1_000, 5_000)
PREVALENCES = (0.01, 0.05, 0.20, 0.50)
POPULATION = 20_000
DISTANCE = 2.6  # between the two classes' mean scores, in standard deviations: about 0.90 of the answers are right
CLASSES = ("neg", "pos")
MIN_EXPECTED = 20

Floats = npt.NDArray[np.float64]


def population(prevalence: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return labels and probabilities of the positive class of all rows there are; figures of these are the truth.

    Scores are normal in each class, taken at evenly spaced quantiles, and the probabilities are right.
    """
    from scipy.special import expit, ndtri

    num_positive = round(POPULATION * prevalence)
    sizes = (POPULATION - num_positive, num_positive)
    labels = np.repeat([0, 1], sizes)
    scores = np.concatenate(
        [ndtri((np.arange(size) + 0.5) / size) + side for size, side in zip(sizes, (0, DISTANCE), strict=True)]
    )
    odds = DISTANCE * scores - DISTANCE**2 / 2 + np.log(prevalence / (1 - prevalence))
    return labels, expit(odds)


def measure_cell(num_rows: int, prevalence: float, num_sets: int, *, seed: int = 0) -> dict[str, Any]:
    """Draw test sets from the population and count how often each interval holds the population's figure."""
    labels, shares = population(prevalence)
    truth = {score.name: score for score in score_predictions(_predictions(labels, shares), Terms(positive="pos"))}
    generator = np.random.default_rng([seed, num_rows, round(1000 * prevalence)])
    covered, given = defaultdict[str, int](int), defaultdict[str, int](int)
    for _ in range(num_sets):
        rows = generator.integers(len(labels), size=num_rows)
        for score in score_predictions(_predictions(labels[rows], shares[rows]), Terms(positive="pos")):
            value = truth[score.name].value
            if value is not None and score.low is not None and score.high is not None:
                given[score.name] += 1
                covered[score.name] += score.low <= value <= score.high
    return {
        "num_rows": num_rows,
        "prevalence": prevalence,
        "sets": num_sets,
        "figures": {
            name: {
                "given": given[name],
                "covered": covered[name],
                "is_plenty": _expected(name, truth, num_rows / POPULATION) >= MIN_EXPECTED,
            }
            for name in truth
        },
    }


def _expected(name: str, truth: dict[str, Score], share: float) -> float:
    """Return the expected hits or misses of a figure, whichever are fewer; for averages those of the worst class."""
    score, metric = truth[name], name.partition("[")[0]
    if score.num_hits is not None:
        return share * min(score.num_hits, score.num_examples - score.num_hits)
    if metric == "f1" and score.label in CLASSES:
        hits = truth[f"recall[{score.label}]"].num_hits or 0
        return share * min(hits, score.num_examples - hits)
    parts = [truth[f"{kind}[{label}]"] for kind in ("precision", "recall") for label in CLASSES]
    return min(share * min(part.num_hits or 0, part.num_examples - (part.num_hits or 0)) for part in parts)


def _predictions(labels: npt.NDArray[np.int64], shares: Floats) -> Predictions:
    names = np.array(CLASSES, object)
    return Predictions(
        source="finetuned",
        split="test",
        classes=CLASSES,
        ids=tuple(map(str, range(len(labels)))),
        labels=tuple(names[labels].tolist()),
        predicted=tuple(names[(shares > 0.5).astype(int)].tolist()),
        probabilities=tuple(zip((1 - shares).tolist(), shares.tolist(), strict=True)),
    )


def measure(num_sets: int = 2_000) -> dict[str, Any]:
    """Measure every cell."""
    return {"cells": [measure_cell(rows, share, num_sets) for rows in SIZES for share in PREVALENCES]}
