"""Boundary: how many layers are trained, on how many tokens a text, where nobody said; from the processor and the table."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pretune.configs import AUTO, DEFAULT_MAX_LENGTH
from pretune.models import find_checkpoint, load_tokenizer, max_positions
from pretune.models.checkpoint import read_config
from pretune.records import Example
from pretune.tasks.classify.pace import MAX_LENGTH, Lengths, work_of
from pretune.tokens import encode
from pretune.train import has_fast_bf16

ALL_LAYERS, LAST_LAYERS = "none", "last-2"
# Epochs of a run on a processor, when all layers are trained.
EPOCHS = 3
# Floating-point operations above which a processor without fast bf16 trains the last layers only: about eight minutes at the
# 0.1 TFLOP/s that two cores reach in fp32. The three epochs of `movie-reviews` are 36e12 (docs/decisions/0007).
MOST_WORK = 50e12
# Texts whose lengths stand for those of all.
SAMPLE = 2_000
# Tokens a text at most, the longest first, and the share of texts that may be cut where a greater length is to be had.
LENGTHS = (MAX_LENGTH, 256, DEFAULT_MAX_LENGTH)
MOST_CUT = 0.05


def resolve_freeze(freeze: str, kind: str, model: str, rows: Sequence[Example], max_length: int | None = None) -> str:
    """Return ``freeze`` with ``auto`` decided: all layers where bf16 is fast or the table is small enough, else the last two.

    Args:
        freeze: As it was asked for; anything but ``auto`` is returned as it is.
        kind: ``cpu`` or ``cuda``.
        model: Catalogue name, folder or hub id.
        rows: Of training.
        max_length: Tokens a text at most.

    Raises:
        ModelLoadError: There is no usable model of that name.
    """
    if freeze != AUTO:
        return freeze
    if kind == "cuda" or has_fast_bf16(kind):
        return ALL_LAYERS
    return ALL_LAYERS if training_work(model, rows, max_length) <= MOST_WORK else LAST_LAYERS


def choose_length(model: str, rows: Sequence[Example], epochs: int = EPOCHS) -> int:
    """Return how many tokens of a text are read where nobody said: the fewest of ``LENGTHS`` that cut few texts.

    More than the least of them only if so many epochs of all layers are then at most ``MOST_WORK``: what a short table is
    worth reading whole takes hours on a long one.

    Args:
        model: Catalogue name, folder or hub id.
        rows: Of training.
        epochs: Of all layers.

    Raises:
        ModelLoadError: There is no usable model of that name.
    """
    most = min(MAX_LENGTH, max_positions(find_checkpoint(model)))
    lengths = _lengths_of(model, rows, MAX_LENGTH)
    for longest, shorter in pairwise(LENGTHS):
        is_cut = bool(len(lengths)) and float((lengths > shorter).mean()) > MOST_CUT
        if is_cut and most > shorter and 0 < _work(model, np.minimum(lengths, longest), len(rows), epochs) <= MOST_WORK:
            return min(longest, most)
    return LENGTHS[-1]


def training_work(model: str, rows: Sequence[Example], max_length: int | None = None) -> float:
    """Return the floating-point operations of ``EPOCHS`` epochs of all layers, embeddings and head left out.

    A pass over a text takes 24 × width² × length operations a layer for its matrices, where the inner ones are four times as
    wide, and 4 × width × length² for attention; the way back takes twice as many. 0 where the configuration names no layers.

    Source:
        Kaplan et al. (2020), Scaling laws for neural language models, table 1 and section 2.1.
    """
    return _work(model, _lengths_of(model, rows, max_length or DEFAULT_MAX_LENGTH), len(rows), EPOCHS)


def _work(model: str, lengths: Lengths, num_rows: int, epochs: int) -> float:
    """Return the operations of so many epochs over so many rows, of which some have these lengths, shape (num_sampled,)."""
    config = read_config(find_checkpoint(model))
    width, layers = int(getattr(config, "hidden_size", 0) or 0), int(getattr(config, "num_hidden_layers", 0) or 0)
    return 3 * epochs * 4.0 * width * layers * work_of(lengths, width) * num_rows / max(len(lengths), 1)


def _lengths_of(model: str, rows: Sequence[Example], max_length: int) -> Lengths:
    """Return the tokens of at most ``SAMPLE`` texts, cut at this length, shape (num_sampled,)."""
    places = np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int)
    sample = [rows[place].text for place in places]
    return encode(sample, load_tokenizer(find_checkpoint(model)), max_length=max_length).lengths
