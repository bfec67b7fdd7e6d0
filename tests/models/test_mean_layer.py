"""A head that reads the mean: the layer that gives it the mean, and the regression that it begins as."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import pretune
from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.evaluate.encoder_linear import fit_encoder_linear
from pretune.models import build_network, find_checkpoint, load_tokenizer, open_encoder
from pretune.models.inputs import Inputs
from pretune.models.mean_layer import head_features
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


def test_the_added_layer_gives_the_first_token_the_mean_of_all(sentence_encoder):
    network, batch = build(sentence_encoder), batch_of(sentence_encoder)
    with torch.inference_mode():
        states = network.run(batch, 3)
        means = (states * batch.mask[..., None]).sum(1) / batch.mask.sum(1, keepdim=True)
        read = network.summarize(batch)
    assert len(network.layers) == 4
    assert torch.allclose(read, functional.layer_norm(means, (32,)), atol=0.02)


def test_without_the_word_of_the_checkpoint_nothing_is_added(tiny_checkpoint, tmp_path):
    assert len(build(tiny_checkpoint("bert")).layers) == 3
    several = with_pooling(tiny_checkpoint("bert"), tmp_path / "several", pooling_mode_max_tokens=True)
    assert len(build(several).layers) == 3
    first = with_pooling(
        tiny_checkpoint("bert"), tmp_path / "first", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True
    )
    assert len(build(first).layers) == 3
    (first / "1_Pooling" / "config.json").write_text("{")
    assert len(build(first).layers) == 3
    electra = with_pooling(tiny_checkpoint("electra"), tmp_path / "electra")  # its head is no tanh
    assert len(build(electra).layers) == 3


def test_own_pooling_leaves_the_architecture_as_it_is(sentence_encoder):
    assert len(build(sentence_encoder, mean=False).layers) == 3


def test_boundaries_count_the_layers_of_the_checkpoint(sentence_encoder):
    network = build(sentence_encoder)
    assert [network.boundary_of(freeze) for freeze in ("none", "last-3", "last-1", "all")] == [0, 0, 2, 4]
    with pytest.raises(UsageError, match="3 layers"):
        network.boundary_of("last-4")
    network.freeze("all")
    assert not any(weight.requires_grad for weight in network.layers.parameters())
    network.freeze("last-1")
    learns = [all(weight.requires_grad for weight in layer.parameters()) for layer in network.layers]
    assert learns == [False, False, True, True]


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
    assert (config["num_hidden_layers"], config["has_mean_layer"]) == (4, True)
    answers = pipeline("text-classification", model=str(folder), top_k=None)(list(TEXTS))
    shares = model.predict_proba(list(TEXTS))
    for given, row in zip(answers, shares, strict=True):
        assert {item["label"]: item["score"] for item in given} == pytest.approx(
            dict(zip(model.classes_, row, strict=True)), abs=1e-4
        )
    again = pretune.load_model(folder)
    assert again.predict_proba(list(TEXTS)) == pytest.approx(shares, abs=1e-6)
    continued = build(folder)
    assert (len(continued.layers), continued.boundary_of("last-1")) == (4, 2)


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


def test_stages_count_the_layers_of_the_checkpoint(sentence_encoder):
    config = FinetuneConfig(max_length=32, calibrate=False)
    model = pretune.TextClassifier(str(sentence_encoder), epochs=5, freeze="gradual", config=config)
    texts, labels = zip(*labelled(2), strict=True)
    model.fit(list(texts), list(labels))
    assert len(model.history_.validations) >= 4
