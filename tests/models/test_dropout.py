"""Masks: the right share, the right mean, the same again for the same step."""

import pytest
import torch
from networks import open_network

from pretune.models.dropout import Dropout, Masks, share_masks

SIZE = torch.Size([400, 1001])  # not a multiple of what one random word makes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
def test_share_and_mean(dtype, probability):
    mask = Masks().draw(SIZE, probability, dtype).float()
    assert mask.shape == SIZE
    assert len(mask.unique()) == 2
    zeros, error = float((mask == 0).float().mean()), 5 * (probability / SIZE.numel()) ** 0.5
    assert zeros == pytest.approx(probability, abs=error + (0.02 if dtype == torch.bfloat16 else 0))
    assert float(mask.mean()) == pytest.approx(1, abs=5 / (1 - probability) * SIZE.numel() ** -0.5)


def test_neighbours_are_independent():
    kept = (Masks().draw(SIZE, 0.5, torch.bfloat16) > 0).float().flatten() - 0.5
    for lag in (1, 2, 3, 4, 5, 8, 1001):
        assert abs(float((kept[lag:] * kept[:-lag]).mean())) < 5 * 0.25 * SIZE.numel() ** -0.5


def test_masks_depend_on_seed_and_step_alone():
    masks, drawn = Masks(), {}
    for key in [(0, 1), (0, 2), (1, 1), (-1, 1), (0, 1)]:
        masks.begin_step(*key)
        mask = masks.draw(torch.Size([64, 64]), 0.5, torch.float32)
        assert key not in drawn or torch.equal(mask, drawn[key])
        assert all(not torch.equal(mask, other) for known, other in drawn.items() if known != key)
        drawn[key] = mask


def test_a_module_drops_in_training_only_and_its_gradient_has_the_same_zeros():
    layer, hidden = Dropout(0.4, Masks()), torch.ones(50, 50, requires_grad=True)
    assert layer.eval()(hidden) is hidden
    dropped = layer.train()(hidden)
    dropped.sum().backward()
    assert torch.equal(hidden.grad, dropped.detach())
    layer.p = 0.0
    assert layer(hidden) is hidden


def test_every_dropout_of_a_network_draws_from_its_masks(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("distilbert"))
    found = [module for module in network.modules() if isinstance(module, torch.nn.Dropout)]
    assert len(found) > 3
    assert all(isinstance(module, Dropout) and module.masks is network.masks for module in found)
    other = Masks()
    share_masks(network, other)
    assert all(module.masks is other for module in network.modules() if isinstance(module, Dropout))
