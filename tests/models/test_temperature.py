"""A folded temperature divides the logits, in every family, and the saved folder gives the divided ones."""

import pytest
import torch
from networks import CLASSES, encode_texts, open_network, save_mpnet

from pretune.models import Inputs, ModelCard, fold_temperature, load_folder, save_model
from pretune.predict import predict_logits
from tiny import FAMILIES


def logits_of(network, tokenizer):
    return predict_logits(network.eval(), Inputs(encode_texts(tokenizer)))


@pytest.mark.parametrize("head", ["native", "mlp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_logits_of_the_saved_model_are_the_divided_ones(family, head, tiny_checkpoint, tmp_path):
    network, tokenizer = open_network(tiny_checkpoint(family), head=head)
    before = logits_of(network, tokenizer)
    assert fold_temperature(network, 1.7)
    card = ModelCard(classes=CLASSES, head=head, folded_temperature=1.7)
    save_model(tmp_path / "model", network, tokenizer, card)
    reloaded, again, read = load_folder(tmp_path / "model")
    torch.testing.assert_close(logits_of(reloaded, again), before / 1.7, atol=1e-5, rtol=1e-5)
    assert read.folded_temperature == 1.7


def test_as_many_classes_as_the_head_is_wide_are_no_reason_to_divide_the_wrong_layer(tiny_checkpoint):
    names = tuple(f"class {index}" for index in range(32))  # the tiny models' width
    for family in FAMILIES:
        network, tokenizer = open_network(tiny_checkpoint(family), classes=names)
        before = logits_of(network, tokenizer)
        assert fold_temperature(network, 0.5)
        torch.testing.assert_close(logits_of(network, tokenizer), before / 0.5, atol=1e-5, rtol=1e-5)


def test_a_family_without_an_adapter_is_left_as_it_is(tiny_checkpoint, tmp_path):
    network, tokenizer = open_network(save_mpnet(tmp_path / "mpnet", tiny_checkpoint("bert")))
    before = logits_of(network, tokenizer)
    assert not fold_temperature(network, 2.0)
    assert torch.equal(logits_of(network, tokenizer), before)
