"""The words of the training trace, against losses worked out by hand."""

import math

import pytest

from pretune.records import Validation
from pretune.records.observation import observe


def epochs(*losses: tuple[float, float]) -> list[Validation]:
    """Build one record an epoch from (training loss, validation loss)."""
    return [
        Validation(
            epoch=epoch, step=10 * epoch, training_loss=training, training_accuracy=None, loss=loss, accuracy=0.5,
            metric="accuracy", metric_value=0.5, learning_rate=1e-5, seconds=1.0,
        )
        for epoch, (training, loss) in enumerate(losses, start=1)
    ]  # fmt: skip


CASES = {
    "no epochs": ([], ""),
    "one epoch has nothing to compare with": ([(0.6, 0.5)], "first epoch"),
    "validation fell by a quarter": ([(0.6, 0.4), (0.4, 0.3)], "learning"),
    "validation fell by half a percent": ([(0.5, 0.4), (0.25, 0.398)], "converging"),
    "validation rose by half a percent": ([(0.5, 0.4), (0.25, 0.402)], "converging"),
    "a drop, then the same twice": ([(0.6, 0.5), (0.5, 0.4), (0.49, 0.399), (0.48, 0.3985)], "converging"),
    # 0.40 x 1.02 = 0.408: 0.42 is worse, and training still falls; the best was epoch 2.
    "validation rises while training falls": ([(0.6, 0.5), (0.4, 0.4), (0.2, 0.42)], "overfitting since epoch 3"),
    "still overfitting after a small recovery": ([(0.6, 0.4), (0.4, 0.5), (0.2, 0.45)], "overfitting since epoch 2"),
    "memorized: training cannot fall further": ([(0.02, 0.4), (0.02, 0.44)], "overfitting since epoch 2"),
    "recovered to a new best": ([(0.6, 0.4), (0.4, 0.45), (0.3, 0.35)], "learning"),
    "at chance and staying there": ([(0.694, 0.693), (0.693, 0.693)], "not learning"),
    "a noisy standstill": ([(0.69, 0.69), (0.70, 0.71)], "not learning"),
    # 0.5 % an epoch: below what one epoch can show, but 2.5 % in all and as steady at the end as at the start.
    "slow and steady": ([(0.70 - 0.0035 * i, 0.69 - 0.0035 * i) for i in range(6)], "learning"),
    # 0.30 x 1.05 = 0.315: training rose past it while validation got worse.
    "both losses rise": ([(0.5, 0.4), (0.3, 0.35), (0.33, 0.5)], "diverging"),
    # 0.30 x 1.25 = 0.375: too far for chance, whatever validation says.
    "training rises far, validation stays": ([(0.3, 0.4), (0.4, 0.4)], "diverging"),
    "training rises a little, validation improves": ([(0.3, 0.4), (0.33, 0.3)], "learning"),
    "nothing is left to learn": ([(0.5, 0.4), (0.0001, 0.0002), (0.0003, 0.0005)], "converging"),
    "nothing is left to learn in training": ([(0.5, 0.5), (0.0001, 0.4), (0.0003, 0.6)], "overfitting since epoch 3"),
    "a loss that is not finite": ([(0.3, 0.4), (math.nan, 0.4)], "diverging"),
    "infinite in the first epoch": ([(0.3, math.inf)], "diverging"),
}


@pytest.mark.parametrize(("losses", "words"), CASES.values(), ids=CASES.keys())
def test_words_follow_from_the_numbers(losses, words):
    assert observe(epochs(*losses)) == words


def test_epochs_keep_their_own_numbers_when_training_was_resumed():
    later = epochs((0.6, 0.5), (0.4, 0.4), (0.2, 0.5))[1:]
    assert observe(later) == "overfitting since epoch 3"


def test_a_loss_that_came_back_from_json_as_null_is_diverging():
    [first] = epochs((0.3, math.nan))
    assert observe([Validation.from_json(first.to_json())]) == "diverging"
