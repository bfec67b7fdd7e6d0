"""One update, against the same written out in plain torch; and no update where the loss is no number."""

import math

import pytest
import torch
from networks import from_config, open_network, padded
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from pretune.configs import FinetuneConfig
from pretune.errors import DivergedError
from pretune.models import Batch
from pretune.train import Update, train_steps
from pretune.train.optimizer import make_optimizer

ROWS = ("row 1", "row 2", "row 3", "row 4")
TARGETS = torch.tensor([1, 0, 1, 2])


@pytest.fixture
def bert(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), dropout=0.0)
    return network, padded(tokenizer)


def update(batch, targets, rows):
    return Update(parts=((batch, targets),), rows=rows, weight=len(rows))


def loss_with(network):
    return lambda batch, targets: cross_entropy(network(batch), targets, reduction="sum")


def train(network, batches, *, config=None, schedule=lambda _: 1.0, loss_of=None, **options):
    """Train on (batch, targets, rows) with the network's own cross-entropy."""
    optimizer = make_optimizer(network, config or FinetuneConfig(learning_rate=1e-3), freeze="none")
    updates = [update(*item) for item in batches]
    return list(train_steps(network, updates, optimizer, schedule, loss_of or loss_with(network), **options))


def weights_of(network):
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("max_norm", [0.0, 0.1, 1e6])
def test_three_updates_on_four_rows_equal_those_of_a_plain_loop(max_norm, bert):
    network, batch = bert
    plain = from_config(network.model.config).model
    plain.load_state_dict(network.model.state_dict())
    for module in plain.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    factors = [0.5, 1.0, 0.25]
    steps = train(
        network, [(batch, TARGETS, ROWS)] * 3, config=FinetuneConfig(learning_rate=1e-3, weight_decay=0.1),
        schedule=lambda index: factors[index], max_gradient_norm=max_norm,
    )  # fmt: skip

    matrices, vectors = [[w for w in plain.parameters() if (w.ndim > 1) is wanted] for wanted in (True, False)]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}])
    plain.train()
    for step, factor in zip(steps, factors, strict=True):
        optimizer.zero_grad()
        loss = plain(input_ids=batch.ids, attention_mask=batch.mask, labels=TARGETS).loss
        loss.backward()
        norm = clip_grad_norm_(plain.parameters(), max_norm or math.inf)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * factor
        optimizer.step()
        assert step.loss == pytest.approx(loss.item(), rel=1e-5)
        assert step.gradient_norm == pytest.approx(float(norm), rel=1e-4)
        assert step.learning_rate == pytest.approx(1e-3 * factor)
    expected = dict(plain.named_parameters())
    for name, weight in network.model.named_parameters():
        if "key.bias" in name:  # attention does not depend on it: its gradient is rounding, which Adam would blow up
            continue
        torch.testing.assert_close(weight, expected[name], atol=5e-5, rtol=1e-4)  # an update moves a weight by up to 1e-3


def test_clipping_keeps_the_direction_and_shortens_the_gradient(bert):
    """The norm that is told is the one before clipping."""
    network, batch = bert
    lengths = []
    optimizer = make_optimizer(network, FinetuneConfig(), freeze="none")
    optimizer.dense.register_step_pre_hook(
        lambda *_: lengths.append(
            math.sqrt(sum(float(w.grad.to_dense().square().sum()) for w in network.parameters() if w.grad is not None))
        )
    )
    loss_of = lambda batch, targets: 100 * cross_entropy(network(batch), targets)  # noqa: E731 - one use
    (step,) = train_steps(network, [update(batch, TARGETS, ROWS)], optimizer, lambda _: 1.0, loss_of, max_gradient_norm=0.5)
    assert step.gradient_norm > 10
    assert lengths == pytest.approx([0.5], rel=1e-4)


def test_steps_are_numbered_on_from_the_first(bert):
    network, batch = bert
    steps = train(network, [(batch, TARGETS, ROWS)] * 2, first_step=7)
    assert [step.index for step in steps] == [7, 8]
    assert [step.num_targets for step in steps] == [4, 4]


def test_one_row_is_a_batch(bert):
    network, batch = bert
    one = Batch(ids=batch.ids[:1], mask=batch.mask[:1])
    (step,) = train(network, [(one, TARGETS[:1], ROWS[:1])])
    assert step.num_targets == 1


def test_training_mode_is_on_and_gradients_are_gone_between_updates(bert):
    network, batch = bert
    network.eval()
    optimizer = make_optimizer(network, FinetuneConfig(), freeze="none")
    for _ in train_steps(network, [update(batch, TARGETS, ROWS)], optimizer, lambda _: 1.0, loss_with(network)):
        assert network.training
        assert all(weight.grad is None for weight in network.parameters())


def spoil(kind, network, bad_step):
    """Return a loss that is no number, or whose gradient is none, from ``bad_step`` on."""
    calls = []

    def loss_of(batch, targets):
        calls.append(1)
        loss = cross_entropy(network(batch), targets, reduction="sum")
        if len(calls) <= bad_step:
            return loss
        weight = network.model.classifier.bias
        return {
            "nan loss": loss * math.nan,
            "infinite loss": loss + math.inf,
            "nan gradient": loss + (weight - weight.detach()).sqrt().sum() * 0.0,  # 0 with a gradient of 0 / 0
        }[kind]

    return loss_of


@pytest.mark.parametrize("kind", ["nan loss", "infinite loss", "nan gradient"])
def test_a_loss_that_is_no_number_stops_before_the_update_and_names_step_and_rows(kind, bert):
    network, batch = bert
    good = train(network, [(batch, TARGETS, ROWS)] * 2)  # an optimizer of its own: below, only what is tested
    assert len(good) == 2
    before = weights_of(network)
    with pytest.raises(DivergedError, match="row 1, row 2, row 3, row 4") as caught:
        train(network, [(batch, TARGETS, ROWS)], loss_of=spoil(kind, network, bad_step=0), first_step=2)
    assert caught.value.step == 2
    assert caught.value.rows == ROWS
    assert caught.value.exit_code == 5
    assert same(before, weights_of(network))
    assert all(weight.grad is None for weight in network.parameters())


def test_the_updates_before_the_bad_one_are_kept(bert):
    network, batch = bert
    start = weights_of(network)
    with pytest.raises(DivergedError) as caught:
        train(network, [(batch, TARGETS, ROWS)] * 3, loss_of=spoil("nan loss", network, bad_step=2))
    assert caught.value.step == 2
    after = weights_of(network)
    assert not same(start, after)
    assert all(torch.isfinite(weight).all() for weight in after.values())


def test_many_rows_are_named_by_the_first_and_a_count(bert):
    network, batch = bert
    rows = tuple(f"row {number}" for number in range(20))
    with pytest.raises(DivergedError, match="row 7 and 12 more"):
        train(network, [(batch, TARGETS, rows)], loss_of=spoil("nan loss", network, bad_step=0))
