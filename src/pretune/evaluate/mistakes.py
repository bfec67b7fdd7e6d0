"""Confident mistakes: where was the model wrong and certain? Often it is the label that is wrong."""

from collections.abc import Sequence

import numpy as np

from pretune.evaluate.metrics import codes_of
from pretune.intervals import Floats
from pretune.records import Example, Mistake, Predictions

MAX_MISTAKES = 10
# Characters of a text that a record keeps; enough to see what it is about.
MAX_TEXT = 1_000


def certainty_of(predictions: Predictions, given: Sequence[float] | None = None) -> Floats:
    """Return the probability of the predicted class in each row, shape (num_examples,); zeros where it is not known.

    Args:
        predictions: Of classes.
        given: The same, where the predictions came with that alone.
    """
    if given is not None:
        return np.asarray(given, float)
    if predictions.probabilities is None:
        return np.zeros(len(predictions.ids))
    column = {label: index for index, label in enumerate(predictions.classes)}
    chosen = [column[label] for label in predictions.predicted]
    shares: Floats = np.asarray(predictions.probabilities, float)[np.arange(len(chosen)), chosen]
    return shares


def find_mistakes(
    predictions: Predictions,
    examples: Sequence[Example] = (),
    *,
    certainty: Sequence[float] | None = None,
    limit: int = MAX_MISTAKES,
) -> tuple[Mistake, ...]:
    """Return the wrong answers that the model was surest of, the surest first.

    Args:
        predictions: With labels; shape (num_examples,).
        examples: The same rows with their texts, found by id.
        certainty: Probability of the predicted class, where ``predictions`` has none of all classes.
        limit: How many.

    Returns:
        None where no probability is known: there is no order then.

    Raises:
        DataError: What ``codes_of`` raises.
    """
    labels, predicted = codes_of(predictions)
    if predictions.probabilities is None and certainty is None:
        return ()
    shares, texts = certainty_of(predictions, certainty), {example.id: example.text for example in examples}
    wrong = np.flatnonzero(labels != predicted)
    surest = wrong[np.argsort(-shares[wrong], kind="stable")][:limit]
    return tuple(
        Mistake(
            id=predictions.ids[row],
            label=str(predictions.labels[row]),
            predicted=predictions.predicted[row],
            probability=float(shares[row]),
            split=predictions.split,
            source=predictions.source,
            text=texts.get(predictions.ids[row], "")[:MAX_TEXT],
        )
        for row in surest.tolist()
    )
