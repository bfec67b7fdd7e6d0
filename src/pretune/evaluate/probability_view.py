"""What there is to draw of a model's probabilities: the curve over every threshold, and how far they can be believed."""

from pretune.errors import UsageError
from pretune.evaluate.calibration import reliability_bins
from pretune.evaluate.codes import rows_of
from pretune.evaluate.ladder import count
from pretune.evaluate.threshold import ladder_of
from pretune.evaluate.tradeoff import curve_of
from pretune.records import Predictions, ProbabilityView


def view_probabilities(predictions: Predictions, positive: str | None = None) -> ProbabilityView | None:
    """Count what the report draws; ``None`` for predictions without probabilities or without rows.

    Args:
        predictions: On rows that are not sealed, with labels; shape (num_examples,).
        positive: Whose curve is asked for. Without it, two classes have that of the second, and more have none.

    Raises:
        UsageError: These are test rows: what may be moved by hand is never the test.
        DataError: What ``rows_of`` raises.
    """
    if predictions.split == "test":
        raise UsageError("a curve over the test rows", expected="validation rows", fix="draw it from those")
    if predictions.probabilities is None or not predictions.ids:
        return None
    two = predictions.classes[1] if len(predictions.classes) == 2 else None
    label = positive if positive in predictions.classes else two
    ladder = None if label is None else ladder_of(predictions, label)
    return ProbabilityView(
        source=predictions.source,
        split=predictions.split,
        label=label,
        claimed=two,
        num_examples=len(predictions.ids),
        num_positives=sum(name == label for name in predictions.labels),
        curve=() if ladder is None else curve_of(ladder, count(ladder.cells[None])),
        bins=reliability_bins(rows_of(predictions)),
    )
