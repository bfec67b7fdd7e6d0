"""Which of a run's models should answer? Validation chooses by the goal, before the seal is opened."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pretune.errors import DataError
from pretune.evaluate.aims import KEPT, Aim
from pretune.evaluate.choose import MAX_BALANCED_SHARE
from pretune.evaluate.class_shares import fill_shares
from pretune.evaluate.codes import MACRO, codes_of
from pretune.evaluate.compare import deciding_metric
from pretune.evaluate.ladder import RungCounts
from pretune.evaluate.monitor import monitored
from pretune.evaluate.paired import mcnemar_p_value
from pretune.evaluate.shares import Truth
from pretune.intervals import Floats, proportion_interval
from pretune.records import Predictions, SourceChoice

# The simplest first: of equals it is taken.
CANDIDATES = ("linear", "encoder_linear", "finetuned")
# Validation rows below which they tell models apart by chance (docs/decisions/0041), and how sure another has to be there.
LEAST_ROWS, MOST_CHANCE = 100, 0.05
CAUTIOUS = (
    f"; with fewer than {LEAST_ROWS} rows the fine-tuned one, unless another is clearly better (McNemar, p < {MOST_CHANCE:g}) "
    "or alone keeps what was asked"
)


def choose_source(
    known: Sequence[Predictions], aim: Aim, prevalence: Mapping[str, float] | None = None, *, is_cautious: bool = True
) -> SourceChoice:
    """Choose the source with the best figure on validation, each decided by its own threshold.

    Which figure that is follows from what was asked for: the mean cost, the goal's own figure, or else accuracy, and F1 where
    one class holds most rows. A source that keeps the constraints of the aim goes before one that does not. The validation
    rows have already chosen the epoch of the fine-tuned model and every threshold, so its figure flatters a little; the test
    is opened for all candidates, and its error is shared out among them. Where accuracy decides by few
    rows, the fine-tuned model has the benefit of the doubt (docs/decisions/0041). F1, costs and class shares do not count rows
    alike, so that rows that are right say nothing of them: there the figure stands.

    Args:
        known: Of the candidates, on validation, as their thresholds decide them.
        aim: What thresholds were chosen for.
        prevalence: Class shares of production (``class_shares.parse_shares``), by which the figures are weighed.
        is_cautious: Whether few rows are distrusted; earlier versions took them as they are.

    Raises:
        DataError: No candidate is among them.
        UsageError: What ``fill_shares`` raises.
    """
    by_source = {item.source: item for item in known if item.split == "validation"}
    candidates = [by_source[name] for name in CANDIDATES if name in by_source]
    if not candidates:
        raise DataError(
            "no source to choose from", expected="validation predictions of the run's models", fix="fit the run again"
        )
    shares = _shares_of(candidates[0], aim, prevalence or {})
    metric = _metric(candidates[0], aim, prevalence or {})
    values = {item.source: _value(item, metric, aim, _weights(item, shares)) for item in candidates}
    sign = -1.0 if metric == "cost" else 1.0
    own = by_source.get(CANDIDATES[-1])
    is_doubted = is_cautious and metric == "accuracy" and not shares and own is not None and len(own.ids) < LEAST_ROWS
    able = [item for item in candidates if own is None or not is_doubted or _may_replace(item, own, aim)]
    best = max(able, key=lambda item: (_room(item, aim, shares), sign * values[item.source]))
    held = " among those that keep what was asked" if aim.keep or aim.floors or aim.at else ""
    weighed = ", weighed by class shares" if shares else ""
    how = "least" if metric == "cost" else "greatest"
    return SourceChoice(
        source=best.source,
        metric=metric,
        values=values,
        num_examples=len(best.ids),
        rule=f"the {how} {metric} on validation{weighed}{held}; of equals the simplest" + CAUTIOUS * is_doubted,
    )


def _may_replace(item: Predictions, own: Predictions, aim: Aim) -> bool:
    """Whether few rows are enough to take this model in place of the fine-tuned one, ``own``; or it is that."""
    if item is own or _room(own, aim, {}) < 0 == _room(item, aim, {}):
        return True
    (labels, theirs), (_, ours) = codes_of(item), codes_of(own)
    better, worse = (int(((first == labels) & (second != labels)).sum()) for first, second in ((theirs, ours), (ours, theirs)))
    return better > worse and mcnemar_p_value(better, worse) < MOST_CHANCE


def _shares_of(predictions: Predictions, aim: Aim, prevalence: Mapping[str, float]) -> dict[str, float]:
    labels = [str(label) for label in predictions.labels]
    return fill_shares(prevalence, labels, predictions.classes, aim.positive) if prevalence else {}


def _weights(predictions: Predictions, shares: Mapping[str, float]) -> Floats | None:
    """Return what each row counts, shape (num_examples,), adding up to 1; ``None`` where all count alike."""
    if not shares:
        return None
    counts = Counter(predictions.labels)
    return np.array([shares[str(label)] / counts[label] for label in predictions.labels])


def _metric(predictions: Predictions, aim: Aim, prevalence: Mapping[str, float]) -> str:
    if aim.goal == "cost":
        return "cost"
    if aim.at:
        return f"recall[{aim.positive}]"
    if aim.goal in (*KEPT, "f1") and aim.positive is not None:
        return f"{aim.goal}[{aim.positive}]"
    if aim.goal in (*KEPT, "f1"):
        return f"{aim.goal}[{MACRO}]"
    if prevalence:  # as the verdict compares: a mean of F1 has no weighed comparison
        largest = max(*prevalence.values(), 1 - sum(prevalence.values()))
        return "accuracy" if aim.positive is None or largest <= MAX_BALANCED_SHARE else f"f1[{aim.positive}]"
    return deciding_metric([str(label) for label in predictions.labels], aim.positive)


def _value(predictions: Predictions, metric: str, aim: Aim, weights: Floats | None) -> float:
    labels, predicted = codes_of(predictions)
    name, _, label = metric.removesuffix("]").partition("[")
    index = predictions.classes.index(aim.positive) if aim.positive is not None else None
    if name == "accuracy":
        return _mean(labels == predicted, weights)
    if name == "cost":
        missed, alarm = (labels == index) & (predicted != index), (labels != index) & (predicted == index)
        return _mean(aim.costs["fn"] * missed + aim.costs["fp"] * alarm, weights)
    if label != MACRO:
        return monitored(name, labels, predicted, num_classes=len(predictions.classes), positive=index, weights=weights)
    if name == "precision":
        present = np.unique(labels)
        called = {at: predicted == at for at in present}
        of_class = (
            _mean(labels[rows] == at, None if weights is None else weights[rows]) if rows.any() else 0.0
            for at, rows in called.items()
        )
        return float(np.mean(list(of_class)))
    figure = "macro_f1" if name == "f1" else "balanced_accuracy"
    return monitored(figure, labels, predicted, num_classes=len(predictions.classes), weights=weights)


def _mean(values: npt.ArrayLike, weights: Floats | None) -> float:
    values = np.asarray(values, float)
    return float(values.mean()) if weights is None else float((values * weights).sum() / weights.sum())


def _room(predictions: Predictions, aim: Aim, shares: Mapping[str, float]) -> float:
    """Return 0 where every constraint holds on validation, else by how much the worst is missed, negative."""
    if aim.positive is None:
        return 0.0
    labels, predicted = codes_of(predictions)
    index = predictions.classes.index(aim.positive)
    hits = int(((labels == index) & (predicted == index)).sum())
    if shares:
        return _weighed_room(labels == index, predicted == index, labels == predicted, aim, shares[aim.positive])
    totals = {"precision": int((predicted == index).sum()), "recall": int((labels == index).sum())}
    rooms = [hits / max(totals[metric], 1) - least for metric, least in aim.keep.items()]
    rooms += [proportion_interval(hits, totals[metric])[0] - least for metric, least in aim.floors.items()]
    if "precision" in aim.at:
        rooms.append(proportion_interval(hits, totals["precision"])[0] - aim.at["precision"])
    if "alerts" in aim.at:
        rooms.append(aim.at["alerts"] - proportion_interval(totals["precision"], len(labels))[1])
    return min(0.0, *rooms) if rooms else 0.0


def _weighed_room(is_positive: Truth, is_called: Truth, is_right: Truth, aim: Aim, share: float) -> float:
    """Return the same where production has this share of positives."""
    counted = [(is_positive & is_called), is_called, is_right, is_positive, np.ones_like(is_right)]
    hits, called, right, positives, total = (np.array([[float(rows.sum())]]) for rows in counted)
    counts = RungCounts(hits=hits, called=called, right=right, positives=positives, total=total, share=share)
    rooms = [float(counts.value(metric)[0, 0]) - least for metric, least in aim.keep.items()]
    rooms += [float(counts.low(metric)[0, 0]) - least for metric, least in aim.floors.items()]
    if "precision" in aim.at:
        rooms.append(float(counts.low("precision")[0, 0]) - aim.at["precision"])
    if "alerts" in aim.at:
        rooms.append(aim.at["alerts"] - float(counts.high("alerts")[0, 0]))
    return min(0.0, *rooms) if rooms else 0.0
