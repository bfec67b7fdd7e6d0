"""Attention in stretches against attention at once, which autograd differentiates."""

import pytest
import torch

from pretune.models.forward import attention
from pretune.models.forward.attention import mix, mix_backward

TEXTS, HEADS, TIME, SIZE = 3, 2, 4, 5


def parts_of(dtype, asked):
    generator = torch.Generator().manual_seed(0)
    shapes = [(TEXTS * HEADS, length, SIZE) for length in (asked, TIME, TIME)]
    query, key, value = (torch.randn(shape, generator=generator).to(dtype) for shape in shapes)
    mask = (torch.rand(TEXTS * HEADS, asked, TIME, generator=generator) > 0.3).to(dtype) * 1.5
    bias = torch.zeros(TEXTS, 1, 1, TIME)
    bias[1, ..., 2:] = torch.finfo(torch.float32).min  # a shorter text
    return query, key, value, mask, bias


def both_ways(query, key, value, mask, bias):
    gradient = torch.sin(torch.arange(query.numel())).view_as(query).to(query.dtype)
    mixed, shares = mix(query, key, value, bias, mask=mask, keep=True)
    into = tuple(torch.empty_like(each) for each in (query, key, value))
    mix_backward(gradient, query, key, value, shares, mask, into=into)
    return [mixed, *into], gradient


@pytest.mark.parametrize("asked", [TIME, 1])
@pytest.mark.parametrize("heads", [1, 2, 4])  # at once, of six: the last stretch is shorter, or a text's heads are cut
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_stretches_change_no_bit(dtype, heads, asked, monkeypatch):
    given = parts_of(dtype, asked)
    whole, _ = both_ways(*given)
    fine = torch.promote_types(dtype, torch.float32)
    monkeypatch.setattr(attention, "MAX_BYTES", heads * asked * TIME * fine.itemsize)
    assert all(torch.equal(part, once) for part, once in zip(both_ways(*given)[0], whole, strict=True))


@pytest.mark.parametrize("with_mask", [True, False])
def test_in_stretches_it_is_what_autograd_finds(with_mask, monkeypatch):
    query, key, value, mask, bias = parts_of(torch.float64, TIME)
    mask = mask if with_mask else None
    monkeypatch.setattr(attention, "MAX_BYTES", 2 * TIME * TIME * 8)
    found, gradient = both_ways(query, key, value, mask, bias)
    read = [each.requires_grad_() for each in (query, key, value)]
    shares = torch.softmax(query @ key.transpose(1, 2) + bias.repeat_interleave(HEADS, 0).flatten(1, 2), dim=-1)
    mixed = (shares if mask is None else shares * mask) @ value
    expected = [mixed.detach(), *torch.autograd.grad(mixed, read, gradient)]
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
