"""A saved model must answer like the live one: read back by pretune, and by plain transformers, long texts included."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pretune.models import (
    ClassNetwork,
    Inputs,
    LanguageNetwork,
    ModelCard,
    Windows,
    check_parity,
    find_shift,
    load_folder,
    load_language_model,
)
from pretune.models.parity import MAX_SHARE_DIFFERENCE, PARITY_ROWS, long_texts
from pretune.models.pipeline import ask_apart, ask_pipeline
from pretune.models.quiet import quiet_transformers
from pretune.predict.classify import predict_logits
from pretune.tokens import encode

logger = logging.getLogger(__name__)

USUAL_TEXTS = ("The quick brown fox.", "no")
# Texts that the pipeline of transformers answers one by one, beside two that have to be cut.
PIPELINE_TEXTS = 8


def check_saved(
    folder: Path, network: ClassNetwork, tokenizer: Any, card: ModelCard, texts: Sequence[str], *, apart: bool = False
) -> float:
    """Compare the live model with the folder that it was saved in; return the largest difference of two logits.

    Args:
        folder: What ``save_model`` wrote.
        network: The live one, on the processor.
        tokenizer: Its own.
        card: Of the live model.
        texts: Clean ones, which both are asked about.
        apart: Whether another process runs transformers, which takes about five seconds of a processor.

    Raises:
        ParityError: What was read back is another model, or plain transformers answers otherwise.
    """
    usual = tuple(texts) or USUAL_TEXTS
    asked = (*long_texts(usual, card.max_length), *usual)
    live = predict_logits(network, Inputs(encode(asked, tokenizer, max_length=card.max_length)))
    reloaded, again, found = load_folder(folder, is_checked=True)  # saving has read every file back
    theirs = predict_logits(reloaded, Inputs(encode(asked, again, max_length=found.max_length)))
    difference = check_parity(live, theirs, f"the model saved in {folder} gives other logits than the live one")
    if network.head is None:
        number = PIPELINE_TEXTS + 2
        _check_pipeline(folder, card, asked[:number], shares_of(live[:number], network, card), apart=apart)
    return difference


@torch.inference_mode()
def check_saved_words(folder: Path, network: LanguageNetwork, ids: torch.Tensor) -> float:
    """Compare the live language model with the folder that it was saved in, as plain transformers reads it.

    Args:
        folder: What ``save_language_model`` wrote.
        network: The live one, in evaluation.
        ids: (1, time), tokens of which the first few are asked about.

    Returns:
        The largest difference of two probabilities.

    Raises:
        ParityError: What was read back is another model.
    """
    ids = ids[:, :PARITY_ROWS]
    windows = Windows(ids=ids, targets=torch.arange(ids.shape[1])).to(next(network.parameters()).device.type)
    *_, live = network.guesses(windows)
    with torch.random.fork_rng(devices=[]):
        reloaded = load_language_model(str(folder)).network.eval()
    theirs = reloaded.model(input_ids=ids).logits[0].float()
    what = f"the model saved in {folder} guesses other words in plain transformers"
    return check_parity(live.cpu().softmax(dim=1), theirs.softmax(dim=1), what, limit=MAX_SHARE_DIFFERENCE)


def shift_of(network: ClassNetwork, card: ModelCard) -> torch.Tensor | None:
    """Return what the saved output layer adds to the logits, (classes,), for the threshold; ``None`` where it cannot."""
    return find_shift(network, card.classes, card.positive, card.threshold)


def shares_of(logits: torch.Tensor, network: ClassNetwork, card: ModelCard) -> torch.Tensor:
    """Return the saved model's probabilities, (texts, classes); the largest decides where a threshold is folded in."""
    shift = shift_of(network, card)
    return (logits if shift is None else logits + shift).double().softmax(dim=1)


def _check_pipeline(folder: Path, card: ModelCard, texts: tuple[str, ...], shares: torch.Tensor, *, apart: bool) -> None:
    answers = None
    if apart:
        try:
            answers = ask_apart(str(folder), texts)
        except OSError as error:
            logger.warning("transformers could not be asked in a process of its own (%s): it is asked in this one", error)
    if answers is None:
        with quiet_transformers():
            answers = ask_pipeline(str(folder), texts)
    theirs = torch.tensor([[answer.get(name, math.nan) for name in card.classes] for answer in answers], dtype=torch.float64)
    what = f"the model saved in {folder} answers otherwise in plain transformers"
    check_parity(shares, theirs, what, limit=MAX_SHARE_DIFFERENCE)
