"""Did adaptation help? Precision and recall of two sources on the same rows, each with a paired test."""

from pretune.errors import DataError
from pretune.evaluate.codes import MACRO
from pretune.evaluate.paired import compare_named, pair
from pretune.records import USUAL, Comparison, Predictions, Terms

# The source of the same fine-tuning from the checkpoint as it was before adaptation.
BEFORE = "before"
METRICS = ("precision", "recall")


def compare_shares(a: Predictions, b: Predictions, metric: str, terms: Terms = USUAL, *, seed: int = 0) -> Comparison:
    """Compare precision or recall (of the positive class, or averaged over the classes) of two sources, row by row.

    Args:
        a: The source whose gain is asked for.
        b: The source it is compared with; the same rows, in any order.
        metric: ``precision`` or ``recall``.
        terms: By which interval and test are computed.
        seed: Seed of the draws.

    Raises:
        DataError: The two do not cover the same rows with the same labels, or no row is of the positive class.
    """
    positive = terms.positive
    if positive is not None and positive not in a.labels:
        raise DataError(f"no row is {positive}", expected="rows of the positive class", fix="compare on accuracy")
    name = f"{metric}[{positive if positive is not None else MACRO}]"
    return compare_named(pair(a, b, terms, seed=seed), [name])[0]
