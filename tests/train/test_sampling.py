"""Rows drawn so that the classes come alike: seeded, exact on resume, and not weighed twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Inputs
from pretune.train import Checkpoints
from pretune.train.sampling import draw_rows
from tasks import QUICK, Task

CONFIG = replace(QUICK, sampling="balanced", batch_size=4)
TARGETS = np.array([0] * 83 + [1] * 10 + [2] * 7)


def draw(targets=TARGETS, seed=0):
    return draw_rows(targets, "balanced", generator=np.random.default_rng(seed))


@pytest.fixture
def task(tiny_checkpoint):
    found = Task(tiny_checkpoint("bert"))
    found.targets = np.array([0] * 4 + [1] * 28)
    return found


def test_classes_come_alike_and_rows_of_a_class_equally_often():
    drawn = draw()
    assert sorted(np.bincount(TARGETS[drawn])) == [33, 33, 34]
    times = np.bincount(drawn, minlength=100)
    for label, often in ((0, {0, 1}), (1, {3, 4}), (2, {4, 5})):
        assert set(times[label == TARGETS].tolist()) == often


def test_every_row_of_a_large_class_comes_in_some_epoch():
    seen = set().union(*(draw(seed=[0, epoch]).tolist() for epoch in range(40)))
    assert seen == set(range(100))
    assert set(draw(seed=[0, 1]).tolist()) != set(draw(seed=[0, 2]).tolist())
    assert draw(seed=3).tolist() == draw(seed=3).tolist()


@pytest.mark.parametrize("targets", [[0], [0, 0, 2], [2, 2, 2], [0, 1, 2, 3, 3]])
def test_few_rows_and_classes_without_rows_are_no_trouble(targets):
    drawn = draw(np.array(targets))
    assert len(drawn) == len(targets)
    counts = np.bincount(np.array(targets)[drawn])
    assert max(counts) - min(counts[np.unique(targets)]) <= 1


def test_every_row_once_draws_nothing():
    generator = np.random.default_rng(0)
    assert draw_rows(TARGETS, "all", generator=generator).tolist() == list(range(100))
    assert generator.random() == np.random.default_rng(0).random()


def test_an_epoch_trains_on_the_rows_drawn(task):
    network, encoded = task.open(CONFIG)
    run = task.finetuning(network, Inputs(encoded), CONFIG)
    rows = [row for update in run._updates(1) for row in update.rows]
    assert len(rows) == 32
    labels = task.targets[[task.ids.index(row) for row in rows]]
    assert np.bincount(labels).tolist() == [16, 16]
    assert {rows.count(row) for row in task.ids[:4]} == {4}
    list(run)
    assert len(run.history.steps) == run.num_steps == 8


@pytest.mark.parametrize(("class_weights", "weighed"), [(None, False), (False, False), (True, True)])
def test_classes_are_not_weighed_as_well_unless_that_is_asked_for(class_weights, weighed, task):
    config = replace(CONFIG, class_weights=class_weights)
    network, encoded = task.open(config)
    run = task.finetuning(network, Inputs(encoded), config)
    assert (run.rows._weights is not None) is weighed
    assert task.finetuning(network, Inputs(encoded), replace(QUICK, class_weights=None)).rows._weights is not None


def test_going_on_draws_the_same_rows(task, tmp_path):
    def finish(folder, kill_at=None):
        network, encoded = task.open(CONFIG)
        keeper = None if folder is None else Checkpoints(folder, {"data": "1"})

        def on_step(step, _):
            if keeper is not None and step.index == kill_at:
                keeper._due = 0.0
            if kill_at is not None and step.index > kill_at:
                raise InterruptedError

        run = task.finetuning(network, Inputs(encoded), CONFIG, epochs=2, on_step=on_step, checkpoints=keeper)
        list(run)
        return network.state_dict(), run.history.steps

    whole = finish(None)
    with pytest.raises(InterruptedError):
        finish(tmp_path / "checkpoints", kill_at=10)
    again = finish(tmp_path / "checkpoints")
    assert again[1] == whole[1]
    assert all(torch.equal(value, again[0][name]) for name, value in whole[0].items())


def test_another_word_is_refused():
    with pytest.raises(UsageError, match="sampling is 'weighted'"):
        FinetuneConfig(sampling="weighted")
