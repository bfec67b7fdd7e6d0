"""All figures of one model and of its baselines, on the same rows."""

from collections.abc import Sequence

from pretune.errors import UsageError
from pretune.evaluate.before import BEFORE, METRICS, compare_shares
from pretune.evaluate.choose import is_unbalanced
from pretune.evaluate.compare import compare, compare_f1
from pretune.evaluate.metrics import confusion_of, score_predictions
from pretune.records import USUAL, Comparison, Evaluation, Predictions, Terms


def evaluate_sources(predictions: Sequence[Predictions], terms: Terms = USUAL, *, main: str) -> Evaluation:
    """Score every source and compare the main one with each of the others.

    Args:
        predictions: One a source, all on the same rows.
        terms: By which intervals and tests are computed; of groups see ``groups_of``.
        main: The source that is judged; its figures come first.

    Returns:
        Scores (the main source's first), paired comparisons of main with each other source, and confusion matrices.
        All are compared on accuracy; where there is a positive class or one class holds over 60 %, also on F1; with
        the source ``before``, also on precision and recall.

    Raises:
        UsageError: ``main`` is not among the sources, or a source comes twice.
        DataError: The sources do not cover the same rows.
    """
    sources = [item.source for item in predictions]
    if sources.count(main) != 1 or len(set(sources)) != len(sources):
        raise UsageError(
            f"sources {sources} to judge {main!r}", expected="each source once, and the one judged", fix="name them apart"
        )
    judged = predictions[sources.index(main)]
    others = [item for item in predictions if item.source != main]
    ordered = [judged, *others]
    scores = [score_predictions(item, terms) for item in ordered]
    return Evaluation(
        scores=tuple(score for group in scores for score in group),
        comparisons=tuple(found for other in others for found in _compare_both_ways(judged, other, terms)),
        confusions=tuple(confusion_of(item) for item in ordered),
    )


def _compare_both_ways(a: Predictions, b: Predictions, terms: Terms) -> list[Comparison]:
    found, positive = [compare(a, b, terms)], terms.positive
    labels = [str(label) for label in a.labels]
    if (is_unbalanced(labels) and positive is None) or positive in labels:
        found.append(compare_f1(a, b, terms))
    if b.source == BEFORE and (positive is None or positive in labels):  # adaptation has to help on both
        found += [compare_shares(a, b, metric, terms) for metric in METRICS]
    return found
