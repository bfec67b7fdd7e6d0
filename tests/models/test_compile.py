"""Layers through torch.compile are the same layers."""

import pytest
import torch
from networks import open_network, padded, save_mpnet

from pretune.errors import UsageError
from tiny import FAMILIES


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch.compile looks at all tensors
@pytest.mark.parametrize("family", FAMILIES)
def test_traced_layers_give_the_same_logits_and_gradients(family, tiny_checkpoint, monkeypatch):
    """Traced, but not lowered to machine code, which takes a minute on a processor."""
    plain = torch.compile
    monkeypatch.setattr(torch, "compile", lambda call, **options: plain(call, backend="eager", **options))
    network, tokenizer = open_network(tiny_checkpoint(family), dropout=0.0)
    batch = padded(tokenizer)
    expected = network(batch)
    expected.sum().backward()
    gradients = [weight.grad.clone() for weight in network.layers.parameters() if weight.grad is not None]
    network.zero_grad()
    network.compile_layers()
    network.compile_layers()  # once is enough
    torch.testing.assert_close(network(batch), expected)
    network(batch).sum().backward()
    again = [weight.grad for weight in network.layers.parameters() if weight.grad is not None]
    assert len(again) == len(gradients) > 0
    torch.testing.assert_close(again, gradients)


def test_a_family_whose_layers_are_not_known_is_not_compiled(tiny_checkpoint, tmp_path):
    network, _ = open_network(save_mpnet(tmp_path / "mpnet", tiny_checkpoint("bert")))
    with pytest.raises(UsageError, match="cannot walk"):
        network.compile_layers()
