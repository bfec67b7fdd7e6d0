"""The families: walking one with the modules of transformers gives the logits of transformers."""

import pytest
import torch
from networks import from_config, padded, reference_logits
from transformers import AutoConfig, AutoTokenizer

import tiny
from pretune.models import Batch
from pretune.models.families import FAMILIES, find_family, mean_pool

# Each family as tests/support/tiny.py has it, and as other checkpoints of it are configured.
VARIANTS = {
    "bert": ("bert", {}),
    "distilbert": ("distilbert", {}),
    "distilbert sinusoidal": ("distilbert", {"sinusoidal_pos_embds": True}),
    "roberta": ("roberta", {}),
    "electra": ("electra", {}),
    "electra without projection": ("electra", {"embedding_size": 32}),
    "deberta-v2": ("deberta-v2", {}),
    "deberta-v2 absolute": ("deberta-v2", {"relative_attention": False, "position_biased_input": True, "type_vocab_size": 2}),
    "modernbert": ("modernbert", {}),
    "modernbert mean": ("modernbert", {"classifier_pooling": "mean"}),
}
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}


def test_every_family_for_classes_has_a_tiny_checkpoint_that_the_tests_go_over():
    assert {family.name for family in FAMILIES if family.classes} == set(tiny.FAMILIES) == set(tiny.HEADS)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.fixture(params=VARIANTS, scope="module")
def walked(request, tiny_checkpoint):
    """Return a network of each family, a padded batch, and what transformers says about it."""
    family, changes = VARIANTS[request.param]
    folder = tiny_checkpoint(family)
    torch.manual_seed(0)
    network = from_config(AutoConfig.from_pretrained(folder, **changes)).eval()
    batch = padded(AutoTokenizer.from_pretrained(folder))
    with torch.no_grad():
        expected = reference_logits(network.model, batch)
    assert expected.std(dim=0).max() > 0.01  # rows differ, so that equal logits mean something
    return network, batch, expected


@torch.no_grad()
def test_layer_by_layer_gives_the_logits_of_transformers(walked):
    network, batch, expected = walked
    torch.testing.assert_close(network(batch), expected, **TOLERANCE)


@torch.no_grad()
@pytest.mark.parametrize("boundary", [0, 1, 2, 3])
def test_states_kept_at_any_boundary_give_the_same_logits(walked, boundary):
    network, batch, expected = walked
    hidden = network.run(batch, stop=boundary)
    torch.testing.assert_close(network(Batch(hidden=hidden, mask=batch.mask, start=boundary)), expected, **TOLERANCE)


@torch.no_grad()
def test_the_pooled_state_gives_the_same_logits(walked):
    network, batch, expected = walked
    pooled = network.pool(network.run(batch), batch.mask)
    assert pooled.shape == (4, 32)
    torch.testing.assert_close(network(Batch(mask=torch.empty(4, 0), pooled=pooled)), expected, **TOLERANCE)


@torch.no_grad()
def test_a_walk_shows_embeddings_and_every_layer_and_ends_where_the_head_reads(walked):
    network, batch, expected = walked
    states = list(network.states(batch))
    assert len(states) == 4
    assert all(state.shape == (*batch.mask.shape, 32) for state in states)
    torch.testing.assert_close(network.decide(network.pool(states[-1], batch.mask)), expected, **TOLERANCE)


@torch.no_grad()
def test_a_text_alone_gets_the_logits_it_has_beside_longer_ones(walked):
    network, batch, expected = walked
    length = int(batch.mask[1].sum())
    alone = Batch(ids=batch.ids[1:2, :length], mask=batch.mask[1:2, :length])
    torch.testing.assert_close(network(alone), expected[1:2], atol=1e-4, rtol=1e-4)


def test_all_weights_of_the_decision_are_the_head_and_pooling_has_none(walked):
    network, batch, _ = walked
    network.zero_grad()
    hidden = torch.randn(*batch.mask.shape, 32)
    network.decide(network.pool(hidden, batch.mask)).square().sum().backward()
    used = {id(weight) for weight in network.parameters() if weight.grad is not None}
    network.zero_grad()
    assert used == {id(weight) for weight in network.head_parameters()}


def test_bf16_autocast_stays_near_full_precision(walked):
    network, batch, expected = walked
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = network.run(batch, stop=2).to(torch.bfloat16)
        cached = network(Batch(hidden=hidden, mask=batch.mask, start=2))
        logits = network(batch)
    assert logits.dtype == cached.dtype == torch.float32
    scale = float(expected.abs().max())
    torch.testing.assert_close(logits, expected, atol=0.05 * scale, rtol=0.05)
    torch.testing.assert_close(cached, expected, atol=0.05 * scale, rtol=0.05)


def test_a_deberta_with_a_convolution_runs_whole(tiny_checkpoint):
    folder = tiny_checkpoint("deberta-v2")
    config = AutoConfig.from_pretrained(folder)
    config.conv_kernel_size, config.conv_act = 3, "gelu"
    assert find_family(config) is None
    network, batch = from_config(config).eval(), padded(AutoTokenizer.from_pretrained(folder))
    with torch.no_grad():
        torch.testing.assert_close(network(batch), reference_logits(network.model, batch))


def test_the_mean_leaves_padding_out():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]], [[2.0], [4.0], [6.0]]])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    assert mean_pool(hidden, mask).tolist() == [[2.0], [4.0]]


def test_the_mean_of_nothing_is_zero_rather_than_nan():
    assert mean_pool(torch.ones(1, 2, 1), torch.zeros(1, 2, dtype=torch.long)).tolist() == [[0.0]]


def test_the_mean_counts_more_tokens_than_bf16_can():
    # bf16 keeps 8 bits: it would count 384, and 512 / 384 is 1.336 there where 512 / 385 is 1.328.
    hidden = torch.zeros(1, 385, 1, dtype=torch.bfloat16)
    hidden[0, 0] = 512.0
    assert mean_pool(hidden, torch.ones(1, 385, dtype=torch.long)).tolist() == [[1.328125]]
