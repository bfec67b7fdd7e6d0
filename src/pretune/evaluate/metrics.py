"""How good are the predictions? Every figure with its interval, or with the reason why there is none."""

from functools import partial

from pretune.errors import DataError, UsageError
from pretune.evaluate.areas import area_scores
from pretune.evaluate.averages import average_scores
from pretune.evaluate.calibration import brier_score, calibration_score, loss_score
from pretune.evaluate.codes import MACRO, Counts, codes_of, confusion_of, rows_of
from pretune.evaluate.shares import accuracy_score, class_scores
from pretune.records import USUAL, Predictions, Score, Terms

__all__ = ["MACRO", "Counts", "codes_of", "confusion_of", "score_predictions"]


def score_predictions(predictions: Predictions, terms: Terms = USUAL) -> tuple[Score, ...]:
    """Compute every figure of one source, each with its interval.

    The headline figures come first: loss, accuracy, then precision, recall and F1 of the positive class, then the averages
    (label ``macro``), balanced accuracy, Matthews correlation (``mcc``), the areas, Brier score and calibration error, and
    precision, recall and F1 of the other classes. A class without rows has no recall and no F1, a class that was never
    predicted no precision: the value is ``None``, and ``method`` says why. The averages are over the classes that have
    rows, and there a class never predicted counts as precision 0, as in scikit-learn.

    Args:
        predictions: With labels; shape (num_examples,).
        terms: By which intervals are computed.

    Raises:
        UsageError: The positive class is not a class.
        DataError: There are no rows, or what ``rows_of`` raises.
    """
    positive = terms.positive
    if positive is not None and positive not in predictions.classes:
        raise UsageError(f"no class {positive!r}", expected="one of " + ", ".join(predictions.classes), fix="see --positive")
    if not predictions.ids:
        raise DataError(f"no rows in {predictions.split!r}", expected="at least one labelled row", fix="pass labelled rows")
    rows = rows_of(predictions, terms)
    make = partial(Score, split=predictions.split, source=predictions.source, confidence=terms.confidence, look=terms.look)
    by_label = {label: class_scores(make, rows, index) for index, label in enumerate(predictions.classes)}
    headline = by_label.pop(positive) if positive is not None else []
    return (
        loss_score(make, rows),
        accuracy_score(make, rows),
        *headline,
        *average_scores(make, rows),
        *area_scores(make, rows, positive),
        brier_score(make, rows),
        calibration_score(make, rows),
        *(score for scores in by_label.values() for score in scores),
    )
