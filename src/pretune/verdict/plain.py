"""The plain reading: what a colleague would say who sees only the point values."""

from pretune.records import Evaluation
from pretune.verdict.policy import Plain


def plain_reading(evaluation: Evaluation, plain: Plain, *, positive: str | None, num_classes: int) -> str:
    """Return ``good``, ``bad`` or ``between``, with why. It knows no doubt; the verdict does.

    Args:
        evaluation: Figures of the main source.
        plain: What counts as good and bad.
        positive: The class that precision and recall are about; ``None`` for averages.
        num_classes: Sets what guessing would reach.
    """
    label = positive if positive is not None else "macro"
    scores = {
        name: evaluation.find(name, None if name == "accuracy" else label) for name in ("accuracy", "precision", "recall")
    }
    values = {name: score.value for name, score in scores.items() if score is not None and score.value is not None}
    shown = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
    bad = _bad_points(values, plain, num_classes)
    if bad:
        return f"bad: {bad[0]} ({shown})"
    missing = [name for name in scores if name not in values]
    if missing:
        return f"between: {missing[0]} of {label} is undefined ({shown})"
    good = {"accuracy": plain.good_accuracy, "precision": plain.good_precision, "recall": plain.good_recall}
    short = [f"{name} is not above {limit:.2f}" for name, limit in good.items() if not values[name] > limit]
    return f"between: {short[0]} ({shown})" if short else f"good: {shown}"


def _bad_points(values: dict[str, float], plain: Plain, num_classes: int) -> list[str]:
    points = []
    if values.get("accuracy", 1.0) < 1 / num_classes + plain.near_chance:
        points.append(f"accuracy is near the {1 / num_classes:.2f} of guessing among {num_classes} classes")
    for name, limit in (("precision", plain.bad_precision), ("recall", plain.bad_recall)):
        if values.get(name, 1.0) < limit:
            points.append(f"{name} is below {limit:.2f}")
    return points
