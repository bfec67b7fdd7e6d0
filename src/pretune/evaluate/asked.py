"""Figures that are computed where somebody asks for them: what mistakes cost, and how many alerts there are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from pretune.evaluate.alerts import score_alerts
from pretune.evaluate.cost import score_cost
from pretune.records import Evaluation, Predictions, Score, Terms


def add_asked(
    evaluation: Evaluation,
    predictions: Sequence[Predictions],
    asked: Collection[str],
    terms: Terms,
    costs: Mapping[str, float] | None,
) -> Evaluation:
    """Return the evaluation with the mean cost where mistakes have prices, and with alerts where they are limited.

    Args:
        evaluation: Of every source.
        predictions: Of the same sources.
        asked: Metrics that a policy limits.
        terms: By which figures are computed; without a positive class there are no further ones.
        costs: What a missed positive (``fn``) and a false alarm (``fp``) cost.
    """
    further: list[Score] = []
    if terms.positive is not None and costs:
        further += [score_cost(item, terms, costs=costs) for item in predictions]
    if terms.positive is not None and "alerts" in asked:
        further += [score_alerts(item, terms) for item in predictions]
    return replace(evaluation, scores=(*evaluation.scores, *further)) if further else evaluation
