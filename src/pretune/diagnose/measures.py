"""Shared measures of the checks: hits, differences with intervals, and how well one figure separates two sets of rows."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import Duplicates, find_duplicates
from pretune.intervals import Counts, Floats, proportion_interval, quantile, t_quantile, unit_means
from pretune.records import Evaluation, Evidence, Example, Predictions


def judged_source(evaluation: Evaluation | None) -> str:
    """Return whose predictions are judged: the evaluation's main source, ``finetuned`` where there is none."""
    return evaluation.main if evaluation is not None and evaluation.scores else "finetuned"


def right_answers(predictions: Predictions) -> npt.NDArray[np.bool_]:
    """Return which rows were answered with their label, shape (num_examples,)."""
    return np.array([label == said for label, said in zip(predictions.labels, predictions.predicted, strict=True)], dtype=bool)


def given_shares(predictions: Predictions) -> Floats | None:
    """Return the probability that each row's own label was given, shape (num_examples,); NaN where it has none."""
    if predictions.probabilities is None or not predictions.ids:
        return None
    column = {label: index for index, label in enumerate(predictions.classes)}
    rows = zip(predictions.probabilities, predictions.labels, strict=True)
    return np.array([shares[column[label]] if label in column else np.nan for shares, label in rows], dtype=float)


def difference_interval(
    hits: int, total: int, other_hits: int, other_total: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Newcombe's interval for the difference of two independent proportions (1998, method 10).

    Args:
        hits: Successes of the first.
        total: Trials of the first, at least 1; likewise the next two.
        other_hits: See above.
        other_total: See above.
        confidence: Probability that the interval covers the true difference.
    """
    first, second = hits / total, other_hits / other_total
    low_first, high_first = proportion_interval(hits, total, confidence)
    low_second, high_second = proportion_interval(other_hits, other_total, confidence)
    low = first - second - float(np.hypot(first - low_first, high_second - second))
    high = first - second + float(np.hypot(high_first - first, second - low_second))
    return low, high


def separation(
    first: Sequence[float] | Floats,
    second: Sequence[float] | Floats,
    confidence: float = 0.95,
    *,
    units: tuple[Counts | None, Counts | None] = (None, None),
) -> tuple[float, float, float]:
    """Return how often a value of ``second`` exceeds one of ``first``, ties counting half, and its interval.

    It is 0.5 where the two do not differ; also known as the area under the ROC curve.

    Args:
        first: Values of one set, at least 2.
        second: Values of the other, at least 2.
        confidence: Probability that the interval covers the true figure.
        units: Number of the group of each value of either set, none of which is in both; ``None`` where each stands alone.

    Source:
        DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated ROC curves; Obuchowski
        (1997), Nonparametric analysis of clustered ROC curve data.
    """
    low_values, high_values = np.asarray(first, float), np.asarray(second, float)
    ranks = rankdata(np.concatenate((low_values, high_values)))
    num_low, num_high = len(low_values), len(high_values)
    placed_high = (ranks[num_low:] - rankdata(high_values)) / num_low
    placed_low = 1 - (ranks[:num_low] - rankdata(low_values)) / num_high
    area = float(placed_high.mean())
    spread = float(np.sqrt(_variance(placed_high, units[1]) + _variance(placed_low, units[0])))
    least = min((int(item.max()) + 1 for item in units if item is not None), default=0)
    half = (t_quantile(confidence, least - 1) if least else quantile(confidence)) * spread
    return area, area - half, area + half


def _variance(values: Floats, units: Counts | None) -> float:
    """Variance of the mean of values, of which units are independent."""
    each = unit_means(values, units)
    return float(each.var(ddof=1)) / len(each) if len(each) > 1 else float("inf")


def group_numbers(evidence: Evidence, rows: Sequence[Example]) -> Counts | None:
    """Return the number of each row's group, from 0; ``None`` where no row has one, or by rules under which all stand alone."""
    if evidence.rules == 1 or all(row.group is None for row in rows):
        return None
    names = [(row.group is not None, row.group if row.group is not None else row.id) for row in rows]
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], dtype=np.int64)


def near_threshold(evidence: Evidence) -> float:
    """Return the similarity from which texts count as nearly the same: the receipt's, else that of the default split."""
    stated = evidence.receipt.near_duplicate_threshold if evidence.receipt is not None else None
    return NEAR_THRESHOLD if stated is None else stated


@lru_cache(maxsize=1)  # several checks ask the same of the same texts, and 50,000 of them take seconds
def find_clusters(texts: tuple[str, ...], threshold: float) -> Duplicates:
    """Return which of the texts are the same or nearly, remembering the last answer."""
    return find_duplicates(texts, threshold=threshold)


def clusters_of(evidence: Evidence) -> dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Return, for each split, the number of each row's folded text and of its cluster, common to all splits."""
    splits = {"train": evidence.train, "validation": evidence.validation, "test": evidence.test}
    texts = tuple(example.text for rows in splits.values() for example in rows)
    found, start, parts = find_clusters(texts, near_threshold(evidence)), 0, {}
    for name, rows in splits.items():
        part = slice(start, start + len(rows))
        parts[name], start = (found.folded[part], found.component[part]), start + len(rows)
    return parts


def percent(share: float) -> str:
    """Return a share as it is said, such as ``97.6 %``."""
    return f"{100 * share:.3g} %"
