"""Checkpoints: found where they are, refused with one message where something is missing or damaged."""

import json
import shutil
import time

import pytest
import torch
from networks import CLASSES, edit_json, local, open_network, padded, reference_logits, save_mpnet
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from pretune.errors import ModelLoadError
from pretune.models import build_network, find_checkpoint, load_tokenizer, max_positions
from pretune.models.names import reaches_hub
from tiny import FAMILIES


@pytest.fixture
def folder(tiny_checkpoint, tmp_path):
    """Return a copy of the tiny BERT, to be damaged."""
    return shutil.copytree(tiny_checkpoint("bert"), tmp_path / "copy")


def open_whole(folder):
    checkpoint = find_checkpoint(str(folder))
    return load_tokenizer(checkpoint), build_network(checkpoint, CLASSES)


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def rewrite(file, change):
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def without(part):
    return lambda weights: {name: value for name, value in weights.items() if part not in name}


def make_pickle_only(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def test_without_a_network_an_unknown_name_is_refused_at_once(monkeypatch):
    monkeypatch.setattr("pretune.models.checkpoint.reaches_hub", lambda: False)
    start = time.perf_counter()
    with pytest.raises(ModelLoadError, match="the hub cannot be reached and its cache does not have it"):
        find_checkpoint("nosuchorganisation/nosuchmodel")
    assert time.perf_counter() - start < 2  # asking takes half a minute


def test_an_address_that_is_not_known_is_no_network(monkeypatch):
    def fail(*_):
        raise OSError

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr("pretune.models.names.socket.getaddrinfo", fail)
    assert not reaches_hub()
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "http://proxy"})  # which may know more
    assert reaches_hub()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert not reaches_hub()


def test_a_slip_in_a_catalogue_name_is_not_sent_to_the_hub(monkeypatch):
    monkeypatch.setattr("pretune.models.checkpoint._from_hub", None)
    with pytest.raises(ModelLoadError, match="did you mean 'minilm'"):
        find_checkpoint("minilmm")


DAMAGES = {
    "empty folder": (lambda f: [item.unlink() for item in f.iterdir()], "no config.json .it holds nothing"),
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json .it holds model.safetensors"),
    "torn config": (lambda f: truncate(f / "config.json"), "no usable configuration"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "no usable configuration"),
    "unknown family": (lambda f: edit_json(f / "config.json", model_type="zork"), "no usable configuration"),
    "not an encoder": (lambda f: edit_json(f / "config.json", model_type="t5"), "no usable configuration"),
    "code of its own": (
        lambda f: edit_json(f / "config.json", model_type="zork", auto_map={"AutoConfig": "code.Config"}),
        "asks by auto_map for code of its own",
    ),
    "pickle only": (make_pickle_only, "pytorch_model.bin, a pickle, which can run code"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), r"has no \*.safetensors"),
    "torn weights": (lambda f: truncate(f / "model.safetensors"), "is not a safetensors file"),
    "garbage for weights": (lambda f: (f / "model.safetensors").write_bytes(b"hello"), "is not a safetensors file"),
    "a layer is missing": (lambda f: rewrite(f / "model.safetensors", without("layer.1.")), "16 weights are missing"),
    "weights of another family": (lambda f: edit_json(f / "config.json", model_type="distilbert"), "weights are missing"),
    "weights of another size": (lambda f: edit_json(f / "config.json", hidden_size=64), "or of another size"),
    "no tokenizer": (
        lambda f: [(f / name).unlink() for name in ("tokenizer.json", "tokenizer_config.json")],
        "its tokenizer has no vocabulary",
    ),
    "no tokenizer.json": (lambda f: (f / "tokenizer.json").unlink(), "no usable tokenizer"),
    "torn tokenizer": (lambda f: truncate(f / "tokenizer.json"), "no usable tokenizer"),
    "tokenizer without a model": (lambda f: (f / "tokenizer.json").write_text("{}"), "no usable tokenizer"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_named_with_what_is_wrong(damage, folder, monkeypatch):
    spoil, message = DAMAGES[damage]
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked whether to run the checkpoint's code"))
    spoil(folder)
    with pytest.raises(ModelLoadError, match=message) as caught:
        open_whole(folder)
    assert str(folder) in str(caught.value)
    assert "Expected:" in str(caught.value)


def test_the_undamaged_folder_opens(folder):
    tokenizer, network = open_whole(folder)
    assert len(network.layers) == 3
    assert tokenizer.is_fast


@pytest.mark.parametrize("name", ["no-such-model", "org/no-such-model", "/no/such/folder", "./nor-this", "a b"])
def test_a_name_that_leads_nowhere_says_what_there_is(name):
    with pytest.raises(ModelLoadError, match="minilm") as caught:
        find_checkpoint(name)
    assert name in str(caught.value)


def test_the_causal_entry_of_the_catalogue_is_no_classifier():
    with pytest.raises(ModelLoadError, match="causal"):
        find_checkpoint("smollm2")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_says_its_family_and_its_positions(family, tiny_checkpoint):
    checkpoint = find_checkpoint(str(tiny_checkpoint(family)))
    assert checkpoint.model_type == family
    assert max_positions(checkpoint) == 128  # RoBERTa has 130, of which two lie before the first token


@pytest.mark.parametrize("family", [*FAMILIES, "mpnet"])
def test_a_text_as_long_as_the_positions_can_be_read(family, tiny_checkpoint, tmp_path):
    folder = save_mpnet(tmp_path, tiny_checkpoint("roberta")) if family == "mpnet" else tiny_checkpoint(family)
    network, tokenizer = open_network(folder)
    length = max_positions(local(folder))
    batch = tokenizer("film " * 300, truncation=True, max_length=length, return_tensors="pt")
    assert batch["input_ids"].shape == (1, length)
    assert torch.isfinite(network.model(input_ids=batch["input_ids"]).logits).all()


def test_positions_that_the_configuration_does_not_state_are_512(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "xlnet", "d_model": 32, "n_head": 2}))
    assert max_positions(local(folder)) == 512


def test_the_heads_start_comes_from_the_seed(folder):
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(build_network(local(folder), CLASSES).model.classifier.weight.detach().clone())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_trunk_is_the_checkpoints(folder):
    saved = load_file(folder / "model.safetensors")
    trunk = build_network(local(folder), CLASSES).trunk.state_dict()
    assert all(torch.equal(value, trunk[name]) for name, value in saved.items())


def test_a_head_for_another_number_of_classes_is_begun_afresh_on_the_same_trunk(folder, tmp_path):
    network, tokenizer = open_network(folder)
    network.model.save_pretrained(tmp_path / "three")
    tokenizer.save_pretrained(tmp_path / "three")
    again = build_network(local(tmp_path / "three"), ("yes", "no"))
    assert again.num_classes == 2
    assert again.model.config.id2label == {0: "yes", 1: "no"}
    same = [torch.equal(a, b) for a, b in zip(again.layers.parameters(), network.layers.parameters(), strict=True)]
    assert all(same)


def test_a_head_for_as_many_classes_is_gone_on_with(folder, tmp_path):
    network, tokenizer = open_network(folder)
    network.model.save_pretrained(tmp_path / "three")
    again = build_network(local(tmp_path / "three"), ("x", "y", "z"))
    batch = padded(tokenizer)
    with torch.no_grad():
        torch.testing.assert_close(again.eval()(batch), network.eval()(batch))


def test_classes_are_named_in_the_configuration(folder):
    config = build_network(local(folder), CLASSES).model.config
    assert config.id2label == {0: "bad", 1: "good", 2: "mixed"}
    assert config.label2id == {"bad": 0, "good": 1, "mixed": 2}


def test_loading_leaves_transformers_as_talkative_as_it_was(folder, capfd):
    level, bar = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    open_whole(folder)
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == (level, bar)
    assert capfd.readouterr() == ("", "")


def test_a_network_starts_in_training_mode_and_full_precision(folder):
    network = build_network(local(folder), CLASSES)
    assert network.training
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


def test_half_precision_weights_are_read_as_full(folder):
    rewrite(folder / "model.safetensors", lambda weights: {name: value.bfloat16() for name, value in weights.items()})
    edit_json(folder / "config.json", dtype="bfloat16")
    assert {weight.dtype for weight in build_network(local(folder), CLASSES).parameters()} == {torch.float32}


def test_a_checkpoint_without_the_pooler_that_a_native_head_needs_gets_a_fresh_one(folder):
    rewrite(folder / "model.safetensors", without("pooler"))
    assert "pooler" not in json.dumps(list(load_file(folder / "model.safetensors")))
    network = build_network(local(folder), CLASSES)
    assert network.model.bert.pooler.dense.weight.std() > 0


def test_a_pooled_head_needs_no_pooler(folder):
    rewrite(folder / "model.safetensors", without("pooler"))
    assert build_network(local(folder), CLASSES, head="mlp").head is not None


def test_plain_transformers_reads_the_same_trunk(folder):
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
    torch.manual_seed(0)
    network = build_network(local(folder), CLASSES).eval()
    batch = padded(load_tokenizer(local(folder)))
    with torch.no_grad():
        torch.testing.assert_close(network(batch), reference_logits(model, batch))


@pytest.mark.parametrize("family", ["roberta", "modernbert"])
def test_a_tokenizer_that_draws_how_it_splits_words_is_made_to_split_them_in_one_way(family, tmp_path, tiny_checkpoint, caplog):
    folder = shutil.copytree(tiny_checkpoint(family), tmp_path / "model")
    held = json.loads((folder / "tokenizer.json").read_text())
    held["model"]["dropout"] = 0.5
    (folder / "tokenizer.json").write_text(json.dumps(held))
    plain = load_tokenizer(find_checkpoint(str(tiny_checkpoint(family))))
    assert not caplog.records
    drawn = load_tokenizer(find_checkpoint(str(folder)))
    assert "that is switched off" in caplog.text
    text = "a brilliantly funny superb delightful unforgettable shallow story " * 5
    assert {tuple(drawn(text).input_ids) for _ in range(5)} == {tuple(plain(text).input_ids)}
    assert json.loads(drawn.backend_tokenizer.to_str())["model"].get("dropout") is None


def test_weights_that_the_configuration_does_not_use_are_named(tmp_path, tiny_checkpoint, caplog):
    folder = shutil.copytree(tiny_checkpoint("bert"), tmp_path / "model")
    build_network(find_checkpoint(str(folder)), CLASSES)
    assert not caplog.records
    edit_json(folder / "config.json", num_hidden_layers=2)
    build_network(find_checkpoint(str(folder)), CLASSES)
    assert "16 weights of its files are not in the model" in caplog.text
    assert "encoder.layer.2." in caplog.text
