"""An evaluation at the class shares of production: every figure and comparison of every source weighed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pretune.evaluate.class_shares import fill_shares
from pretune.evaluate.prevalence import weigh_scores
from pretune.evaluate.prevalence_paired import weigh_comparison
from pretune.records import Evaluation, Predictions, Terms


def weigh_evaluation(
    evaluation: Evaluation,
    predictions: Sequence[Predictions],
    terms: Terms,
    asked: Mapping[str, float],
    costs: Mapping[str, float] | None = None,
) -> Evaluation:
    """Return the evaluation as it would be where classes have the shares that were asked for; as it is where none were.

    Args:
        evaluation: Of all sources on the test rows; its confusion matrices stay counts of rows.
        predictions: Of the same sources.
        terms: By which it was computed.
        asked: Shares of production (``class_shares.parse_shares``).
        costs: What mistakes cost.

    Raises:
        UsageError: What ``fill_shares`` raises.
    """
    if not asked:
        return evaluation
    by_source = {item.source: item for item in predictions}
    judged = by_source[evaluation.main]
    shares = fill_shares(asked, [str(label) for label in judged.labels], judged.classes, terms.positive)
    scores = [
        score
        for source in dict.fromkeys(score.source for score in evaluation.scores)
        for score in weigh_scores(
            tuple(item for item in evaluation.scores if item.source == source), by_source[source], terms, shares, costs
        )
    ]
    weighed = (weigh_comparison(item, by_source[item.a], by_source[item.b], terms, shares) for item in evaluation.comparisons)
    return replace(evaluation, scores=tuple(scores), comparisons=tuple(item for item in weighed if item is not None))
