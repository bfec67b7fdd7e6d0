"""Is one model better than another on the same rows, or does it only seem so?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pretune.errors import UsageError
from pretune.evaluate.choose import is_unbalanced
from pretune.evaluate.codes import MACRO, Rows
from pretune.evaluate.paired import Paired, compare_named, difference_interval, mcnemar_p_value, pair
from pretune.records import USUAL, Comparison, Predictions, Terms

__all__ = ["compare", "compare_f1", "compare_metrics", "deciding_metric", "difference_interval", "holm", "mcnemar_p_value"]

# All that two sources are compared on, besides precision, recall and F1.
GENERAL = ("balanced_accuracy", "mcc", "roc_area", "loss", "brier")


def compare(a: Predictions, b: Predictions, terms: Terms = USUAL) -> Comparison:
    """Compare the accuracy of two sources, row by row (``paired.compare_right``).

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        terms: By which interval and test are computed.

    Raises:
        DataError: The two do not cover the same rows with the same labels.

    Source:
        McNemar (1947); Bonett and Price (2012), Adjusted Wald confidence interval for a difference of binomial
        proportions based on paired data.
    """
    return compare_named(pair(a, b, terms), ["accuracy"])[0]


def compare_f1(a: Predictions, b: Predictions, terms: Terms = USUAL, *, seed: int = 0) -> Comparison:
    """Compare F1 (of the positive class, or averaged over the classes) of two sources, row by row.

    This is the comparison that counts where one class holds most rows and accuracy hardly moves. The p value comes from
    exchanging the two predictions of a row at random; the interval from resampling rows, with one pseudo-row added for
    each way the two can differ, so that two models that agree everywhere are not proven equal.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        terms: By which interval and test are computed; whole groups are exchanged and drawn.
        seed: Seed of the draws.

    Raises:
        UsageError: There is no such class.
        DataError: The two do not cover the same rows with the same labels, or F1 is not defined on them.

    Source:
        Noreen (1989), Computer-intensive methods for testing hypotheses (approximate randomization).
    """
    _check_positive(terms.positive, a)
    paired, positive = pair(a, b, terms, seed=seed), terms.positive
    return compare_named(paired, [f"f1[{positive if positive is not None else MACRO}]"])[0]


def compare_metrics(
    a: Predictions, b: Predictions, terms: Terms = USUAL, *, metrics: Sequence[str] | None = None, seed: int = 0
) -> tuple[Comparison, ...]:
    """Compare two sources on every figure: first the one that decides, then the others, corrected for their number.

    Which figure decides is a rule about the labels (``deciding_metric``), fixed before any answer is seen, so it is
    tested alone. The others describe; their p values are Holm's, and ``method`` says so and gives the p value alone.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        terms: By which intervals and tests are computed.
        metrics: The names, the deciding one first; by default all that are defined for both.
        seed: Seed of the draws.

    Raises:
        UsageError: There is no such class or metric.
        DataError: The two do not cover the same rows with the same labels, or a figure asked for is not defined.

    Source:
        Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    _check_positive(terms.positive, a)
    paired = pair(a, b, terms, seed=seed)
    names = _known(metrics, paired) if metrics is not None else _defined(paired, terms.positive)
    first, *others = compare_named(paired, names)
    adjusted = holm([item.p_value for item in others])
    if len(others) < 2:
        return first, *others
    return first, *(
        replace(item, p_value=p_value, method=f"{item.method}; Holm over {len(others)} figures (alone p = {item.p_value:.2g})")
        for item, p_value in zip(others, adjusted, strict=True)
    )


def deciding_metric(labels: Sequence[str], positive: str | None) -> str:
    """Return the figure that says which of two classifiers is better: accuracy, or F1 where one class holds most rows.

    Example:
        >>> deciding_metric(["ham"] * 87 + ["spam"] * 13, "spam"), deciding_metric(["a", "b"], None)
        ('f1[spam]', 'accuracy')
    """
    return f"f1[{positive if positive is not None else MACRO}]" if is_unbalanced(labels) else "accuracy"


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values that may be held against the same limit as if there were only one.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda item: p_values[item])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _defined(paired: Paired, positive: str | None) -> list[str]:
    labels = [paired.a.classes[index] for index in paired.a.labels]
    label = positive if positive in labels else MACRO
    names = [deciding_metric(labels, positive if positive in labels else None), "accuracy", f"f1[{label}]"]
    names += [f"precision[{label}]"] + ([f"recall[{label}]"] if label != MACRO else [])
    names += [name for name in GENERAL if _is_defined(paired, name)]
    return list(dict.fromkeys(names))


def _is_defined(paired: Paired, name: str) -> bool:
    both = (paired.a, paired.b)
    if name in ("loss", "brier", "roc_area") and any(rows.shares is None for rows in both):
        return False
    is_mixed = len(np.unique(paired.a.labels)) > 1
    if name == "mcc":
        return is_mixed and all(_says_more_than_one(rows) for rows in both)
    return is_mixed or name != "roc_area"


def _says_more_than_one(rows: Rows) -> bool:
    return len(np.unique(rows.predicted)) > 1


def _known(metrics: Sequence[str], paired: Paired) -> list[str]:
    labels = (MACRO, *paired.a.classes)
    known = ["accuracy", *GENERAL, *(f"{name}[{label}]" for name in ("precision", "recall", "f1") for label in labels)]
    unknown = [name for name in metrics if name not in known]
    if unknown or not metrics:
        got = f"the metric {unknown[0]!r}" if unknown else "no metric"
        raise UsageError(got, expected="one of " + ", ".join(known[:20]), fix="name another metric")
    undefined = [name for name in metrics if name in GENERAL and not _is_defined(paired, name)]
    if undefined:
        raise UsageError(
            f"{undefined[0]} is not defined for these predictions",
            expected="probabilities for loss, brier and roc_area; more than one label and answer for mcc",
            fix="compare on accuracy",
        )
    return list(dict.fromkeys(metrics))


def _check_positive(positive: str | None, a: Predictions) -> None:
    if positive is not None and positive not in a.classes:
        raise UsageError(f"no class {positive!r}", expected="one of " + ", ".join(a.classes), fix="see --positive")
