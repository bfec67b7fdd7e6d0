"""Do the probabilities match the observed shares? If not, which temperature on the logits brings them closest?"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pretune.evaluate.calibration import MIN_PROBABILITY
from pretune.evaluate.codes import Counts, codes_of
from pretune.intervals import Floats
from pretune.records import Calibration, Predictions

# Root mean square distance of confidence from accuracy above which calibration is poor: five points, so that "0.90" may stand
# for 0.85 to 0.95. A tighter limit cannot be told from chance: of calibrated models on 800 rows, 5 % measure 0.041 to 0.047
# (docs/decisions/0009).
MAX_ERROR = 0.05
# Gain of twice the log likelihood that one free parameter makes by chance in 5 % of all cases (chi-squared, 1 degree).
MIN_GAIN = 3.84
# Mistakes (and right answers) below which a temperature follows a handful of rows.
MIN_ROWS = 20
MAX_BINS, MIN_BIN = 15, 25
TEMPERATURES = (0.05, 20.0)


def calibrate(predictions: Predictions, *, is_wanted: bool = True) -> Calibration:
    """Measure calibration on validation rows, and find the temperature that minimizes the log loss.

    It is to be used only where calibration is poor (above ``MAX_ERROR``) and the log loss falls by more than one free
    parameter makes it fall by chance. No decision for the largest class changes.

    Args:
        predictions: With labels and probabilities.
        is_wanted: Whether a temperature may be used at all.

    Returns:
        The measurement; ``is_scaled`` says whether logits are to be divided by ``temperature``.

    Raises:
        MissingLabelsError, DataError: What ``codes_of`` raises.

    Source:
        Guo et al. (2017), On calibration of modern neural networks.
    """
    labels, _ = codes_of(predictions)
    shares = np.asarray(predictions.probabilities, float)
    logits, is_right = np.log(np.maximum(shares, MIN_PROBABILITY)), shares.argmax(axis=1) == labels
    before = Calibration(
        split=predictions.split,
        error=calibration_error(shares.max(axis=1), is_right),
        limit=MAX_ERROR,
        loss=log_loss(logits, labels),
        num_examples=len(labels),
        why="",
    )
    measured = f"confidence misses accuracy by {before.error:.3f}"
    if before.error <= MAX_ERROR:
        return replace(before, why=f"{measured}, within {MAX_ERROR:g}: probabilities are left as they are")
    if not is_wanted:
        return replace(before, why=f"{measured}, above {MAX_ERROR:g}; calibration is switched off")
    if min(is_right.sum(), (~is_right).sum()) < MIN_ROWS:
        few = f"{int((~is_right).sum())} mistakes in {len(labels)} rows are too few to set a temperature by"
        return replace(before, why=f"{measured}, above {MAX_ERROR:g}, but {few}")
    temperature = fit_temperature(logits, labels)
    scaled = softmax(logits / temperature)
    after = replace(
        before,
        temperature=temperature,
        loss_after=log_loss(logits / temperature, labels),
        error_after=calibration_error(scaled.max(axis=1), is_right),
    )
    if 2 * len(labels) * (before.loss - float(after.loss_after or 0)) < MIN_GAIN:
        return replace(after, why=f"{measured}, above {MAX_ERROR:g}, but no temperature lowers the loss by more than chance")
    better = f"{before.error:.3f} to {after.error_after:.3f}, log loss {before.loss:.3f} to {after.loss_after:.3f}"
    return replace(after, is_scaled=True, why=f"logits divided by {temperature:.3f}: calibration error {better}")


def calibration_error(confidence: Floats, is_right: npt.NDArray[np.bool_]) -> float:
    """Return the root mean square of confidence less accuracy over bins of equally many rows, less what chance adds to it.

    Args:
        confidence: Probability of the class decided for, shape (num_examples,).
        is_right: Whether that was the label, of the same shape.

    Returns:
        A share; 0 where the distances are no larger than sampling makes them.

    Source:
        Kumar, Liang and Ma (2019), Verified uncertainty calibration (the debiased estimator).

    Example:
        >>> calibration_error(np.full(1000, 0.9), np.arange(1000) < 900)
        0.0
    """
    order, num_bins = np.argsort(confidence, kind="stable"), max(1, min(MAX_BINS, len(confidence) // MIN_BIN))
    ranked, even = confidence[order], np.arange(1, num_bins) * len(confidence) // num_bins
    cuts = np.unique(np.searchsorted(ranked, ranked[even], side="left"))  # rows of one confidence stay in one bin
    square = 0.0
    for rows in np.split(order, cuts[cuts > 0]):
        accuracy = float(is_right[rows].mean())
        by_chance = accuracy * (1 - accuracy) / max(1, len(rows) - 1)
        square += len(rows) / len(order) * ((float(confidence[rows].mean()) - accuracy) ** 2 - by_chance)
    return float(max(0.0, square) ** 0.5)


def fit_temperature(logits: Floats, labels: Counts) -> float:
    """Return the temperature that minimizes the log loss of ``logits / temperature``.

    The loss is convex in 1 / temperature, so its slope is halved down to nothing.

    Args:
        logits: Shape (num_examples, num_classes); a constant added to a row changes nothing.
        labels: Positions of the classes, shape (num_examples,).
    """
    own = logits[np.arange(len(labels)), labels]

    def slope(inverse: float) -> float:
        return float(((softmax(logits * inverse) * logits).sum(axis=1) - own).mean())

    low, high = (1 / end for end in reversed(TEMPERATURES))
    if slope(low) >= 0 or slope(high) <= 0:
        return float(1 / low if slope(low) >= 0 else 1 / high)
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return float((low * high) ** -0.5)


def softmax(logits: Floats) -> Floats:
    """Return probabilities, shape (num_examples, num_classes), rows summing to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def log_loss(logits: Floats, labels: Counts) -> float:
    """Return the mean log loss, in nats."""
    own = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, MIN_PROBABILITY)).mean())
