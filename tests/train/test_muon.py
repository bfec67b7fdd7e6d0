"""Muon: are its updates orthogonal, of AdamW's size, and the same after going on?"""

import pytest
import torch
from torch import nn

from pretune.train.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 48, 16), (1, 16, 40)])
def test_singular_values_come_near_one_and_vectors_stay(shape):
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    found = orthogonalize(matrices)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5
    assert values.max() < 1.4
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    rotated = left.transpose(1, 2) @ found @ right.transpose(1, 2)
    torch.testing.assert_close(rotated, torch.diag_embed(rotated.diagonal(dim1=1, dim2=2)), atol=2e-2, rtol=0)


def test_an_update_has_the_size_of_adamws():
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(64, 64))
    weight.grad = torch.randn(64, 64)
    Muon([(weight, 1)], decay=0.0, precision=torch.float32).step(1.0)
    assert 0.1 < weight.pow(2).mean().sqrt() < 0.3


def test_matrices_side_by_side_are_made_orthogonal_one_by_one():
    torch.manual_seed(0)
    gradient = torch.randn(48, 16) * torch.tensor([100.0] * 16 + [1.0] * 16 + [0.01] * 16)[:, None]
    both, apart = nn.Parameter(torch.zeros(48, 16)), [nn.Parameter(torch.zeros(16, 16)) for _ in range(3)]
    both.grad = gradient.clone()
    Muon([(both, 3)], decay=0.0, precision=torch.float32).step(0.1)
    for place, weight in enumerate(apart):
        weight.grad = gradient[16 * place : 16 * place + 16].clone()
    Muon([(weight, 1) for weight in apart], decay=0.0, precision=torch.float32).step(0.1)
    torch.testing.assert_close(both, torch.cat(apart), atol=1e-6, rtol=1e-5)


def test_decay_shrinks_and_going_on_is_exact():
    torch.manual_seed(0)
    start, gradients = torch.randn(8, 8), [torch.randn(8, 8) for _ in range(6)]

    def run(cut):
        weight = nn.Parameter(start.clone())
        muon = Muon([(weight, 1)], decay=0.5, precision=torch.float32)
        for place, gradient in enumerate(gradients):
            if place == cut:
                state = {name: value.clone() for name, value in muon.state().items()}
                muon = Muon([(weight, 1)], decay=0.5, precision=torch.float32)
                muon.load(state)
            weight.grad = gradient.clone()
            muon.step(0.01)
        return weight.detach()

    assert torch.equal(run(None), run(3))
    weight = nn.Parameter(torch.ones(4, 4))
    weight.grad = torch.zeros(4, 4)
    Muon([(weight, 1)], decay=0.5, precision=torch.float32).step(0.1)
    torch.testing.assert_close(weight, torch.full((4, 4), 0.95))
