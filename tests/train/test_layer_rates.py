"""Discriminative learning rates: each layer a factor slower than the one above it, the embeddings last."""

from dataclasses import replace

import pytest
import torch
from networks import open_network, save_mpnet

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Inputs
from pretune.train.optimizer import make_optimizer
from tasks import QUICK, Task
from tiny import FAMILIES

CONFIG = FinetuneConfig(learning_rate=1e-3, head_learning_rate=1e-2, layer_decay=0.5, weight_decay=0.1)


def rates_of(optimizer):
    dense = {id(weight): group["peak_rate"] for group in optimizer.dense.param_groups for weight in group["params"]}
    return dense | {id(rows.table): rate for rows, rate in optimizer.tables}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_layer_learns_at_half_the_rate_of_the_one_above_and_the_embeddings_at_half_of_that(family, tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint(family))
    network.freeze("none")
    rates = rates_of(make_optimizer(network, CONFIG, freeze="none"))
    assert rates.keys() == {id(weight) for weight in network.parameters()}
    for layer, expected in zip(network.layers, (2.5e-4, 5e-4, 1e-3), strict=True):
        assert {rates[id(weight)] for weight in layer.parameters()} == {expected}
    assert {rates[id(weight)] for weight in network.head_parameters()} == {1e-2}
    assert {rates[id(weight)] for weight in network.trunk.embeddings.parameters()} == {1.25e-4}
    assert rates[id(network.trunk.get_input_embeddings().weight)] == 1.25e-4  # the sparse table too
    if hasattr(network.trunk, "final_norm"):
        assert {rates[id(weight)] for weight in network.trunk.final_norm.parameters()} == {1e-3}


def test_an_own_head_leaves_the_embeddings_the_slowest(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("bert"), head="mlp")
    lowest = {id(weight) for weight in network.weights_by_depth()[0]}
    names = [name for name, weight in network.named_parameters() if id(weight) in lowest]
    assert names
    assert all("embeddings" in name or ".pooler." in name for name in names)  # which no text reads under this head


def test_frozen_layers_change_no_rate_of_the_others(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("bert"))
    network.freeze("last-2")
    rates = rates_of(make_optimizer(network, CONFIG, freeze="last-2"))
    assert {rates[id(weight)] for weight in network.layers[1].parameters()} == {5e-4}
    assert {rates[id(weight)] for weight in network.layers[2].parameters()} == {1e-3}
    assert not any(id(weight) in rates for weight in network.layers[0].parameters())


def test_the_rate_that_is_told_is_the_last_layers(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("bert"))
    network.freeze("none")
    assert make_optimizer(network, CONFIG, freeze="none").step(0.5) == pytest.approx(5e-4)


def test_without_decay_the_groups_are_those_of_before(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("bert"))
    network.freeze("none")
    groups = make_optimizer(network, replace(CONFIG, layer_decay=1.0), freeze="none").dense.param_groups
    assert [group["peak_rate"] for group in groups] == [1e-3, 1e-3, 1e-2, 1e-2]


def test_the_first_update_moves_each_depth_by_its_own_rate(tiny_checkpoint):
    """AdamW's first update moves a weight by the rate, whatever the gradient; no weight decay, no warm-up."""
    task = Task(tiny_checkpoint("bert"))
    config = replace(QUICK, learning_rate=1e-3, layer_decay=0.5, weight_decay=0.0, warmup_share=0.0, batch_size=32)
    network, encoded = task.open(config)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    list(task.finetuning(network, Inputs(encoded), config))
    moved = {name: float((weight.detach() - before[name]).abs().max()) for name, weight in network.named_parameters()}
    found = [moved[f"model.bert.encoder.layer.{layer}.output.dense.weight"] for layer in range(3)]
    assert [*found, moved["model.classifier.weight"]] == pytest.approx([2.5e-4, 5e-4, 1e-3, 1e-3], rel=0.02)
    assert moved["model.bert.embeddings.word_embeddings.weight"] == pytest.approx(1.25e-4, rel=0.02)


def test_a_family_whose_layers_are_not_known_is_refused(tiny_checkpoint, tmp_path):
    network, _ = open_network(save_mpnet(tmp_path, tiny_checkpoint("roberta")))
    network.freeze("none")
    with pytest.raises(UsageError, match="no adapter for 'mpnet'"):
        make_optimizer(network, CONFIG, freeze="none")
    assert make_optimizer(network, replace(CONFIG, layer_decay=1.0), freeze="none").weights


@pytest.mark.parametrize("layer_decay", [0.0, 1.1, -0.5])
def test_a_factor_outside_of_its_range_is_refused(layer_decay):
    with pytest.raises(UsageError, match="layer_decay"):
        FinetuneConfig(layer_decay=layer_decay)


def test_the_state_of_many_groups_goes_on_to_the_bit(tiny_checkpoint):
    task, config = Task(tiny_checkpoint("bert")), replace(QUICK, layer_decay=0.7, batch_size=8)
    network, encoded = task.open(config)
    run = task.finetuning(network, Inputs(encoded), config)
    list(run)
    state = {name: value.clone() for name, value in run.optimizer.state().items()}
    again = make_optimizer(network, config, freeze="none")
    again.load(state)
    assert state.keys() == again.state().keys()
    assert all(torch.equal(value, again.state()[name]) for name, value in state.items())
