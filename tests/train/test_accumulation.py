"""Gradient accumulation: one update in several batches is the update of the large batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Inputs
from pretune.tokens import split_batch
from tasks import QUICK, Task


@pytest.fixture
def task(tiny_checkpoint):
    """64 texts of unequal lengths; 8 of the first class, which are weighed unasked."""
    found = Task(tiny_checkpoint("bert"), num_rows=64)
    found.texts = [" ".join([text] * (1 + number % 5)) for number, text in enumerate(found.texts)]
    found.targets = np.array([0] * 8 + [1] * 56)
    return found


def train(task, batch_size, accumulate, *, freeze="none"):
    """Return what the updates saw (parts, rows), the steps, and the weights after two epochs."""
    config = replace(QUICK, learning_rate=1e-3, batch_size=batch_size, accumulate=accumulate, label_smoothing=0.1)
    network, encoded = task.open(config, freeze=freeze)
    run = task.finetuning(network, Inputs(encoded), config, epochs=2, freeze=freeze)
    seen = [(len(update.parts), update.rows) for update in run._updates(1)]
    list(run)
    return seen, run, {name: weight.detach() for name, weight in network.named_parameters()}


@pytest.mark.parametrize("freeze", ["none", "last-1"])
@pytest.mark.parametrize(("batch_size", "accumulate"), [(16, 2), (8, 4), (1, 32)])
def test_many_small_batches_equal_one_large(batch_size, accumulate, freeze, task):
    """Unequal lengths, class weights and label smoothing: none of them may weigh a row by the part it is computed in."""
    whole, parts = train(task, 32, 1, freeze=freeze), train(task, batch_size, accumulate, freeze=freeze)
    assert [rows for _, rows in whole[0]] == [rows for _, rows in parts[0]]
    assert {count for count, _ in whole[0]} == {1}
    assert all(count == accumulate for count, _ in parts[0])
    losses = [[step.loss for step in run.history.steps] for _, run, _ in (whole, parts)]
    assert len(losses[0]) == whole[1].num_steps == parts[1].num_steps == 4
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for name, weight in whole[2].items():
        if "key.bias" not in name:  # its gradient is rounding, which Adam would blow up
            torch.testing.assert_close(parts[2][name], weight, atol=5e-5, rtol=1e-4)


def test_averaging_each_part_would_be_seen(task):
    """The comparison above would notice the usual mistake: here the mean of the parts' means is another number."""
    _, run, _ = train(task, 8, 4)
    gaps = []
    with torch.no_grad():
        for update in run._updates(2):
            means = [float(run.loss(batch, targets) / run.rows._weights[targets].sum()) for batch, targets in update.parts]
            whole = sum(float(run.loss(batch, targets)) for batch, targets in update.parts) / update.weight
            gaps.append(abs(sum(means) / len(means) - whole) / whole)
    assert max(gaps) > 1e-3


def test_a_part_has_at_most_the_rows_and_tokens_allowed():
    lengths = np.array([10, 60, 30, 30, 10, 10, 10, 10])
    parts = split_batch(np.arange(8), lengths, max_tokens=60, max_rows=3)
    assert [part.tolist() for part in parts] == [[1], [2, 3], [0, 4, 5], [6, 7]]


def test_parts_are_even_and_no_more_than_need_be():
    parts = split_batch(np.arange(32), np.full(32, 72), max_tokens=2_048)
    assert [len(part) for part in parts] == [16, 16]
    parts = split_batch(np.arange(10), np.array([40] * 5 + [20] * 5), max_tokens=160)
    assert [len(part) for part in parts] == [4, 3, 3]


@pytest.mark.parametrize("accumulate", [0, -2])
def test_less_than_one_batch_an_update_is_refused(accumulate):
    with pytest.raises(UsageError, match=f"accumulate is {accumulate}"):
        FinetuneConfig(accumulate=accumulate)
