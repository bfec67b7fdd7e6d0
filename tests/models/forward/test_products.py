"""Linear layers laid out for decoding give what they gave before, but for the precision that was asked for."""

import pytest
import torch
from torch import nn

from pretune.models.forward import products
from pretune.models.forward.products import EightBits, FourBits, lay_out

# Largest error of an output, as a share of the outputs' standard deviation: half a step of the weights, averaged over the row.
LIMITS = {"fp32": 1e-5, "bf16": 0.03, "int8": 0.05, "int4": 0.35}
ROWS = [1, 3, products.MANY, products.MANY + 1, 70]


def layers_of(bias, *, width=64, seed=0):
    torch.manual_seed(seed)
    return [nn.Linear(width, outputs, bias=bias) for outputs in (48, 16, 16)]


@torch.inference_mode()
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("num_rows", ROWS)
@pytest.mark.parametrize("precision", LIMITS)
def test_layers_side_by_side_give_what_each_gives(precision, num_rows, bias):
    layers = layers_of(bias)
    rows = torch.randn(num_rows, 64)
    expected = torch.cat([layer(rows) for layer in layers], dim=1)
    found = lay_out(layers, precision)(rows.to(products.dtype_of(precision))).float()
    assert float((found - expected).abs().max() / expected.std()) < LIMITS[precision]


@torch.inference_mode()
@pytest.mark.parametrize("kind", [EightBits, FourBits])
def test_few_rows_and_many_use_the_same_weights(kind):
    product = kind(torch.randn(32, 64), None)
    rows = torch.randn(products.MANY + 1, 64).bfloat16()
    alone = torch.cat([product(row[None]) for row in rows]).float()
    assert torch.allclose(product(rows).float(), alone, atol=0.15, rtol=0.02)


def test_a_width_that_four_bits_do_not_divide_takes_eight():
    assert isinstance(lay_out([nn.Linear(40, 32)], "int4"), EightBits)
    assert isinstance(lay_out([nn.Linear(64, 32)], "int4"), FourBits)


def test_weights_that_were_four_bits_before_are_the_same_again():
    """As a fetched 4-bit file is: codes times a scale plus an offset for each 32."""
    codes, scales, offsets = torch.randint(0, 16, (32, 2, 32)).float(), torch.rand(32, 2, 1) + 0.5, torch.randn(32, 2, 1)
    codes[..., 0], codes[..., 1] = 0, 15  # a group uses all of its range
    weight = (codes * scales.bfloat16().float() + offsets).flatten(1)
    found = FourBits(weight, None)
    assert torch.equal(found.codes.float(), codes)
    assert float((found.spelled_out().float() - weight).abs().max()) < 0.01 * float(weight.abs().max())


def test_constant_and_empty_weights_are_no_division_by_zero():
    for kind in (EightBits, FourBits):
        assert torch.isfinite(kind(torch.zeros(16, 64), None)(torch.ones(1, 64).bfloat16())).all()
        assert torch.isfinite(kind(torch.full((16, 64), 0.5), None)(torch.ones(1, 64).bfloat16())).all()
