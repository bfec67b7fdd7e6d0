"""Which weight gets which rate and which decay."""

import pytest
import torch
from networks import open_network

from pretune.configs import FinetuneConfig
from pretune.train.optimizer import HEAD_ONLY_RATE, LAST_LAYERS_RATE, LAYER_RATE, make_optimizer
from tiny import FAMILIES


@pytest.fixture(scope="module")
def network(tiny_checkpoint):
    return open_network(tiny_checkpoint("bert"))[0]


def group_of(optimizer, weight):
    return next(group for group in optimizer.dense.param_groups if any(weight is other for other in group["params"]))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_trained_weight_is_in_one_group_and_vectors_do_not_decay(family, tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint(family))
    network.freeze("last-1")
    optimizer = make_optimizer(network, FinetuneConfig(weight_decay=0.1), freeze="last-1")
    held = optimizer.weights
    assert sorted(map(id, held)) == sorted(id(weight) for weight in network.parameters() if weight.requires_grad)
    for group in optimizer.dense.param_groups:
        assert {weight.ndim > 1 for weight in group["params"]} == {group["weight_decay"] == 0.1}
        assert group["weight_decay"] in (0.0, 0.1)


@pytest.mark.parametrize(
    ("freeze", "config", "trunk", "head"),
    [
        ("none", FinetuneConfig(), LAYER_RATE, LAYER_RATE),
        ("last-1", FinetuneConfig(), LAST_LAYERS_RATE, LAST_LAYERS_RATE),
        ("all", FinetuneConfig(), None, HEAD_ONLY_RATE),
        ("all", FinetuneConfig(learning_rate=1e-5), None, 1e-5),
        ("none", FinetuneConfig(learning_rate=1e-5), 1e-5, 1e-5),
        ("none", FinetuneConfig(head_learning_rate=1e-2), LAYER_RATE, 1e-2),
        ("all", FinetuneConfig(learning_rate=1e-5, head_learning_rate=1e-2), None, 1e-2),
    ],
)
def test_trunk_and_head_have_their_rates(freeze, config, trunk, head, network):
    network.freeze(freeze)
    optimizer = make_optimizer(network, config, freeze=freeze)
    layer, pooler = network.layers[-1].output.dense, network.model.bert.pooler.dense
    assert group_of(optimizer, pooler.weight)["peak_rate"] == group_of(optimizer, pooler.bias)["lr"] == head
    if trunk is not None:
        assert group_of(optimizer, layer.weight)["peak_rate"] == group_of(optimizer, layer.bias)["lr"] == trunk


def test_a_factor_scales_every_peak_and_never_adds_up(network):
    network.freeze("none")
    optimizer = make_optimizer(network, FinetuneConfig(learning_rate=1e-3, head_learning_rate=1e-2), freeze="none")
    assert [optimizer.step(factor) for factor in (0.5, 0.5, 1.0)] == pytest.approx([5e-4, 5e-4, 1e-3])
    optimizer.step(0.1)
    assert [group["lr"] for group in optimizer.dense.param_groups] == pytest.approx([1e-4, 1e-4, 1e-3, 1e-3])


def test_decay_pulls_on_matrices_alone(network):
    network.freeze("none")
    optimizer = make_optimizer(network, FinetuneConfig(learning_rate=0.1, weight_decay=0.5), freeze="none")
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    for weight in network.sparse_parameters():
        weight.grad = weight.grad.to_sparse(1)
    optimizer.step(1.0)
    optimizer.settle()
    with torch.no_grad():  # w - rate * decay * w, where nothing else moves it
        for name, weight in network.named_parameters():
            torch.testing.assert_close(weight, before[name] * (0.95 if weight.ndim > 1 else 1.0))
            weight.copy_(before[name])
