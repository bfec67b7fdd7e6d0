"""Scoring through weights that are laid out once gives what the layers themselves give, and leaves nothing behind."""

import pytest
import torch
from networks import encode_texts, open_network, padded

from pretune.models import Batch, Inputs, for_scoring, prepare_inputs
from pretune.models.forward import bert_scoring
from pretune.predict import predict_logits

ALIKE = ("bert", "roberta", "electra")
MANY = 100


@pytest.fixture(params=ALIKE)
def scored(request, tiny_checkpoint):
    """Return a network and a padded batch."""
    network, tokenizer = open_network(tiny_checkpoint(request.param), dropout=0.1)
    return network.eval(), padded(tokenizer)


@torch.no_grad()
def test_the_logits_are_those_of_the_layers(scored):
    network, batch = scored
    expected, family = network(batch), network.family
    with for_scoring(network, MANY):
        assert network.family is not family
        found = network(batch)
    assert network.family is family
    assert expected.std(dim=0).max() > 0.01
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_head_on_the_mean_and_states_from_a_boundary_agree_too(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), head="mlp", head_size=8)
    network.eval()
    batch = padded(tokenizer)
    expected, hidden = network(batch), network.run(batch, 2)
    with for_scoring(network, MANY):
        torch.testing.assert_close(network(batch), expected, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(network.run(batch, 2), hidden, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(network(Batch(hidden=hidden, mask=batch.mask, start=2)), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_in_bf16_it_is_as_near_to_full_precision_as_the_layers_are(scored):
    network, batch = scored
    exact = network(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plain = network(batch)
        with for_scoring(network, MANY):
            fast = network(batch)
    assert (fast - exact).norm() <= 1.5 * (plain - exact).norm() + 1e-3


@torch.no_grad()
def test_weights_changed_between_two_passes_are_seen(scored):
    network, batch = scored
    with for_scoring(network, MANY):
        before = network(batch)
    network.layers[0].output.dense.weight.data.mul_(-1)  # which no version counter shows
    with for_scoring(network, MANY):
        after = network(batch)
    assert (after - before).abs().max() > 1e-3
    torch.testing.assert_close(after, network(batch), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_error_inside_leaves_the_network_as_it_was(scored):
    network, _ = scored
    family = network.family
    with pytest.raises(ZeroDivisionError), for_scoring(network, MANY):
        raise ZeroDivisionError
    assert network.family is family


@pytest.mark.parametrize("family", ["distilbert", "modernbert"])
def test_other_families_are_called_as_ever(family, tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint(family))
    own = network.family
    with for_scoring(network, MANY):
        assert network.family is own


def test_a_few_batches_are_called_as_ever(scored):
    network, _ = scored
    own = network.family
    with for_scoring(network, bert_scoring.MIN_BATCHES - 1):
        assert network.family is own


def test_predictions_and_frozen_trunks_of_many_texts_take_it(scored, monkeypatch, tiny_checkpoint):
    network, _ = scored
    _, tokenizer = open_network(tiny_checkpoint("bert"))
    encoded, asked = encode_texts(tokenizer), []
    plain = bert_scoring._Layer.__call__
    monkeypatch.setattr(bert_scoring, "MIN_BATCHES", 1)
    monkeypatch.setattr(bert_scoring._Layer, "__call__", lambda *a, **k: asked.append(1) or plain(*a, **k))
    predict_logits(network, Inputs(encoded))
    assert len(asked) == len(network.layers)
    prepare_inputs(network, encoded, 2)
    assert len(asked) == len(network.layers) + 2


@torch.no_grad()
def test_a_layer_that_adapters_wrap_is_called_as_ever_beside_others(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    network.eval()
    batch = padded(tokenizer)
    expected = network(batch)
    last = network.layers[-1].attention.self
    last.query = torch.nn.Sequential(last.query)  # as LoRA wraps the layers above a boundary
    with for_scoring(network, MANY):
        torch.testing.assert_close(network(batch), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("missing", "value"), [("get_cpu_capability", "DEFAULT"), ("is_available", False)])
def test_without_the_library_layers_are_called_as_ever(missing, value, scored, monkeypatch):
    network, _ = scored
    place = torch.backends.cpu if missing == "get_cpu_capability" else torch.backends.mkldnn
    monkeypatch.setattr(place, missing, lambda: value)
    own = network.family
    with for_scoring(network, MANY):
        assert network.family is own
