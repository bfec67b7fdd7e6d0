"""Which of a run's models should answer? Validation chooses by the goal, before the seal is opened."""

from collections.abc import Sequence

import numpy as np

from pretune.errors import DataError
from pretune.evaluate.aims import KEPT, Aim
from pretune.evaluate.codes import MACRO, codes_of
from pretune.evaluate.compare import deciding_metric
from pretune.evaluate.monitor import monitored
from pretune.intervals import proportion_interval
from pretune.records import Predictions, SourceChoice

# The simplest first: of equals it is taken.
CANDIDATES = ("linear", "encoder_linear", "finetuned")


def choose_source(known: Sequence[Predictions], aim: Aim) -> SourceChoice:
    """Choose the source with the best figure on validation, each decided by its own threshold.

    Which figure that is follows from what was asked for: the mean cost, the goal's own figure, or else accuracy, and F1 where
    one class holds most rows. A source that keeps the constraints of the aim goes before one that does not. The validation
    rows have already chosen the epoch of the fine-tuned model and every threshold, so its figure flatters a little; the test
    is opened for all candidates, and its error is shared out among them.

    Args:
        known: Of the candidates, on validation, as their thresholds decide them.
        aim: What thresholds were chosen for.

    Raises:
        DataError: No candidate is among them.
    """
    by_source = {item.source: item for item in known if item.split == "validation"}
    candidates = [by_source[name] for name in CANDIDATES if name in by_source]
    if not candidates:
        raise DataError(
            "no source to choose from", expected="validation predictions of the run's models", fix="fit the run again"
        )
    metric = _metric(candidates[0], aim)
    values = {item.source: _value(item, metric, aim) for item in candidates}
    sign = -1.0 if metric == "cost" else 1.0
    best = max(candidates, key=lambda item: (_room(item, aim), sign * values[item.source]))
    held = " among those that keep what was asked" if aim.keep or aim.floors or aim.at else ""
    how = "least" if metric == "cost" else "greatest"
    return SourceChoice(
        source=best.source,
        metric=metric,
        values=values,
        num_examples=len(best.ids),
        rule=f"the {how} {metric} on validation{held}; of equals the simplest",
    )


def _metric(predictions: Predictions, aim: Aim) -> str:
    if aim.goal == "cost":
        return "cost"
    if aim.at:
        return f"recall[{aim.positive}]"
    if aim.goal in (*KEPT, "f1") and aim.positive is not None:
        return f"{aim.goal}[{aim.positive}]"
    if aim.goal in (*KEPT, "f1"):
        return f"{aim.goal}[{MACRO}]"
    return deciding_metric([str(label) for label in predictions.labels], aim.positive)


def _value(predictions: Predictions, metric: str, aim: Aim) -> float:
    labels, predicted = codes_of(predictions)
    name, _, label = metric.removesuffix("]").partition("[")
    index = predictions.classes.index(aim.positive) if aim.positive is not None else None
    if name == "accuracy":
        return float((labels == predicted).mean())
    if name == "cost":
        missed, alarm = (labels == index) & (predicted != index), (labels != index) & (predicted == index)
        return float((aim.costs["fn"] * missed + aim.costs["fp"] * alarm).mean())
    if label != MACRO:
        return monitored(name, labels, predicted, num_classes=len(predictions.classes), positive=index)
    if name == "precision":
        present = np.unique(labels)
        return float(np.mean([(labels[predicted == at] == at).mean() if (predicted == at).any() else 0.0 for at in present]))
    figure = "macro_f1" if name == "f1" else "balanced_accuracy"
    return monitored(figure, labels, predicted, num_classes=len(predictions.classes))


def _room(predictions: Predictions, aim: Aim) -> float:
    """Return 0 where every constraint holds on validation, else by how much the worst is missed, negative."""
    if aim.positive is None:
        return 0.0
    labels, predicted = codes_of(predictions)
    index = predictions.classes.index(aim.positive)
    hits = int(((labels == index) & (predicted == index)).sum())
    totals = {"precision": int((predicted == index).sum()), "recall": int((labels == index).sum())}
    rooms = [hits / max(totals[metric], 1) - least for metric, least in aim.keep.items()]
    rooms += [proportion_interval(hits, totals[metric])[0] - least for metric, least in aim.floors.items()]
    if "precision" in aim.at:
        rooms.append(proportion_interval(hits, totals["precision"])[0] - aim.at["precision"])
    if "alerts" in aim.at:
        rooms.append(aim.at["alerts"] - proportion_interval(totals["precision"], len(labels))[1])
    return min(0.0, *rooms) if rooms else 0.0
