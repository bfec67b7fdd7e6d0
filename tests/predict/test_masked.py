"""Guesses after every layer: the last ones are those of plain transformers, and earlier ones what its head gives there."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from running import call
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, BertConfig, BertForMaskedLM

from pretune.errors import UsageError
from pretune.models import load_language_model
from pretune.models.architectures import new_language_model
from pretune.predict.masked import follow_words
from pretune.tasks.ask import guess_words
from pretune.tokens import train_tokenizer
from tiny import make_rows

TEXTS = [text for text, _ in make_rows(300)]
FAMILIES = ("modernbert", "bert", "llama")


@cache
def tokenizer(kind: str) -> Any:
    return train_tokenizer(TEXTS, kind=kind, vocab_size=512)


def save_model(family: str, folder: Path) -> Path:
    """Save a tiny language model, whose random weights are large enough for layers to differ, with its tokenizer."""
    own = tokenizer("bpe" if family == "llama" else "wordpiece")
    torch.manual_seed(0)
    if family == "bert":
        config = BertConfig(
            vocab_size=len(own), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=64, pad_token_id=own.pad_token_id,
        )  # fmt: skip
        model = BertForMaskedLM(config)
    else:
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = new_language_model("causal" if family == "llama" else "masked", "tiny", own, sizes)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.2)
    model.eval().save_pretrained(folder)
    own.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return cache(lambda family: save_model(family, tmp_path_factory.mktemp(family)))


def reference(family: str, folder: Path, ids: list[int], place: int) -> list[torch.Tensor]:
    """Return the shares at a place after each layer, as plain transformers' own modules give them."""
    kind = AutoModelForCausalLM if family == "llama" else AutoModelForMaskedLM
    model = kind.from_pretrained(folder).eval()
    last = {"modernbert": "final_norm", "llama": "norm"}.get(family)
    with torch.no_grad():
        hidden = list(model(torch.tensor([ids]), output_hidden_states=True).hidden_states)
        layers = []
        for index, state in enumerate(hidden):
            is_done = index == len(hidden) - 1  # transformers puts the norm into the last state already
            state = state if last is None or is_done else getattr(model.model, last)(state)
            logits = {
                "bert": lambda state: model.cls(state),
                "modernbert": lambda state: model.decoder(model.head(state)),
                "llama": lambda state: model.lm_head(state),
            }[family](state)
            layers.append(logits[0, place].softmax(dim=0))
    return layers


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_guesses_what_plain_transformers_would(family: str, saved: Callable[[str], Path]) -> None:
    prompt = "the film was" if family == "llama" else "the film was [MASK] and the plot"
    found = guess_words(str(saved(family)), prompt)
    (place,) = found.places
    expected = reference(family, saved(family), list(found.ids), place.place)
    assert [layer.name for layer in place.layers] == ["embeddings", "layer 1", "layer 2"]
    for layer, shares in zip(place.layers, expected, strict=True):
        top = shares.topk(5)
        assert [guess.probability for guess in layer.guesses] == pytest.approx(top.values.tolist(), abs=2e-5)
        assert layer.final_probability == pytest.approx(float(shares[expected[-1].argmax()]), abs=2e-5)
    assert place.layers[-1].final_probability == pytest.approx(place.layers[-1].guesses[0].probability, abs=1e-5)
    assert found.objective == ("causal" if family == "llama" else "masked")


def test_each_hidden_word_is_guessed_at_its_own_place(saved: Callable[[str], Path]) -> None:
    found = guess_words(str(saved("modernbert")), "the [MASK] was [MASK]")
    assert [found.tokens[place.place] for place in found.places] == ["[MASK]", "[MASK]"]
    assert found.places[0].layers != found.places[1].layers


def test_following_leaves_the_model_as_it_was(saved: Callable[[str], Path]) -> None:
    start = load_language_model(str(saved("bert")))
    assert start.network.training
    follow_words(start.network, start.tokenizer, "the [MASK]")
    assert start.network.training


@pytest.mark.parametrize("prompt", ["the film was great", ""])
def test_nothing_hidden_is_an_error_that_says_how(prompt: str, saved: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match=r"(?s)nothing is hidden.*\[MASK\]"):
        guess_words(str(saved("bert")), prompt)


def test_nothing_to_go_on_from_is_an_error(saved: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="empty"):
        guess_words(str(saved("llama")), "")


def test_a_text_that_is_too_long_is_an_error(saved: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="at most 64"):
        guess_words(str(saved("bert")), "the film " * 60 + "[MASK]")


class TestCommand:
    """`pretune trace --mask`."""

    def test_it_shows_the_guesses(self, saved: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert call("trace", saved("bert"), "--mask", "the film was [MASK]") == 0
        shown = capsys.readouterr().out
        for words in ("embeddings", "layer 2", "The hidden word", "Guess   the film was"):
            assert words in shown

    def test_its_json_is_one_object(self, saved: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
        assert call("trace", saved("llama"), "--mask", "the film", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["objective"] == "causal"
        assert len(found["places"][0]["layers"]) == 3

    @pytest.mark.parametrize("arguments", [[], ["RUN"], ["RUN", "a text", "--mask", "a [MASK]"]])
    def test_what_does_not_go_together_is_named(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert call("trace", *arguments) == 2
        assert "--mask" in capsys.readouterr().err

    def test_without_a_run_the_newest_pretrained_one_is_asked(
        self, saved: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert call("trace", "--mask", "the [MASK]") == 2
        assert "no pre-trained one" in capsys.readouterr().err
        for name, status in (("old", "pretrained"), ("other", "trained")):
            (tmp_path / "runs" / name).mkdir(parents=True)
            (tmp_path / "runs" / name / "run.json").write_text(json.dumps({"schema": 1, "run": name, "status": status}))
        (tmp_path / "runs" / "old" / "model").symlink_to(saved("bert"))
        assert call("trace", "--mask", "the [MASK]", "--json") == 0
        assert json.loads(capsys.readouterr().out)["model"] == "runs/old"
