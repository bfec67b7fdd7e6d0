"""Stability: would another seed have given a different model?"""

import re
from itertools import combinations

import numpy as np
from scipy.stats import chi2

from pretune.diagnose.measures import percent, right_answers
from pretune.intervals import Floats
from pretune.records import Evaluation, Evidence, Finding, Predictions, Severity

SEED = re.compile(r"seed-\d+")
# Points between the best and the worst seed above which the choice of seed matters as much as most choices of settings.
MAX_RANGE = 0.02
MAX_P_VALUE = 0.01


def check_stability(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how far the seeds' accuracies lie apart on the same rows, and whether chance among those rows explains it."""
    check = "results.stability"
    for split in ("test", "validation"):
        found = [item for item in evidence.predictions if item.split == split and SEED.fullmatch(item.source) and item.ids]
        if len(found) > 1:
            break
    else:
        return Finding.not_applicable(check, "one seed was trained")
    shared = set.intersection(*(set(item.ids) for item in found))
    if not shared:
        return Finding.unknown(check, "the seeds were not scored on the same rows")
    right = np.array([_right_by_id(item, shared) for item in found])  # (seeds, rows)
    accuracies, names = right.mean(axis=1), [item.source for item in found]
    span, p_value = float(np.ptp(accuracies)), _cochran(right)
    differ = np.mean([(first != second).mean() for first, second in combinations(right, 2)])
    beyond = span > MAX_RANGE and p_value < MAX_P_VALUE
    worst, best = names[int(accuracies.argmin())], names[int(accuracies.argmax())]
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"accuracy of {len(found)} seeds lies between {accuracies.min():.3f} ({worst}) and {accuracies.max():.3f} "
        f"({best}) on {len(shared):,} {split} rows (equal seeds would show as much with p = {p_value:.2g}); of two seeds, "
        f"one is right and the other wrong in {percent(float(differ))} of rows",
        measured=span,
        limit=MAX_RANGE,
        fix="Average the seeds, or train longer with a lower --lr; report the mean over seeds, not the best." if beyond else "",
    )


def _right_by_id(predictions: Predictions, shared: set[str]) -> Floats:
    pairs = sorted((id, value) for id, value in zip(predictions.ids, right_answers(predictions), strict=True) if id in shared)
    return np.array([value for _, value in pairs], dtype=float)


def _cochran(right: Floats) -> float:
    """Return how likely equally good models, answering the same rows, are to differ so much.

    Source:
        Cochran (1950), The comparison of percentages in matched samples.
    """
    num_models = len(right)
    by_model, by_row = right.sum(axis=1), right.sum(axis=0)
    below = num_models * by_row.sum() - (by_row**2).sum()
    if below == 0:  # the models agree on every row
        return 1.0
    statistic = (num_models - 1) * (num_models * (by_model**2).sum() - by_model.sum() ** 2) / below
    return float(chi2.sf(statistic, num_models - 1))
