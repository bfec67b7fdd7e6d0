"""The range test: what it chooses, that it puts everything back, and that it says when no rate helps."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretune.errors import DivergedError, UsageError
from pretune.models import Inputs, prepare_inputs
from pretune.records import RangePoint
from pretune.train import TrainingSet, range_test
from pretune.train.rates import HIGHEST_RATE, LOWEST_RATE, NUM_STEPS, NUM_STILL, choose_rate
from tasks import CPU, QUICK, Plan, Task

CONFIG = replace(QUICK, learning_rate="auto", dropout=0.1, batch_size=8)


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


def try_rates(task, freeze="none", *, targets=None, config=CONFIG, seed=0, on_step=None):
    network, encoded = task.open(config, freeze=freeze)
    inputs = prepare_inputs(network, encoded, network.boundary) if network.boundary else Inputs(encoded)
    training = TrainingSet(
        inputs=inputs, targets=task.targets if targets is None else targets, ids=task.ids, num_classes=2
    )  # fmt: skip
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    found = range_test(network, training, config, Plan(epochs=1, freeze=freeze, device=CPU, seed=seed), on_step=on_step)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert all(weight.grad is None for weight in network.parameters())
    return found


@pytest.mark.parametrize("freeze", ["none", "last-1"])
def test_rates_rise_and_everything_is_put_back(freeze, task):
    found = try_rates(task, freeze)
    rates = [point.learning_rate for point in found.points]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(LOWEST_RATE)
    assert rates[-1] <= HIGHEST_RATE * (1 + 1e-9)
    assert 10**-5.5 < found.learning_rate < 10**-2
    assert found.learning_rate == pytest.approx(0.1 * found.lowest_at, rel=0.05)


def test_the_same_seed_gives_the_same_test_and_another_seed_another(task):
    first, again, other = try_rates(task), try_rates(task), try_rates(task, seed=1)
    assert first == again
    assert first.points != other.points


def test_the_chosen_rate_learns(tiny_checkpoint):
    task = Task(tiny_checkpoint("bert"), num_rows=128)
    rate = try_rates(task).learning_rate
    network, encoded = task.open(QUICK)
    run = task.finetuning(network, Inputs(encoded), replace(QUICK, learning_rate=rate, batch_size=8), epochs=10)
    assert min(item.loss for item in run) < 0.4, "it began at about log 2"


def test_labels_that_texts_say_nothing_about_fail_clearly(task):
    """One text, so one answer; half of its labels are each class: no rate can do better than the start."""
    task.texts = ["The film."] * len(task.texts)
    network, encoded = task.open(CONFIG)
    with torch.no_grad():
        for weight in network.head_parameters():
            weight.zero_()  # at log 2, the best that can be had
    training = TrainingSet(inputs=Inputs(encoded), targets=np.arange(32) % 2, ids=task.ids, num_classes=2)
    config = replace(CONFIG, batch_size=32)  # every batch has both classes equally
    with pytest.raises(UsageError, match=r"no rate from 1e-06 to 0\.1 lowers the loss"):
        range_test(network, training, config, Plan(epochs=1, freeze="none", device=CPU, seed=0))


def test_a_model_whose_first_loss_is_no_number_is_named_as_such(task):
    network, encoded = task.open(CONFIG)
    next(iter(network.head_parameters())).data.fill_(float("nan"))
    training = TrainingSet(inputs=Inputs(encoded), targets=task.targets, ids=task.ids, num_classes=2)
    with pytest.raises(DivergedError):
        range_test(network, training, CONFIG, Plan(epochs=1, freeze="none", device=CPU, seed=0))


def test_steps_are_told(task):
    told = []
    found = try_rates(task, on_step=lambda step, planned: told.append((step.index, planned)))
    assert told == [(index, NUM_STEPS) for index in range(len(found.points))]


def points(*losses):
    rates = np.geomspace(LOWEST_RATE, HIGHEST_RATE, NUM_STEPS)
    return [RangePoint(learning_rate=float(rate), loss=loss, smoothed=loss) for rate, loss in zip(rates, losses, strict=False)]


def test_the_rule_by_hand():
    """Still for 40 steps, lowest at step 60 of 100 from 1e-6 to 1e-1: 1e-6 × 10 ** (60 × 5 / 99) = 1.07e-3; a tenth of it."""
    losses = [0.7] * 40 + [0.7 - 0.02 * (index + 1) for index in range(21)] + [0.9] * 39
    found = choose_rate(points(*losses))
    assert found.lowest_at == pytest.approx(1.07e-3, rel=0.01)
    assert found.learning_rate == 1.1e-4


@pytest.mark.parametrize("losses", [[0.7] * 100, [0.7] * NUM_STILL + [0.695] * 80, [0.7] * NUM_STILL + [9.9], [0.7] * 5])
def test_no_fall_is_no_rate(losses):
    with pytest.raises(UsageError, match="--lr RATE"):
        choose_rate(points(*losses))
