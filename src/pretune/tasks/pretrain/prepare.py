"""What pre-training reads and starts from: the vocabulary, the packed token ids, the model."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pretune.configs import PretrainConfig, PretrainRunConfig
from pretune.data.corpus import Corpus, prepare_corpus
from pretune.errors import UsageError
from pretune.models import LanguageNetwork, LanguageStart
from pretune.models.architectures import SIZES, check_architecture, new_language_model
from pretune.predict.words import nothing_hidden
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tokens import TokenStore, train_tokenizer, vocabulary_of, write_store
from pretune.train import Device, seed_everything
from pretune.train.windows import Text

COUNTED_TOKENS = 4_000_000  # from which the shares of words are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTraining:
    """What training reads, and the model it starts from.

    Args:
        corpus: The documents.
        start: Network and tokenizer.
        text: The packed token ids.
        config: Nothing is left open in it.
    """

    corpus: Corpus
    start: LanguageStart
    text: Text
    config: PretrainConfig


def prepare_training(
    corpus: Corpus, config: PretrainRunConfig, began: LanguageStart | None, folder: RunFolder, device: Device, trace: Trace
) -> PreparedTraining:
    """Tokenize and pack, and build the model where none is continued.

    Raises:
        UsageError: The objective or the architecture do not fit the model.
    """
    objective = objective_of(config, began)
    if began is None:
        wanted = config.pretrain.vocab_size or SIZES[config.pretrain.size].vocab_size
        tokenizer = train_tokenizer(
            corpus.texts("train"),
            kind="wordpiece" if objective == "masked" else "bpe",
            vocab_size=wanted,
            lowercase=config.tokenizer.lowercase,
            max_bytes=config.tokenizer.max_bytes,
            trace=trace,
        )
    else:
        tokenizer = began.tokenizer
    train, _ = _pack(corpus, "train", tokenizer, folder, trace)
    validation, bytes_a_token = _pack(corpus, "validation", tokenizer, folder, trace)
    if began is None:
        began = _build(objective, config, tokenizer)
    if objective == "masked" and (config.model is None or began.has_fresh_head):
        began.network.start_output_bias(count_tokens(train, began.network.model.config.vocab_size))
    began.network.to(device.kind)
    text = Text(
        train=train,
        validation=validation,
        validation_bytes=bytes_a_token,
        vocabulary=vocabulary_of(tokenizer) if objective == "masked" else None,
    )
    resolved = _resolve(config.pretrain, objective, is_new=config.model is None)
    return PreparedTraining(corpus=corpus, start=began, text=text, config=resolved)


def read_general(
    config: PretrainRunConfig, ready: PreparedTraining, folder: RunFolder, trace: Trace
) -> tuple[Text, Corpus] | None:
    """Return the held-out part of the general corpus, to see what is forgotten; ``None`` where none is named."""
    if config.general is None:
        return None
    place = folder.data / "general"
    corpus = prepare_corpus(config.general, replace(config.corpus, validation=None), place, trace=trace)
    counter = Counted(corpus.texts("validation"))
    store = write_store(counter, ready.start.tokenizer, place / "tokens", trace=trace)
    text = replace(ready.text, validation=store, validation_bytes=counter.num_bytes / max(1, store.num_tokens))
    return text, corpus


def count_tokens(stream: TokenStore, vocab_size: int) -> Tensor:
    """Return how often each token comes in the first ``COUNTED_TOKENS`` of a stream, (vocabulary,)."""
    counts, size = np.zeros(vocab_size, dtype=np.int64), 1 << 16
    for start in range(0, min(stream.num_tokens, COUNTED_TOKENS), size):
        ids, _ = stream.windows(np.array([start]), min(size, stream.num_tokens - start))
        counts += np.bincount(ids[0], minlength=vocab_size)
    return torch.from_numpy(counts)


class Counted:
    """Texts whose bytes are counted as they pass."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts, self.num_bytes = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self.num_bytes += len(text.encode("utf-8", "surrogatepass"))
            yield text


def _pack(corpus: Corpus, split: str, tokenizer: Any, folder: RunFolder, trace: Trace) -> tuple[TokenStore, float]:
    """Return a split's tokens and how many bytes of text a token stands for."""
    counter, place = Counted(corpus.texts(split)), folder.data / f"tokens.{split}"
    store = write_store(counter, tokenizer, place, trace=trace, num_texts=corpus.num_texts(split))
    return store, counter.num_bytes / max(1, store.num_tokens)


def check_asked(config: PretrainRunConfig, began: LanguageStart | None) -> None:
    """Refuse before the corpus is read what would be refused after it.

    Raises:
        UsageError: The objective or the architecture do not fit the model, or no model can be built of its fields; or hidden
            words are learned, and a text to watch hides none.
    """
    objective = objective_of(config, began)
    if began is None:
        check_architecture(objective, config.pretrain.size, _fields_of(config.pretrain))
    if objective != "masked":
        return
    masks = ("[MASK]", *(() if began is None else (str(began.tokenizer.mask_token),)))
    for prompt in config.watch:
        if not any(mask in prompt for mask in masks):
            raise nothing_hidden(prompt)


def objective_of(config: PretrainRunConfig, began: LanguageStart | None) -> str:
    """Return what is predicted: ``masked`` or ``causal``.

    Raises:
        UsageError: The objective or the architecture do not fit the model that is continued.
    """
    asked = config.pretrain.objective
    if began is None:
        return asked or "masked"
    own = "causal" if began.network.is_causal else "masked"
    if asked not in (None, own):
        raise UsageError(
            f"objective is {asked!r}, but {began.name} is a {own} model", expected=own, fix="leave --objective out"
        )
    if config.pretrain.architecture:
        raise UsageError(
            "--architecture and --model were both given",
            expected="one of them: a continued model keeps its architecture",
        )
    return own


def _build(objective: str, config: PretrainRunConfig, tokenizer: Any) -> LanguageStart:
    seed_everything(config.seed)
    model = new_language_model(objective, config.pretrain.size, tokenizer, _fields_of(config.pretrain))
    network = LanguageNetwork(model)
    network.set_dropout(config.pretrain.dropout)
    return LanguageStart(name="scratch", network=network, tokenizer=tokenizer)


def _fields_of(config: PretrainConfig) -> dict[str, Any]:
    pairs = (item.partition("=") for item in config.architecture)
    return {name.strip(): _number(value) for name, _, value in pairs}


def _number(value: str) -> Any:
    text = value.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _resolve(config: PretrainConfig, objective: str, *, is_new: bool) -> PretrainConfig:
    """Return the config with everything decided that was left open."""
    optimizer = config.optimizer or ("muon" if is_new else "adamw")
    usual = (3e-3 if optimizer == "muon" else 1e-3) if is_new else 1e-4
    return replace(
        config,
        objective=objective,
        optimizer=optimizer,
        learning_rate=config.learning_rate or usual,
        mask_share=config.mask_share or (0.3 if is_new else 0.15),
    )
