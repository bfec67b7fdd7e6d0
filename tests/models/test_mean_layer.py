"""A head that reads the mean, the layer that it is saved with, and the regression that it begins as."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

import pretune
from pretune.configs import FinetuneConfig
from pretune.evaluate.encoder_linear import fit_encoder_linear
from pretune.models import build_network, find_checkpoint, load_tokenizer, open_encoder
from pretune.models.formats import language_model
from pretune.models.head_start import head_features
from pretune.models.inputs import Inputs
from pretune.models.mean_layer import MARK, with_layer
from pretune.records import Example
from pretune.tasks.classify.start import SHRINK
from pretune.tokens import encode
from tiny import make_rows

TEXTS = ("a great film", "bad", "an evening of warm and well acted scenes that never end", "the plot")


@pytest.fixture(params=["bert", "roberta"])
def sentence_encoder(request, tiny_checkpoint, tmp_path) -> Path:
    """A tiny checkpoint that says it was made for the mean of its states."""
    return with_pooling(tiny_checkpoint(request.param), tmp_path / "encoder")


def with_pooling(checkpoint: Path, folder: Path, **modes: bool) -> Path:
    shutil.copytree(checkpoint, folder)
    said = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False} | modes
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said))
    return folder


def build(folder: Path, *, mean: bool = True):
    return build_network(find_checkpoint(str(folder)), ("bad", "good"), mean=mean).eval()


def batch_of(folder: Path, texts=TEXTS):
    encoded = encode(list(texts), load_tokenizer(find_checkpoint(str(folder))), max_length=32)
    return Inputs(encoded).batch(range(len(texts)))


def test_the_head_reads_the_mean_of_all_states(sentence_encoder):
    network, batch = build(sentence_encoder), batch_of(sentence_encoder)
    with torch.inference_mode():
        states = network.run(batch)
        means = (states * batch.mask[..., None]).sum(1) / batch.mask.sum(1, keepdim=True)
        read = network.summarize(batch)
    assert (len(network.layers), network.takes_mean) == (3, True)
    assert torch.allclose(read, functional.layer_norm(means, (32,)), atol=0.02)


def test_the_saved_layer_takes_the_same_mean(sentence_encoder):
    network, batch = build(sentence_encoder), batch_of(sentence_encoder)
    with torch.inference_mode():
        ours = network(batch)
        with with_layer(network.model):
            theirs = network.model(input_ids=batch.ids, attention_mask=batch.mask).logits
            assert len(network.layers) == network.model.config.num_hidden_layers == 4
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert len(network.layers) == network.model.config.num_hidden_layers == 3
    assert not hasattr(network.model.config, MARK)


def test_without_the_word_of_the_checkpoint_the_first_token_is_read(tiny_checkpoint, tmp_path):
    assert not build(tiny_checkpoint("bert")).takes_mean
    several = with_pooling(tiny_checkpoint("bert"), tmp_path / "several", pooling_mode_max_tokens=True)
    assert not build(several).takes_mean
    first = with_pooling(
        tiny_checkpoint("bert"), tmp_path / "first", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True
    )
    assert not build(first).takes_mean
    for damaged in ("{", "[]"):
        (first / "1_Pooling" / "config.json").write_text(damaged)
        assert not build(first).takes_mean
    electra = with_pooling(tiny_checkpoint("electra"), tmp_path / "electra")  # its head is no tanh
    assert not build(electra).takes_mean


def test_own_pooling_reads_the_first_token(sentence_encoder):
    assert not build(sentence_encoder, mean=False).takes_mean


@pytest.mark.parametrize("num_classes", [2, 3])
def test_the_head_begins_as_a_regression_over_means(sentence_encoder, num_classes):
    model = fit(sentence_encoder, labelled(num_classes), rate=1e-12)
    encoder = open_encoder(str(sentence_encoder), max_length=32)

    def read(texts):
        return head_features(model.network_, encoder.features(texts))

    rows = model._training.train
    regression = fit_encoder_linear(read([row.text for row in rows]), rows, encoder="", max_length=32)
    said = regression.predict(read(list(TEXTS)), [Example(id=text, text=text) for text in TEXTS], split="given")
    powers = np.array(said.probabilities) ** SHRINK  # a fifth of the logits
    expected = powers / powers.sum(axis=1, keepdims=True)
    assert model.predict_proba(list(TEXTS)) == pytest.approx(expected, abs=0.005)
    assert np.ptp(expected[:, 0]) > 0.02


def test_what_is_saved_is_a_plain_model_that_is_loaded_without_another_layer(sentence_encoder, tmp_path):
    from transformers import pipeline

    model = fit(sentence_encoder, labelled(2), rate=1e-3)
    folder = model.save(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    assert (config["num_hidden_layers"], config[MARK]) == (4, True)
    answers = pipeline("text-classification", model=str(folder), top_k=None)(list(TEXTS))
    shares = model.predict_proba(list(TEXTS))
    for given, row in zip(answers, shares, strict=True):
        assert {item["label"]: item["score"] for item in given} == pytest.approx(
            dict(zip(model.classes_, row, strict=True)), abs=1e-4
        )
    again = pretune.load_model(folder)
    assert again.predict_proba(list(TEXTS)) == pytest.approx(shares, abs=1e-6)
    continued = build(folder)
    assert (len(continued.layers), continued.takes_mean, continued.is_head_new) == (3, True, False)


def test_a_layer_that_another_tool_has_trained_stays_a_layer(sentence_encoder, tmp_path):
    folder = fit(sentence_encoder, labelled(2), rate=1e-3).save(tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("layer.3.attention.self.query.bias"))
    weights[name] += 0.01
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "pretune.json").unlink()  # it is the other tool's now
    changed = build(folder)
    assert (len(changed.layers), changed.takes_mean) == (4, False)


def test_a_new_head_on_a_saved_trunk_reads_the_mean_of_its_own_layers(sentence_encoder, tmp_path):
    folder = fit(sentence_encoder, labelled(2), rate=1e-3).save(tmp_path / "model")
    other = build_network(find_checkpoint(str(folder)), ("a", "b", "c"), mean=True)
    assert (len(other.layers), other.takes_mean, other.is_head_new) == (3, True, True)
    pooled = build_network(find_checkpoint(str(folder)), ("bad", "good"), head="mlp")
    assert (len(pooled.layers), pooled.takes_mean) == (3, False)


def test_continued_pre_training_keeps_what_the_checkpoint_was_made_for(tiny_checkpoint, tmp_path):
    sentence_encoder = with_pooling(tiny_checkpoint("bert"), tmp_path / "encoder")
    classifier = fit(sentence_encoder, labelled(2), rate=1e-3).save(tmp_path / "model")
    for begun in (sentence_encoder, classifier):
        start = language_model.read(str(begun))
        assert len(start.network.layers) == 3
        folder = tmp_path / f"words of {begun.name}"
        language_model.write(folder, start.network, start.tokenizer, window=32)
        assert build(folder).takes_mean


def test_a_head_is_started_alike_twice(sentence_encoder):
    first, second = (fit(sentence_encoder, labelled(2), rate=1e-12).predict_proba(list(TEXTS)) for _ in range(2))
    assert (first == second).all()


def labelled(num_classes: int) -> list[tuple[str, str]]:
    rows = make_rows(120)
    return rows if num_classes == 2 else [*rows, *[(f"{text} zebra zebra zebra", "other") for text, _ in rows[:60]]]


def fit(folder: Path, rows: list[tuple[str, str]], *, rate: float, pooling: str = "auto") -> pretune.TextClassifier:
    config = FinetuneConfig(learning_rate=rate, head_learning_rate=rate, max_length=32, calibrate=False, pooling=pooling)
    model = pretune.TextClassifier(str(folder), epochs=1, config=config)
    return model.fit([text for text, _ in rows], [label for _, label in rows])


def test_a_head_that_was_trained_is_kept_where_training_continues(sentence_encoder, tmp_path):
    folder = fit(sentence_encoder, labelled(2), rate=1e-3).save(tmp_path / "model")
    shares = pretune.load_model(folder).predict_proba(list(TEXTS))
    assert fit(folder, labelled(2), rate=1e-12).predict_proba(list(TEXTS)) == pytest.approx(shares, abs=1e-4)
