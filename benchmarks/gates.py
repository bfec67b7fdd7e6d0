"""Gates besides accuracy, precision and recall: wrong *ship* with the truth exactly at the limit, and power 5 points above.

Each world is drawn row by row, scored by the function that the verdict's figure comes from, and weighed by the limits of the
verdict. What the best test of the same figure could reach is measured beside it: how often the value seen lies beyond what
2.5 % of the sets at the limit exceed, as if the noise were known.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from error_rates import share_of
from pretune.evaluate.areas import area_scores, pr_area
from pretune.evaluate.calibration import calibration_score
from pretune.evaluate.codes import Rows, confusion_of
from pretune.evaluate.compare import compare
from pretune.evaluate.cost import score_cost
from pretune.evaluate.shares import class_scores
from pretune.records import Evaluation, Predictions, Score, Terms
from pretune.verdict.limits import EVERY, Limit, weigh_limits, weigh_margin

SETS, ROWS, GAIN = 2_000, 2_000, 0.05
CLASSES = ("neg", "pos")
CONFIDENCE = 0.95
Floats = npt.NDArray[np.float64]
Answer = tuple[bool, tuple[float, ...]]  # whether the gate holds, and the values seen, of which more is better
Draw = Callable[[np.random.Generator, float], Answer]  # given by how much the truth is better than the limit


def cost(generator: np.random.Generator, gain: float, *, prevalence: float, costs: dict[str, float]) -> Answer:
    """Draw a model whose recall is 0.80 + ``gain`` and specificity 0.90 + ``gain``; the limit is what it costs without gain."""
    made = two_classes(generator, prevalence, 0.80 + gain, 0.90 + gain)
    most = prevalence * 0.20 * costs["fn"] + (1 - prevalence) * 0.10 * costs["fp"]
    score = score_cost(made, Terms(positive="pos"), costs=costs)
    return holds((score,), made, Limit(metric="cost", maximum=most)), (-float(score.value or 0.0),)


def two_classes(generator: np.random.Generator, prevalence: float, recall: float, specificity: float) -> Predictions:
    """Return answers on rows of two classes."""
    labels = generator.random(ROWS) < prevalence
    right = generator.random(ROWS) < np.where(labels, recall, specificity)
    return predictions(labels.astype(int), np.where(labels == right, 1, 0))


def predictions(labels: npt.NDArray[np.int64], said: npt.NDArray[np.int64], classes: Sequence[str] = CLASSES) -> Predictions:
    """Return codes as predictions."""
    names = np.array(classes, object)
    return Predictions(
        source="finetuned",
        split="test",
        classes=tuple(classes),
        ids=tuple(map(str, range(len(labels)))),
        labels=tuple(names[labels].tolist()),
        predicted=tuple(names[said].tolist()),
    )


def holds(scores: Sequence[Score], made: Predictions, limit: Limit) -> bool:
    """Whether the verdict's own limit is kept."""
    evaluation = Evaluation(scores=tuple(scores))
    return all(reason.holds for reason in weigh_limits(evaluation, (limit,), confusion_of(made), "pos", 5))


def blank(**others: Any) -> partial[Score]:
    """Return a score to be filled in."""
    return partial(Score, split="test", source="finetuned", confidence=CONFIDENCE, look=1, **others)


def area(generator: np.random.Generator, gain: float, *, prevalence: float, least: float) -> Answer:
    """Draw scores of two normal classes whose PR area is ``least`` + ``gain``."""
    labels = (generator.random(ROWS) < prevalence).astype(int)
    odds = generator.standard_normal(ROWS) + distance_of(round(least + gain, 6), prevalence) * labels
    shares = 1 / (1 + np.exp(-odds))
    said = (shares > 0.5).astype(int)
    rows = Rows(CLASSES, labels, said, np.stack([1 - shares, shares], axis=1), None)
    scores = area_scores(blank(), rows, "pos")
    value = next(item.value for item in scores if item.metric == "pr_area")
    return holds(scores, predictions(labels, said), Limit(metric="pr_area", minimum=least)), (float(value or 0.0),)


@cache
def distance_of(wanted: float, prevalence: float, size: int = 40_000) -> float:
    """Return the distance of two normal classes that has this PR area among so many evenly spread rows."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    num = round(size * prevalence)
    middles = [ndtri((np.arange(many) + 0.5) / many) for many in (size - num, num)]
    is_positive = np.arange(size) >= size - num
    return float(
        brentq(lambda far: pr_area(is_positive, np.r_[middles[0], middles[1] + far]).value - wanted, 0.1, 6, xtol=1e-4)
    )


def calibration(generator: np.random.Generator, gain: float) -> Answer:
    """Draw probabilities that are 0.05 less ``gain`` too high throughout; 0.05 is the limit."""
    most = 0.05
    claimed = 0.1 + 0.85 * generator.beta(2, 2, ROWS)
    labels = (generator.random(ROWS) < claimed - (most - gain)).astype(int)
    said = (claimed > 0.5).astype(int)
    score = calibration_score(blank(), Rows(CLASSES, labels, said, np.stack([1 - claimed, claimed], axis=1), None))
    return holds((score,), predictions(labels, said), Limit(metric="calibration_error", maximum=most)), (
        -float(score.value or 0.0),
    )


def margin(generator: np.random.Generator, gain: float, *, only_one: float) -> Answer:
    """Draw two models whose accuracies differ by -0.01 + ``gain``; on a share of the rows only one of them is right."""
    difference = gain - 0.01
    cells = [(only_one + difference) / 2, (only_one - difference) / 2]
    kind = generator.choice(4, size=ROWS, p=[*cells, 0.85 - only_one / 2, 1 - 0.85 - only_one / 2])
    labels = (generator.random(ROWS) < 0.5).astype(int)
    ours, theirs = (predictions(labels, np.where(np.isin(kind, right), labels, 1 - labels)) for right in ((0, 2), (1, 2)))
    found = compare(ours, theirs, Terms(positive="pos", confidence=0.975))  # two models are looked at
    return weigh_margin(found, "theirs", 0.01).holds is True, (found.difference,)


def floor(generator: np.random.Generator, gain: float, *, num_classes: int, least: float = 0.60) -> Answer:
    """Draw one class with a recall at the floor, and others at 0.95; with a gain all are so much above the floor."""
    labels = np.arange(ROWS) % num_classes
    recalls = np.full(num_classes, least + gain) if gain else np.r_[least, np.full(num_classes - 1, 0.95)]
    return floored(generator, labels, recalls, least)


def floored(generator: np.random.Generator, labels: npt.NDArray[np.int64], recalls: Floats, least: float) -> Answer:
    """Draw answers of classes with these recalls, and hold the floor against each."""
    classes = [f"class {number}" for number in range(len(recalls))]
    others = (labels + generator.integers(1, len(classes), ROWS)) % len(classes)
    said = np.where(generator.random(ROWS) < recalls[labels], labels, others)
    rows = Rows(tuple(classes), labels, said, None, None)
    scores = [score for at in range(len(classes)) for score in class_scores(blank(), rows, at)]
    values = tuple(float(score.value or 0.0) for score in scores if score.metric == "recall")
    return holds(scores, predictions(labels, said, classes), Limit(metric="recall", minimum=least, label=EVERY)), values


GATES: dict[str, Draw] = {
    "mean cost, balanced, fn=1, fp=1": partial(cost, prevalence=0.5, costs={"fn": 1.0, "fp": 1.0}),
    "mean cost, 20 % positive, fn=5, fp=1": partial(cost, prevalence=0.2, costs={"fn": 5.0, "fp": 1.0}),
    "mean cost, 5 % positive, fn=20, fp=1": partial(cost, prevalence=0.05, costs={"fn": 20.0, "fp": 1.0}),
    "PR area at least 0.80, 20 % positive": partial(area, prevalence=0.2, least=0.80),
    "PR area at least 0.50, 5 % positive": partial(area, prevalence=0.05, least=0.50),
    "calibration error at most 0.05": calibration,
    "not worse by more than 0.01, 10 % right in one only": partial(margin, only_one=0.10),
    "not worse by more than 0.01, 20 % right in one only": partial(margin, only_one=0.20),
    "recall of each of 3 classes at least 0.60": partial(floor, num_classes=3),
    "recall of each of 20 classes at least 0.60": partial(floor, num_classes=20),
}


def rates(draw: Draw, sets: int) -> dict[str, Any]:
    """Return the wrong *ship* at the edge, the power above it, and the most that a test of the same figure could have."""
    generator = np.random.default_rng(0)
    edge, good = ([draw(generator, gain) for _ in range(sets)] for gain in (0.0, GAIN))
    at, above = (np.array([values for _, values in found]) for found in (edge, good))
    bound = np.quantile(at[:, 0], 0.975)  # of the figure, or class, whose truth is at the limit
    return {
        "wrong": share_of(sum(passed for passed, _ in edge), sets),
        "power": share_of(sum(passed for passed, _ in good), sets),
        "most": share_of(int((above > bound).all(axis=1).sum()), sets),
    }
