"""The moving average of the weights: against one written out by hand, evaluated, kept, and resumed to the bit."""

from dataclasses import replace

import pytest
import torch

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Inputs
from pretune.train import Checkpoints
from pretune.train.average import Average
from tasks import QUICK, Task

CONFIG = replace(QUICK, batch_size=8, ema=0.6, learning_rate=3e-3)  # 4 steps an epoch
WORDS = "model.bert.embeddings.word_embeddings.weight"


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


def weights_of(network):
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def by_hand(start, path, decay):
    """Return the average over the weights after each step, in double precision."""
    average = {name: value.double() for name, value in start.items()}
    for count, weights in enumerate(path, start=1):
        kept = min(decay, (1 + count) / (10 + count))
        average = {name: kept * value + (1 - kept) * weights[name].double() for name, value in average.items()}
    return {name: value.float() for name, value in average.items()}


def train(task, config, *, freeze="none", epochs=1, **options):
    """Return the run, the weights at the start, and the live weights after each step."""
    network, encoded = task.open(config)
    start, path = weights_of(network), []
    options.setdefault("on_step", lambda *_: path.append(weights_of(network)))
    run = task.finetuning(network, Inputs(encoded), config, freeze=freeze, epochs=epochs, **options)
    list(run)
    return run, start, path


@pytest.mark.parametrize("decay", [0.2, 0.6, 0.999])
def test_what_is_kept_is_the_average_over_the_steps_of_every_weight(decay, task):
    """Rows of the embedding table that a step does not read decay and coast all the same, and so does their average."""
    run, start, path = train(task, replace(CONFIG, ema=decay))
    expected, kept = by_hand(start, path, decay), weights_of(run.network)
    for name, value in kept.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-7)
    assert not torch.allclose(kept[WORDS], path[-1][WORDS], atol=1e-5)


def test_the_weights_that_learn_go_the_same_way_as_without(task):
    """Validation puts the average in and takes it out again; the table's dense updates equal the sparse ones."""
    averaged, _, path = train(task, CONFIG, epochs=2)
    plain, _, reference = train(task, replace(CONFIG, ema=None), epochs=2)
    first, second = ([step.loss for step in run.history.steps] for run in (averaged, plain))
    assert first == pytest.approx(second, rel=1e-3)
    read = path[-1][WORDS] - reference[-1][WORDS]
    assert float(read.abs().median()) < 1e-4


def test_validation_reads_the_average(task):
    seen = []

    def validate():
        seen.append(weights_of(network))
        return task.figures(network, inputs)

    network, encoded = task.open(CONFIG)
    start, path, inputs = weights_of(network), [], Inputs(encoded)
    run = task.finetuning(
        network, inputs, CONFIG, epochs=2, validate=validate, on_step=lambda *_: path.append(weights_of(network))
    )
    validations = list(run)
    for number, count in enumerate((4, 8)):
        torch.testing.assert_close(seen[number][WORDS], by_hand(start, path[:count], 0.6)[WORDS], rtol=1e-5, atol=1e-7)
    best = run.history.best_epoch - 1
    assert torch.equal(seen[best][WORDS], weights_of(network)[WORDS])
    assert task.figures(network, inputs).loss == pytest.approx(validations[best].loss, rel=1e-6)


def test_a_stage_begins_its_average_where_it_begins(task):
    run, start, path = train(task, CONFIG, freeze="all:1,none:1", epochs=None)
    head = by_hand(start, path[:4], 0.6)
    if run.history.best_epoch == 2:
        torch.testing.assert_close(weights_of(run.network)[WORDS], by_hand(head, path[4:], 0.6)[WORDS], rtol=1e-5, atol=1e-7)
    else:
        torch.testing.assert_close(weights_of(run.network)[WORDS], head[WORDS])
    assert run._average.count == 4


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_run_that_was_cut_off_keeps_the_same_average_to_the_bit(at, task, tmp_path):
    config = replace(CONFIG, dropout=0.2)
    whole, *_ = train(task, config, epochs=2)
    keeper = Checkpoints(tmp_path / "checkpoints", {"data": "1"})

    def on_step(step, _):
        if step.index == at:
            keeper._due = 0.0
        if step.index > at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(task, config, epochs=2, on_step=on_step, checkpoints=keeper)
    again, *_ = train(task, config, epochs=2, checkpoints=Checkpoints(tmp_path / "checkpoints", {"data": "1"}))
    assert again.history.steps == whole.history.steps
    first, second = weights_of(whole.network), weights_of(again.network)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_averages_are_fp32_whatever_the_weights_are():
    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    average = Average([weight], 0.999)
    with torch.no_grad():
        weight.mul_(2)
    average.update()
    assert average.values[0].dtype == torch.float32
    assert average.values[0].tolist() == pytest.approx([1 + 9 / 11] * 3)  # the first step keeps 2 / 11
    with average.in_place():
        assert weight[0].item() == pytest.approx(1 + 9 / 11, rel=0.01)
    assert weight.tolist() == [2.0, 2.0, 2.0]


def test_the_live_weights_come_back_after_an_error():
    weight = torch.nn.Parameter(torch.zeros(2))
    average = Average([weight], 0.5)
    with torch.no_grad():
        weight.add_(0.1)
    bits = weight.detach().clone()
    with pytest.raises(KeyError), average.in_place():
        raise KeyError
    assert torch.equal(weight, bits)


@pytest.mark.parametrize("ema", [0.0, 1.0, 1.5, -0.1])
def test_a_share_outside_of_its_range_is_refused(ema):
    with pytest.raises(UsageError, match="ema is"):
        FinetuneConfig(ema=ema)
