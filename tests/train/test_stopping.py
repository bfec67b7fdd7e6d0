"""Which epoch was best and when to stop, with validations written by hand."""

import math

import pytest

from pretune.errors import MetricError
from pretune.records import Validation
from pretune.train import best_epoch, should_stop


def epochs(values, losses=None, metric="accuracy"):
    losses = losses or [0.5] * len(values)
    return [
        Validation(
            epoch=number, step=number * 10, training_loss=0.5, training_accuracy=0.5, loss=loss, accuracy=0.5, metric=metric,
            metric_value=value, learning_rate=1e-4, seconds=1.0,
        )
        for number, (value, loss) in enumerate(zip(values, losses, strict=True), start=1)
    ]  # fmt: skip


BEST = [
    # values, losses, metric, smallest change, best epoch
    ([], None, "accuracy", 0.0, None),
    ([0.5], None, "accuracy", 0.0, 1),
    ([0.5, 0.7, 0.6], None, "accuracy", 0.0, 2),
    ([0.5, 0.4, 0.45], None, "loss", 0.0, 2),  # less is better
    ([0.7, 0.7, 0.7], [0.5, 0.4, 0.6], "accuracy", 0.0, 2),  # a tie goes to the lower loss
    ([0.7, 0.7], [0.5, 0.5], "accuracy", 0.0, 1),  # then to the earlier
    ([0.70, 0.705, 0.72], None, "accuracy", 0.01, 3),  # half a point does not count, two do
    ([0.70, 0.708, 0.709], None, "macro_f1", 0.01, 1),
    ([0.50, 0.495, 0.48], None, "loss", 0.01, 3),
]


@pytest.mark.parametrize(("values", "losses", "metric", "min_change", "expected"), BEST)
def test_the_best_epoch_is_the_one_worked_out_by_hand(values, losses, metric, min_change, expected):
    assert best_epoch(epochs(values, losses, metric), min_change=min_change) == expected


STOPS = [
    # values, patience, epochs after which to stop (None: goes on)
    ([0.5, 0.6, 0.7, 0.8], 3, None),
    ([0.8, 0.7, 0.7, 0.7], 3, 4),
    ([0.8, 0.7, 0.7, 0.9, 0.8, 0.8, 0.8], 3, 7),
    ([0.8, 0.7], 1, 2),
    ([0.8], 1, None),
]


@pytest.mark.parametrize(("values", "patience", "expected"), STOPS)
def test_training_stops_after_as_many_epochs_without_a_better_one(values, patience, expected):
    history = epochs(values)
    stops = [end for end in range(len(history) + 1) if should_stop(history[:end], patience=patience)]
    assert (stops[0] if stops else None) == expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_a_metric_that_is_no_number_is_an_error_wherever_it_stands(value, metric):
    for values in ([value], [value, 0.5], [0.5, value]):
        with pytest.raises(MetricError, match=f"{metric} on validation is {value} after epoch"):
            best_epoch(epochs(values, metric=metric))
        with pytest.raises(MetricError):
            should_stop(epochs(values, metric=metric), patience=3)


def test_a_metric_that_is_missing_is_an_error_that_names_it():
    """JSON has null where a figure was no number, or where an older record did not have it."""
    with pytest.raises(MetricError, match=r"mcc on validation is missing after epoch 2 \(step 20\)") as caught:
        best_epoch(epochs([0.5, None], metric="mcc"))
    assert (caught.value.exit_code, caught.value.code, caught.value.metric) == (5, "metric", "mcc")
    assert "--monitor" in caught.value.fix
