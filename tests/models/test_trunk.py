"""Freezing, dropout, head and trunk of one network."""

import functools

import pytest
import torch
from networks import encode_texts, open_network, padded, reference_logits, save_mpnet
from torch import nn

from pretune.errors import UsageError
from pretune.models import prepare_inputs
from tiny import FAMILIES, HEADS, LAYERS


@pytest.fixture(scope="module")
def mpnet(tmp_path_factory, tiny_checkpoint):
    return save_mpnet(tmp_path_factory.mktemp("mpnet"), tiny_checkpoint("roberta"))


@pytest.fixture(scope="module")
def native(tiny_checkpoint):
    """Return ``open(family)``: a shared network of which a test changes nothing but what is frozen."""
    return functools.cache(lambda family: open_network(tiny_checkpoint(family))[0])


def names_of(network, weights):
    wanted = {id(weight) for weight in weights}
    return {name for name, weight in network.named_parameters() if id(weight) in wanted}


def trained_names(network):
    return {name for name, weight in network.named_parameters() if weight.requires_grad}


def layer_of(family, name):
    """Return the index of the layer a weight lies in, or ``None``."""
    _, found, rest = name.partition(f".{LAYERS.get(family, 'encoder.layer')}.")
    return int(rest.split(".")[0]) if found else None


@pytest.mark.parametrize("family", FAMILIES)
def test_the_native_head_is_what_lies_behind_the_pooled_state(family, native):
    network = native(family)
    names = {name.removeprefix("model.").rpartition(".")[0] for name in names_of(network, network.head_parameters())}
    assert names == HEADS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_freezing_all_leaves_the_head(family, native):
    network = native(family)
    assert network.freeze("all") == 3
    assert trained_names(network) == names_of(network, network.head_parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_freezing_nothing_trains_everything(family, native):
    network = native(family)
    network.freeze("all")
    assert network.freeze("none") == 0
    assert all(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_layers_learn_with_the_head_and_nothing_below(family, count, native):
    network = native(family)
    assert network.freeze(f"last-{count}") == 3 - count
    head = names_of(network, network.head_parameters())
    above = {name for name, _ in network.named_parameters() if (layer_of(family, name) or 0) >= 3 - count}
    above = {name for name in above if layer_of(family, name) is not None}
    final = {"model.model.final_norm.weight"} if family == "modernbert" else set()  # lies above the last layer
    assert trained_names(network) == head | above | final


@pytest.mark.parametrize("freeze", ["some", "last", "last-0", "last--1", "last-x", "last-²", "last-1.5", "", "all-1", "LAST-1"])
def test_another_word_for_freeze_is_an_error(freeze, native):
    network = native("bert")
    with pytest.raises(UsageError, match="none, all or last-K"):
        network.freeze(freeze)


def test_more_layers_than_there_are_is_an_error_that_names_their_number(native):
    network = native("bert")
    with pytest.raises(UsageError, match=r"the model has 3 layers(.|\n)*last-1 to last-3"):
        network.freeze("last-4")


@pytest.mark.parametrize("head", ["native", "mlp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_without_dropout_training_and_evaluation_mode_agree(family, head, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family), head=head)
    batch = padded(tokenizer)
    with torch.no_grad():
        expected = network.eval()(batch)
        network.set_dropout(0.5)
        assert not torch.allclose(network.train()(batch), expected, atol=1e-3)
        network.set_dropout(0.0)
        torch.testing.assert_close(network.train()(batch), expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_drops_in_its_attention_too(family, tiny_checkpoint, monkeypatch):
    """Count what reaches the functional dropouts and the fused attention of one forward pass."""
    network, tokenizer = open_network(tiny_checkpoint(family), dropout=0.0)
    network.set_dropout(0.25)
    seen = {"attention": 0, "other": 0}
    attend = nn.functional.scaled_dot_product_attention

    def spy(*args, dropout_p=0.0, **options):
        seen["attention"] += dropout_p == 0.25
        return attend(*args, dropout_p=dropout_p, **options)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", spy)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            assert module.p == 0.25
            module.register_forward_hook(lambda *_: seen.__setitem__("other", seen["other"] + 1))
    with torch.no_grad():
        network.train()(padded(tokenizer))
    # BERT's kind: embeddings, two a layer, the head; DeBERTa drops its attention itself; ModernBERT: output and MLP a layer.
    assert seen["attention"] == (0 if family == "deberta-v2" else 3)
    assert seen["other"] >= {"distilbert": 5, "deberta-v2": 12}.get(family, 8)


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_attention_that_is_differentiated_draws_cheap_masks(family, tiny_checkpoint, monkeypatch):
    network, tokenizer = open_network(tiny_checkpoint(family), dropout=0.25)
    seen, draw = [], network.masks.draw
    monkeypatch.setattr(network.masks, "draw", lambda *asked: seen.append(draw(*asked)) or seen[-1])
    network.freeze("none")
    network.train()(padded(tokenizer))
    attention = [mask for mask in seen if mask.ndim == 3 and mask.shape[1] == mask.shape[2]]
    assert len(attention) == 2  # and one of the last layer, where the first token alone asks
    assert all(0.1 < float((mask == 0).float().mean()) < 0.4 for mask in attention)


def test_dropout_given_at_the_start_replaces_the_checkpoints_own(tiny_checkpoint):
    network, _ = open_network(tiny_checkpoint("modernbert"), dropout=0.3)  # the checkpoint has none in its layers
    assert {module.p for module in network.modules() if isinstance(module, nn.Dropout)} == {0.3}
    assert all(layer.attn.attention_dropout == 0.3 for layer in network.layers)
    assert all(isinstance(layer.attn.out_drop, nn.Dropout) for layer in network.layers)


def test_a_pooled_head_has_its_own_weights_and_the_trunk_none_of_them(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("distilbert"), head="mlp", head_size=8, dropout=0.3)
    assert [tuple(weight.shape) for weight in network.head_parameters()] == [(8, 32), (8,), (3, 8), (3,)]
    assert network.head.dropout.p == 0.3
    assert network.num_classes == 3
    assert network.eval()(padded(tokenizer)).shape == (4, 3)


def test_a_family_without_an_adapter_runs_whole(mpnet):
    network, tokenizer = open_network(mpnet)
    batch = padded(tokenizer)
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(batch), reference_logits(network.model, batch))


def test_a_family_without_an_adapter_runs_under_a_pooled_head(mpnet):
    network, tokenizer = open_network(mpnet, head="mlp")
    assert network.eval()(padded(tokenizer)).shape == (4, 3)


def test_a_family_without_an_adapter_is_frozen_all_or_not_at_all(mpnet):
    network, _ = open_network(mpnet)
    assert network.freeze("none") == 0
    assert all(weight.requires_grad for weight in network.parameters())
    network.freeze("all")
    assert {name.split(".")[1] for name in trained_names(network)} == {"classifier"}
    with pytest.raises(UsageError, match=r"no adapter for 'mpnet'(.|\n)*none or all"):
        network.freeze("last-1")


def test_a_family_without_an_adapter_cannot_be_walked(mpnet):
    network, tokenizer = open_network(mpnet)
    with pytest.raises(UsageError, match="no adapter for 'mpnet'"):
        next(network.states(padded(tokenizer)))


def test_a_family_without_an_adapter_reads_ids_also_when_frozen(mpnet):
    network, tokenizer = open_network(mpnet)
    inputs = prepare_inputs(network, encode_texts(tokenizer), network.freeze("all"))
    assert inputs.hidden is None
    assert inputs.pooled is None


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
def test_the_last_layer_computes_the_one_token_that_is_read_and_its_gradients_are_the_same(family, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family))
    network.eval()
    batch = padded(tokenizer)
    widths, (act, last) = [], (network.layers[-1].intermediate.intermediate_act_fn, network.layers[-1].intermediate)
    last.intermediate_act_fn = nn.Sequential(act)  # so that single operations are called, and can be looked at
    hook = network.layers[-1].output.dense.register_forward_hook(lambda *call: widths.append(call[2].shape[1]))
    network.summarize(batch), network.run(batch)
    hook.remove()
    last.intermediate_act_fn = act
    assert widths == [1, batch.mask.shape[1]]
    short, whole = network.summarize(batch), network.pool(network.run(batch), batch.mask)
    torch.testing.assert_close(short, whole, atol=1e-5, rtol=1e-5)
    weights = [weight for layer in network.layers for weight in layer.parameters()]
    gradients = [torch.autograd.grad(states.square().sum(), weights) for states in (short, whole)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_a_mean_reads_every_token_of_the_last_layer(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), head="mlp")
    batch = padded(tokenizer)
    assert torch.equal(network.eval().summarize(batch), network.pool(network.run(batch), batch.mask))
