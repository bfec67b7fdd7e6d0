"""Which of two models, and why: from paired rows if there are any, else from figures alone."""

from collections.abc import Mapping, Sequence
from math import isfinite

from pretune.errors import UsageError
from pretune.evaluate.paired import mcnemar_p_value
from pretune.records import LOWER_IS_BETTER, Comparison, Preference

# What decides between classifiers, the first that both have: what counts decisions comes before what counts probabilities.
ORDER = ("accuracy", "f1", "macro_f1", "balanced_accuracy", "mcc", "recall", "precision", "roc_area", "brier", "loss")
LIMIT = 0.05

NAMES = {"loss": "loss", "brier": "Brier score", "mcc": "Matthews correlation", "roc_area": "ROC area"}

WHY_LOSS_DIFFERS = (
    "{other} has the lower {metric} ({low:.3f} against {high:.3f}), but that does not decide: it scores the probabilities, not "
    "the decisions. A model that is seldom wrong but too sure when it is has a higher {metric} than one that is wrong more "
    "often and hesitates. Overconfidence can be corrected without changing a decision (temperature); wrong decisions cannot. "
    "Take {other} only if the probabilities themselves are used (other thresholds, ranking, expected costs)."
)


def prefer(
    figures_a: Mapping[str, float],
    figures_b: Mapping[str, float],
    num_rows: int | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
    metric: str | None = None,
) -> Preference:
    """Say which of two models is better when only their figures are known, and not which rows each got right.

    Without pairs, only extreme differences can be proven: for accuracy, the exact test is made for the overlap of mistakes
    that favours a difference least and for the one that favours it most.

    Args:
        figures_a: Value by metric, such as ``{"loss": 0.25, "accuracy": 0.90}``.
        figures_b: The other model's figures on the same rows.
        num_rows: Number of rows; ``None`` if unknown.
        names: Names of the models.
        metric: The metric that decides; by default accuracy, else the first of ``ORDER`` that both have. If one class holds
            most rows, pass ``f1``.

    Raises:
        UsageError: They have no figure in common, one is not finite, a share is outside [0, 1], or there are no rows.

    Example:
        >>> found = prefer({"loss": 0.25, "accuracy": 0.90}, {"loss": 0.20, "accuracy": 0.85}, 200)
        >>> found.preferred, found.is_proven
        ('A', False)
    """
    shared = _shared(figures_a, figures_b, num_rows)
    decides = metric if metric is not None else next((name for name in ORDER if name in shared), shared[0])
    if decides not in shared:
        raise UsageError(f"no figure {decides!r} of both", expected="one of " + ", ".join(shared), fix="name another metric")
    values = {name: (float(figures_a[name]), float(figures_b[name])) for name in shared}
    is_proven, how_sure = _from_figures(decides, values[decides], num_rows)
    return _preference(names, decides, values, num_rows, is_proven, None, how_sure)


def prefer_compared(comparisons: Sequence[Comparison]) -> Preference:
    """Say which of two models to take from paired comparisons, of which the first decides.

    Args:
        comparisons: What ``compare_metrics`` returned.
    """
    first = comparisons[0]
    values = {item.metric: (item.value_a, item.value_b) for item in comparisons}
    is_proven = first.p_value <= 1 - first.confidence + 1e-12 and first.difference != 0
    shown = f"p = {first.p_value:.2g}, {first.num_examples:,} pairs"
    if first.low is not None and first.high is not None:
        shown = f"difference {first.difference:+.3f}, {first.low:+.3f} to {first.high:+.3f} at {first.confidence:.4g}, {shown}"
    verdict = "Proven" if is_proven else "Not proven: the rows do not show which is better"
    return _preference(
        (first.a, first.b), first.metric, values, first.num_examples, is_proven, first.p_value, f"{verdict} ({shown})."
    )


def is_lower_better(metric: str) -> bool:
    """Whether less of it is better, as of a loss."""
    return metric in LOWER_IS_BETTER


def _preference(
    names: tuple[str, str],
    metric: str,
    values: Mapping[str, tuple[float, float]],
    num_rows: int | None,
    is_proven: bool,
    p_value: float | None,
    how_sure: str,
) -> Preference:
    winner, rows = _winner(metric, values[metric]), "" if num_rows is None else f" on the same {num_rows:,} rows"
    better, worse = sorted(values[metric], reverse=not is_lower_better(metric))
    if winner is None:
        summary = f"Neither is better: {_say(metric)} is {better:.3f} for both{rows}."
    else:
        sure = "" if is_proven else ", but that is not proven"
        summary = f"{names[winner]} is better: {_say(metric)} {better:.3f} against {worse:.3f}{rows}{sure}."
    reasons = [_why(metric), *_dissent(names, metric, values, winner), how_sure]
    return Preference(
        a=names[0],
        b=names[1],
        preferred=None if winner is None else names[winner],
        metric=metric,
        is_proven=is_proven and winner is not None,
        p_value=p_value,
        summary=summary,
        reasons=tuple(reasons),
        num_examples=num_rows,
    )


def _winner(metric: str, values: tuple[float, float]) -> int | None:
    gain = values[0] - values[1]
    if abs(gain) < 1e-12:
        return None
    return int((gain > 0) == is_lower_better(metric))


def _why(metric: str) -> str:
    said = _say(metric)[:1].upper() + _say(metric)[1:]
    if is_lower_better(metric) or metric in ("roc_area", "pr_area"):
        scored = "ranking" if metric.endswith("area") else "probabilities"
        return f"{said} decides, since no figure about decisions is known for both: it scores the {scored}."
    if metric.startswith("f1") or metric.endswith("f1"):
        return f"{said} decides: one class holds most rows, and a model can be accurate by never predicting another."
    return f"{said} decides: a classifier is used for its decisions, and that is what it counts."


def _dissent(names: tuple[str, str], metric: str, values: Mapping[str, tuple[float, float]], winner: int | None) -> list[str]:
    """Explain figures that speak for the other model; those of the probabilities need more than a mention."""
    if winner is None:
        return []
    against = {name: pair for name, pair in values.items() if _winner(name, pair) == 1 - winner and name != metric}
    lines = [
        WHY_LOSS_DIFFERS.format(other=names[1 - winner], metric=_say(name), low=min(pair), high=max(pair))
        for name, pair in against.items()
        if is_lower_better(name) and not is_lower_better(metric)
    ][:1]
    others = [name for name in against if not lines or not is_lower_better(name)]
    if others:
        shown = ", ".join(f"{_say(name)} ({max(against[name]):.3f} against {min(against[name]):.3f})" for name in others)
        lines.append(f"In favour of {names[1 - winner]}: {shown}.")
    return lines


def _from_figures(metric: str, values: tuple[float, float], num_rows: int | None) -> tuple[bool, str]:
    """Return whether it is proven without pairs, and the sentence that says so."""
    advice = "To know, score both on the same file and compare row by row (`pretune compare`)."
    if num_rows is None:
        return False, f"Not proven: the number of rows is unknown. {advice}"
    if metric != "accuracy":
        return False, f"Not proven: {_say(metric)} of {num_rows:,} rows does not tell which rows differ. {advice}"
    right = [round(value * num_rows) for value in values]
    gain, least_shared = abs(right[0] - right[1]), max(0, sum(right) - num_rows)
    most_only = min(right) - least_shared  # rows that only the worse one may have right
    best, worst = mcnemar_p_value(gain, 0), mcnemar_p_value(gain + most_only, most_only)
    if worst <= LIMIT and gain:
        return True, f"Proven all the same: p is at most {worst:.2g}, however the mistakes of the two overlap."
    between = f"p lies between {best:.2g} and {worst:.2g}, depending on how far the mistakes of the two overlap"
    return False, f"Not proven: without the rows that only one gets right, {between}. {advice}"


def _shared(a: Mapping[str, float], b: Mapping[str, float], num_rows: int | None) -> list[str]:
    shared = [name for name in a if name in b]
    if not shared:
        raise UsageError(f"figures {sorted(a)} and {sorted(b)}", expected="a figure of both", fix="pass the accuracy of both")
    if num_rows is not None and num_rows < 1:
        raise UsageError(f"{num_rows} rows", expected="at least 1", fix="pass the number of rows, or leave it out")
    for name in shared:
        for value in (a[name], b[name]):
            limited = name not in ("loss", "mcc", "brier")
            if not isfinite(value) or (limited and not 0 <= value <= 1):
                expected = "a share from 0 to 1" if limited else "a finite number"
                raise UsageError(f"{name} of {value}", expected=expected, fix="90 % is 0.9")
    return shared


def _say(metric: str) -> str:
    name, _, label = metric.removesuffix("]").partition("[")
    said = NAMES.get(name, name.replace("_", " ").replace("f1", "F1"))
    if not label:
        return said
    return f"mean {said} over the classes" if label == "macro" else f"{said} of {label}"
