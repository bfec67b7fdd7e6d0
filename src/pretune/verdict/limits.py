"""Limits: further figures that a policy bounds, a floor for every class, and a margin to another model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pretune.configs import JudgeConfig
from pretune.errors import UsageError
from pretune.records import RULES, Comparison, Confusion, Evaluation, Reason, Record, Score, Slice
from pretune.verdict.floors import Part, part_of_score, part_of_slice, weigh_floor

# What a policy may limit; of the last five less is better.
BOUNDED_BELOW = tuple("accuracy precision recall f1 balanced_accuracy mcc roc_area pr_area slice_accuracy".split())
BOUNDED_ABOVE = ("cost", "calibration_error", "brier", "loss", "alerts")
SLICE = "slice_accuracy"  # accuracy on the rows of every slice
ALERTS = "alerts"  # share of rows called positive
OF_A_CLASS = ("precision", "recall", "f1")
POSITIVE, EVERY = "positive", "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Record):
    """One figure and what its whole interval must keep to.

    Args:
        metric: One of ``BOUNDED_BELOW`` or ``BOUNDED_ABOVE``.
        minimum: The least value; of a figure of which more is better.
        maximum: The largest value; of one of which less is better.
        label: The class of precision, recall or F1: a name, ``positive``, ``macro``, or ``every`` for a floor of each class. Of
            the accuracy of slices: the column; without one the slices of all columns.
    """

    metric: str
    minimum: float | None = None
    maximum: float | None = None
    label: str | None = None


def limits_asked(config: JudgeConfig) -> tuple[Limit, ...]:
    """Return the limits that a config names besides the policy's."""
    asked = (
        Limit(metric="pr_area", minimum=config.min_pr_area),
        Limit(metric="recall", minimum=config.min_class_recall, label=EVERY),
        Limit(metric=SLICE, minimum=config.min_slice_accuracy),
        Limit(metric="cost", maximum=config.max_cost),
        Limit(metric="calibration_error", maximum=config.max_calibration_error),
    )
    return tuple(limit for limit in asked if limit.minimum is not None or limit.maximum is not None)


def check_limit(limit: Limit, name: str) -> None:
    """Raise a ``UsageError`` unless the figure exists and is bounded on the side where it can be bad."""
    is_below = limit.metric in BOUNDED_BELOW
    if not is_below and limit.metric not in BOUNDED_ABOVE:
        known = ", ".join((*BOUNDED_BELOW, *BOUNDED_ABOVE))
        raise UsageError(f"{name}: a limit on {limit.metric!r}", expected=f"one of {known}", fix="name another figure")
    wanted, other = (limit.minimum, limit.maximum) if is_below else (limit.maximum, limit.minimum)
    side = "minimum" if is_below else "maximum"
    number = type(wanted) in (int, float)
    if other is not None or not number or (is_below and not -1 < float(wanted or 0) < 1) or float(wanted or 0) < -1:
        expected = f"a {side}" + (" below 1" if is_below else "")
        raise UsageError(
            f"{name}: the limit on {limit.metric} has no such bound", expected=expected, fix=f"write {side} = NUMBER"
        )
    if limit.label is not None and limit.metric not in (*OF_A_CLASS, SLICE):
        raise UsageError(
            f"{name}: {limit.metric} of a class", expected="a label with precision, recall or f1", fix="leave it out"
        )


def weigh_limits(
    evaluation: Evaluation,
    limits: Sequence[Limit],
    confusion: Confusion,
    positive: str | None,
    min_rows: int,
    slices: Sequence[Slice] = (),
    rules: int = RULES,
) -> Iterator[Reason]:
    """Hold each limit against the interval of its figure.

    Args:
        evaluation: With the figures.
        limits: To be held.
        confusion: Of the judged source.
        positive: The class that is looked for.
        min_rows: With fewer rows of a class its floor is open.
        slices: All that are large enough, for a floor of each.
        rules: Version of the rules; by the first two a floor of every class is one reason a class, each by its own interval.
    """
    for limit in limits:
        if limit.metric == SLICE:
            yield from _weigh_slices(limit, slices)
            continue
        if limit.label == EVERY and rules > 2 and limit.minimum is not None:
            parts = parts_of(limit.metric, evaluation, confusion, min_rows)
            yield from weigh_floor(parts, limit.minimum, figure=limit.metric, what="classes")
            continue
        for label in labels_of(limit, confusion, positive):
            score = evaluation.find(limit.metric, label)
            sizes = dict(zip(confusion.classes, map(sum, confusion.counts), strict=True))
            few = label in sizes and sizes[label] < min_rows
            if few:
                name, text = (
                    f"{limit.metric}[{label}]",
                    f"only {sizes[str(label)]} test rows are {label}, {min_rows} are needed",
                )
                yield Reason(kind="score", name=name, holds=None, text=f"{text}; the limit on its {limit.metric} is open")
            else:
                yield _weigh(limit, score, label)


def parts_of(metric: str, evaluation: Evaluation, confusion: Confusion, min_rows: int) -> list[Part]:
    """Return every class with rows as a part of a floor."""
    sizes = dict(zip(confusion.classes, map(sum, confusion.counts), strict=True))
    scores = ((evaluation.find(metric, label), label) for label, size in sizes.items() if size)
    return [part_of_score(score, label, min_rows if sizes[label] < min_rows else 0) for score, label in scores if score]


def _weigh_slices(limit: Limit, slices: Sequence[Slice]) -> Iterator[Reason]:
    parts = parts_of_slices(limit, slices)
    if not parts:
        where = "of any column" if limit.label is None else f"of the column {limit.label}"
        text = f"no slice {where} has enough rows, so its floor of {limit.minimum:g} is open"
        yield Reason(kind="slice", name=limit.label or SLICE, holds=None, text=text)
        return
    yield from weigh_floor(parts, limit.minimum or 0.0, figure="accuracy", what="slices", kind="slice")


def parts_of_slices(limit: Limit, slices: Sequence[Slice]) -> list[Part]:
    """Return the slices that a limit is about, as parts of a floor."""
    return [part_of_slice(item) for item in slices if item.column != "label" and limit.label in (None, item.column)]


def weigh_margin(comparison: Comparison | None, other: str, margin: float) -> Reason:
    """Ask that the model is not worse than another by more than a margin, with the whole interval of the difference."""
    if comparison is None and other == "a person":
        text = f"no row of the test has votes of several annotators, so whether it is within {margin:g} of a person is open"
        return Reason(kind="comparison", name=f"margin-{other}", holds=None, text=text)
    if comparison is None or comparison.low is None or comparison.high is None:
        text = f"the difference from {other} has no interval, so whether it is within {margin:g} is open"
        return Reason(kind="comparison", name=f"margin-{other}", holds=None, text=text)
    interval = f"{100 * comparison.confidence:.4g} % interval {comparison.low:+.3f} to {comparison.high:+.3f}"
    figure = f"{comparison.metric} less that of {other} is {comparison.difference:+.3f} ({interval})"
    if comparison.low >= -margin:
        holds, why = True, f"not worse by more than the margin of {margin:g}"
    elif comparison.high < -margin:
        holds, why = False, f"worse by more than the margin of {margin:g}"
    else:
        holds, why = None, f"the margin of {margin:g} lies inside the interval"
    return Reason(kind="comparison", name=comparison.name, holds=holds, text=f"{figure}: {why}", metric=comparison.metric)


def labels_of(limit: Limit, confusion: Confusion, positive: str | None) -> tuple[str | None, ...]:
    """Return the labels of the figures that a limit is about; ``None`` is one without a class."""
    if limit.metric == "pr_area":
        return (positive if positive is not None else "macro",)
    if limit.metric == "roc_area":
        return (None,) if positive is not None or len(confusion.classes) == 2 else ("macro",)
    if limit.metric not in OF_A_CLASS:
        return (None,)
    if limit.label == EVERY:
        return tuple(label for label, row in zip(confusion.classes, confusion.counts, strict=True) if sum(row))
    if limit.label in (None, POSITIVE):
        return (positive if positive is not None else "macro",)
    return (limit.label,)


def _why_not_computed(metric: str) -> str:
    hints = {"cost": "; costs are named with --cost", ALERTS: "; the class that is looked for is named with --positive"}
    return f"was not computed{hints.get(metric, '')}"


def _weigh(limit: Limit, score: Score | None, label: str | None) -> Reason:
    name = f"{limit.metric}[{label}]" if label is not None else limit.metric
    bound = limit.minimum if limit.minimum is not None else limit.maximum
    said = f"{limit.metric.replace('_', ' ')} of {label}" if label not in (None, "macro") else limit.metric.replace("_", " ")
    if score is None or score.low is None or score.high is None or bound is None:
        why = _why_not_computed(limit.metric)
        why = why if score is None else f"{'is' if score.value is None else 'has'} {score.method}"
        return Reason(kind="score", name=name, holds=None, text=f"{said} {why}; its limit is open")
    scale, unit = (1_000, " per 1,000 rows") if limit.metric == ALERTS else (1, "")
    ends = f"{scale * score.low:.3f} to {scale * score.high:.3f}"
    figure = f"{said} is {scale * (score.value or 0.0):.3f}{unit} ({100 * score.confidence:.4g} % interval {ends})"
    is_floor = limit.minimum is not None
    holds = score.low >= bound if is_floor else score.high <= bound
    fails = score.high < bound if is_floor else score.low > bound
    bound = scale * bound
    kept = f"reaches the floor of {bound:g}" if is_floor else f"keeps to the limit of {bound:g}"
    why = f"the whole interval {kept}" if holds else f"the whole interval is {'below' if is_floor else 'above'} {bound:g}"
    return Reason(
        kind="score",
        name=name,
        holds=True if holds else False if fails else None,
        text=f"{figure}: {why if holds or fails else f'the limit of {bound:g} lies inside the interval'}",
    )
