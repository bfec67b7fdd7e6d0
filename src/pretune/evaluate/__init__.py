"""Figures with their uncertainty, beside baselines on the same rows.

Import ``baselines`` from its own module, because it needs all of scikit-learn.
"""

from pretune.evaluate.choose import choose_positive, is_unbalanced
from pretune.evaluate.codes import groups_of
from pretune.evaluate.compare import compare, compare_f1, compare_metrics, deciding_metric
from pretune.evaluate.evaluate import evaluate_sources
from pretune.evaluate.metrics import confusion_of, score_predictions

__all__ = [
    "choose_positive",
    "compare",
    "compare_f1",
    "compare_metrics",
    "confusion_of",
    "deciding_metric",
    "evaluate_sources",
    "groups_of",
    "is_unbalanced",
    "score_predictions",
]
