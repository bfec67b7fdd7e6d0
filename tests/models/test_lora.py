"""LoRA: the adapters learn, the rest stays, and the merged network is the same function in the plain architecture."""

from dataclasses import replace

import pytest
import torch
from networks import CLASSES, open_network, padded, save_mpnet, shake
from talking import make_prompts, talking_network

from pretune.configs import FinetuneConfig, RunConfig
from pretune.errors import MissingPackageError, ParityError, UsageError
from pretune.models import Windows, adapt, merge
from pretune.models.lora import ADAPTER
from tiny import FAMILIES

peft = pytest.importorskip("peft", reason="needs the extra lora")


def adapted(folder, freeze="none", rank=4, **options):
    """Return a network with adapters that have an effect, and a batch."""
    network, tokenizer = open_network(folder, dropout=0.0, **options)
    boundary = network.freeze(freeze)
    before = network.eval()(padded(tokenizer)).detach()
    num_layers = adapt(network, rank=rank, alpha=8.0, boundary=boundary)
    return network, padded(tokenizer), before, num_layers


def adapters_of(network):
    return [weight for name, weight in network.named_parameters() if ADAPTER in name]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("freeze", ["none", "last-1"])
def test_every_family_runs_through_its_adapters_and_merges(family, freeze, tiny_checkpoint):
    network, batch, before, num_layers = adapted(tiny_checkpoint(family), freeze)
    torch.testing.assert_close(network(batch), before, atol=1e-6, rtol=0)  # the second matrix starts at zero
    names = set(dict(network.model.named_modules()))
    for weight in adapters_of(network):
        torch.nn.init.normal_(weight, std=0.3)
    moved = network(batch).detach()
    assert float((moved - before).abs().max()) > 1e-3
    assert len(adapters_of(network)) == 2 * num_layers
    assert merge(network, batch) <= 1e-4
    torch.testing.assert_close(network(batch), moved, atol=1e-4, rtol=0)
    assert adapters_of(network) == []
    assert {name for name in names if ADAPTER not in name and "base_layer" not in name} == set(
        dict(network.model.named_modules())
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_each_adapter_has_an_effect_of_its_own(family, tiny_checkpoint):
    """Where the forward pass reads a weight past its layer, an adapter would change nothing."""
    network, batch, before, _ = adapted(tiny_checkpoint(family), "last-1")
    seconds = [weight for name, weight in network.named_parameters() if "lora_B" in name]
    assert seconds
    for weight in seconds:
        torch.nn.init.normal_(weight)
        assert float((network(batch).detach() - before).abs().max()) > 1e-6
        torch.nn.init.zeros_(weight)


def test_only_adapters_above_the_boundary_and_the_head_learn(tiny_checkpoint):
    network, batch, _, num_layers = adapted(tiny_checkpoint("bert"), "last-1")
    assert num_layers == 6  # query, key, value, output, and the two of the feed-forward
    network.train()
    network(batch).sum().backward()
    learning = {name for name, weight in network.named_parameters() if weight.grad is not None}
    assert {name for name, weight in network.named_parameters() if weight.requires_grad} == learning
    assert all(ADAPTER in name or "classifier" in name or "pooler" in name for name in learning)
    assert {name.split("encoder.layer.")[1][0] for name in learning if ADAPTER in name} == {"2"}


def test_the_pooled_head_keeps_learning(tiny_checkpoint):
    network, batch, _, num_layers = adapted(tiny_checkpoint("bert"), head="mlp")
    assert num_layers == 18
    network(batch).sum().backward()
    assert all(weight.grad is not None for weight in network.head_parameters())


def test_a_family_without_an_adapter_of_ours_is_adapted_whole(tiny_checkpoint, tmp_path):
    network, batch, _, num_layers = adapted(save_mpnet(tmp_path / "mpnet", tiny_checkpoint("bert")))
    assert num_layers == 12
    for weight in adapters_of(network):
        torch.nn.init.normal_(weight, std=0.3)
    assert merge(network, batch) <= 1e-4


def test_a_network_without_layers_above_the_boundary_is_refused(tiny_checkpoint):
    with pytest.raises(UsageError, match="no layer above the freeze boundary"):
        adapted(tiny_checkpoint("bert"), "all")


def test_a_merge_that_changes_the_network_is_an_error(tiny_checkpoint, monkeypatch):
    network, batch, _, _ = adapted(tiny_checkpoint("bert"))
    for weight in adapters_of(network):
        torch.nn.init.normal_(weight, std=0.3)
    monkeypatch.setattr(peft.tuners.lora.Linear, "merge", lambda _: None)
    with pytest.raises(ParityError, match="adapters merged"):
        merge(network, batch)


def test_without_peft_the_error_is_the_install_line(tiny_checkpoint, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingPackageError, match=r"pretune\[lora\]"):
        adapted(tiny_checkpoint("bert"))


@pytest.mark.parametrize(
    "wrong", [{"lora": 0}, {"lora": -1}, {"lora_alpha": 8.0}, {"lora": 4, "lora_alpha": 0.0}, {"lora": 4, "lora_alpha": -1.0}]
)
def test_ranks_and_scales_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError, match="lora"):
        FinetuneConfig(**wrong)


def test_lora_beside_a_frozen_trunk_is_refused():
    with pytest.raises(UsageError, match="lora"):
        RunConfig(freeze="all", finetune=FinetuneConfig(lora=8))
    assert replace(RunConfig(), finetune=FinetuneConfig(lora=8)).freeze == "auto"


def test_two_networks_of_one_seed_get_the_same_adapters(tiny_checkpoint):
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        network, _, _, _ = adapted(tiny_checkpoint("bert"))
        found.append(adapters_of(network))
    assert all(torch.equal(first, second) for first, second in zip(*found, strict=True))
    assert len(CLASSES) == network.num_classes
    shake(network)  # nothing in it is shared or read-only


def test_a_language_network_runs_through_each_of_its_adapters_and_merges():
    network, tokenizer = talking_network()
    ids = torch.tensor([make_prompts(tokenizer, 1)[0], make_prompts(tokenizer, 1)[0][::-1]])
    windows = Windows(ids=ids, targets=torch.arange(ids.numel()), looks_back=True)
    before = network(windows).detach()
    num_layers = adapt(network, rank=2, alpha=8.0, boundary=network.freeze("none"))
    torch.testing.assert_close(network(windows), before, atol=1e-6, rtol=0)
    seconds = [weight for name, weight in network.named_parameters() if "lora_B" in name]
    assert len(seconds) == num_layers > 0
    for weight in seconds:
        torch.nn.init.normal_(weight, std=0.1)
        assert float((network(windows).detach() - before).abs().max()) > 1e-6
        torch.nn.init.zeros_(weight)
    for weight in seconds:
        torch.nn.init.normal_(weight, std=0.1)
    moved = network(windows).detach()
    assert merge(network, windows) <= 1e-4
    torch.testing.assert_close(network(windows), moved, atol=1e-4, rtol=0)
