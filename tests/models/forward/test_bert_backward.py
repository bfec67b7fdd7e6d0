"""A layer with its backward written out has the outputs and gradients that autograd finds over the single operations."""

import copy

import pytest
import torch
from networks import open_network, padded
from torch import nn

from pretune.models import Batch
from pretune.models.dropout import Masks, share_masks
from pretune.models.forward import bert, bert_backward
from pretune.models.forward.bert import call_layer
from pretune.models.forward.bias import attention_bias

FAMILIES = ("bert", "roberta", "electra")  # whose layers are built alike


@pytest.fixture
def autograd(monkeypatch):
    """Return a function after whose call layers are computed one operation at a time."""
    return lambda: monkeypatch.setattr(bert, "parts_to_train", lambda *_: None)


def found(layer, hidden, bias, **options):
    """Return the output and all gradients of one layer, under a gradient that differs from place to place."""
    layer = copy.deepcopy(layer)
    masks = Masks()
    share_masks(layer, masks)
    masks.begin_step(1, 2)
    read = hidden.clone().requires_grad_()
    output = call_layer(layer, read, bias, **options)
    (output * torch.arange(output.numel(), dtype=output.dtype).sin().view_as(output)).sum().backward()
    return [output.detach(), read.grad, *(weight.grad for weight in layer.parameters())]


def layer_of(tiny_checkpoint, family, *, dropout, dtype):
    network, _ = open_network(tiny_checkpoint(family), dropout=dropout)
    layer = network.layers[0].to(dtype).train()
    torch.manual_seed(0)
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.3)  # far from the small weights of a fresh model, where many gradients are near zero
    return layer


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("lengths", [(5, 5, 5), (5, 2, 3)], ids=["full", "padded"])
@pytest.mark.parametrize("only_first", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_and_gradients_are_those_of_autograd(family, only_first, lengths, dropout, tiny_checkpoint, autograd):
    layer = layer_of(tiny_checkpoint, family, dropout=dropout, dtype=torch.float64)
    hidden = torch.randn(3, 5, 32, dtype=torch.float64)
    mask = torch.tensor([[int(place < length) for place in range(5)] for length in lengths])
    bias = attention_bias(hidden, mask)
    assert bert_backward.parts_to_train(layer, hidden)
    written = found(layer, hidden, bias, only_first=only_first)
    autograd()
    expected = found(layer, hidden, bias, only_first=only_first)
    assert all(gradient.abs().max() > 1e-4 for gradient in expected[:3])
    torch.testing.assert_close(written, expected, atol=1e-10, rtol=1e-10)


def test_in_bf16_it_is_as_near_to_full_precision_as_autograd_is(tiny_checkpoint, autograd):
    layer = layer_of(tiny_checkpoint, "bert", dropout=0.0, dtype=torch.float32)
    hidden = torch.randn(3, 5, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        written = found(layer, hidden, None)
        autograd()
        single = found(layer, hidden, None)
    exact = found(layer, hidden, None)
    distances = (
        [float((value - true).norm()) for value, true in zip(values, exact, strict=True)] for values in (written, single)
    )
    assert all(own <= 1.5 * other for own, other in zip(*distances, strict=True))


def test_gradients_of_weights_are_float32_and_parts_add_up(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), dropout=0.0)
    batch = padded(tokenizer)
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network(batch).sum().backward()
    once = {name: weight.grad.clone() for name, weight in network.layers.named_parameters() if weight.grad is not None}
    assert {gradient.dtype for gradient in once.values()} == {torch.float32}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network(batch).sum().backward()
    twice = {name: weight.grad for name, weight in network.layers.named_parameters() if weight.grad is not None}
    torch.testing.assert_close(twice, {name: 2 * gradient for name, gradient in once.items()})


def test_the_hidden_states_below_a_frozen_boundary_get_no_gradient(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), dropout=0.0)
    network.freeze("last-1")
    batch = padded(tokenizer)
    hidden = network.run(Batch(ids=batch.ids, mask=batch.mask), stop=2).detach()
    network(Batch(hidden=hidden, mask=batch.mask, start=2)).sum().backward()
    assert hidden.grad is None
    assert all(weight.grad is not None for weight in network.layers[2].parameters())
    assert all(weight.grad is None for weight in network.layers[1].parameters())


def test_other_layers_are_left_to_autograd(tiny_checkpoint):
    layer = layer_of(tiny_checkpoint, "bert", dropout=0.0, dtype=torch.float32)
    hidden = torch.randn(1, 2, 32)
    assert bert_backward.parts_to_train(layer, hidden)
    with torch.no_grad():
        assert not bert_backward.parts_to_train(layer, hidden)
    other = copy.deepcopy(layer)
    other.intermediate.intermediate_act_fn = nn.ReLU()
    assert not bert_backward.parts_to_train(other, hidden)
    wrapped = copy.deepcopy(layer)
    wrapped.attention.self.query = nn.Sequential(wrapped.attention.self.query)  # as adapters wrap it
    assert not bert_backward.parts_to_train(wrapped, hidden)
    frozen = copy.deepcopy(layer).requires_grad_(False)
    assert not bert_backward.parts_to_train(frozen, hidden.requires_grad_())
