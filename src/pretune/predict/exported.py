"""An exported classifier that answers: its tokenizer, its batches, and whatever runs its graph; onnxruntime needs no torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pretune.errors import ModelLoadError
from pretune.intervals import Floats
from pretune.models.exported import ExportCard, read_export_card
from pretune.models.formats.forms import CLASS_KINDS
from pretune.predict.text_scorer import decide
from pretune.tokens import encode, pad, padded_width, plan_scoring

Ids = npt.NDArray[np.int64]
# Tokens per batch, padding included. Unlike torch's, the runtimes keep nothing per shape.
MAX_TOKENS = 2_048
TOKENIZER = "tokenizer.json"


class Runtime(Protocol):
    """What runs a graph."""

    def __call__(self, ids: Ids, mask: Ids) -> Floats:
        """Return logits (batch, classes) of ids and mask, each (batch, time); mask is 1 at real tokens."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTokenizer:
    """What ``encode`` reads of a tokenizer of transformers, without transformers."""

    backend_tokenizer: Any
    unk_token_id: int | None
    pad_token_id: int
    split_special_tokens: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedScorer:
    """A ``TextScorer`` of an exported form. Threads may share it if they ask one after the other.

    Args:
        card: Of the export.
        tokenizer: Of the export.
        run: Runs the graph.
        max_tokens: Tokens per batch.
    """

    card: ExportCard
    tokenizer: PlainTokenizer
    run: Runtime
    max_tokens: int = MAX_TOKENS

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self.card.card.classes

    def logits(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Floats:
        """Return float64 logits (num_texts, num_classes) of clean texts, the longest asked first."""
        length = self.card.card.max_length
        encoded = encode(texts, self.tokenizer, max_length=length)
        logits, done = np.zeros((len(texts), len(self.classes))), 0
        for rows in plan_scoring(encoded.lengths, max_tokens=self.max_tokens):
            width = padded_width(int(encoded.lengths[rows[0]]), length)
            logits[rows] = self.run(*pad(encoded, rows, width=width))
            done += len(rows)
            if progress is not None:
                progress(done, len(texts))
        return logits

    def shares(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each class, (num_texts, num_classes), as the graph gives them."""
        return softmax(self.logits(texts))

    def decide(self, shares: Floats) -> list[int]:
        """Return the number of each text's class: the largest, or by a threshold that the graph does not hold."""
        card, is_held = self.card.card, self.card.shift is not None
        positive = card.classes.index(card.positive) if card.positive in card.classes else None
        return [int(index) for index in decide(shares, positive=positive, threshold=None if is_held else card.threshold)]


def open_export(folder: Path, *, threads: int | None = None, max_tokens: int = MAX_TOKENS) -> ExportedScorer:
    """Load an exported classifier.

    Args:
        folder: What ``pretune export`` wrote.
        threads: Number of threads; as many as this process may use, unless given.
        max_tokens: Tokens per batch.

    Raises:
        ModelLoadError: It is something else, or damaged.
        MissingPackageError: What runs this form is not installed.
    """
    from tokenizers import Tokenizer

    card = read_export_card(folder)
    if card.form not in CLASS_KINDS:
        raise ModelLoadError(
            f"{folder} is of the form {card.form!r}", expected=", ".join(CLASS_KINDS), fix="use the version that wrote it"
        )
    runtime = import_module(f"pretune.predict.runtimes.{card.form.partition('-')[0]}_runtime")
    reading = card.reading
    tokenizer = PlainTokenizer(
        backend_tokenizer=Tokenizer.from_file(str(folder / TOKENIZER)),
        unk_token_id=reading.unknown_id,
        pad_token_id=reading.padding_id,
        split_special_tokens=reading.control_as_text,
    )
    return ExportedScorer(card=card, tokenizer=tokenizer, run=runtime.open_runtime(folder, threads), max_tokens=max_tokens)


def softmax(logits: Floats) -> Floats:
    """Return probabilities, (rows, classes), of logits.

    Example:
        >>> softmax(np.array([[0.0, 0.0]])).tolist()
        [[0.5, 0.5]]
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
