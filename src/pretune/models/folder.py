"""A fine-tuned model on disk: safetensors, configuration, tokenizer, ``pretune.json``; saved means read back and compared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from pretune import storage
from pretune.data.seal.learned import Learned
from pretune.errors import ModelLoadError, ParityError
from pretune.hashing import digest_of_file
from pretune.models.card import CARD, ModelCard, check_folder, read_card
from pretune.models.heads import ClassNetwork
from pretune.models.load import HEAD_FILE, Checkpoint, build_network, load_tokenizer
from pretune.models.plain import write_plain
from pretune.models.temperature import find_shift, folded
from pretune.models.vetting import vet_folder

# Largest difference of two logits that is still the same model: float32 sums in another order differ by about 1e-6.
MAX_LOGIT_DIFFERENCE = 1e-4


def save_model(folder: Path, network: ClassNetwork, tokenizer: Any, card: ModelCard, learned: Learned | None = None) -> None:
    """Write the model folder, whole or not at all; ``learned`` is what the model has learned from.

    With the native head it loads in plain transformers, which cuts texts where pretune does, and gives the same logits; those
    of two classes moved by the threshold, so that the largest class is the answer.

    Raises:
        StorageError: The disk refused.
    """
    mark = {"task": card.task, "corpora": [] if learned is None else list(learned.corpora)}

    def fill(aside: Path) -> dict[str, str]:
        shift = find_shift(network, card.classes, card.positive, card.threshold)
        with folded(network, shift) as bias:
            write_plain(aside, network.model, tokenizer, max_length=card.max_length, mark=mark)
            if network.head is not None:
                save_file({name: value.contiguous() for name, value in network.head.state_dict().items()}, aside / HEAD_FILE)
        if learned is not None:
            learned.write(aside)
        digests = {file.name: digest_of_file(file) for file in sorted(aside.iterdir())}
        written = replace(card, digests=digests, unfolded_bias=bias)
        storage.replace_json(aside / CARD, storage.sealed(written.to_json()))
        return digests

    storage.replace(folder, fill)


def load_folder(folder: Path, *, is_checked: bool = False) -> tuple[ClassNetwork, Any, ModelCard]:
    """Read a model folder back.

    Args:
        folder: What ``save_model`` wrote.
        is_checked: Whether its files were compared just now.

    Raises:
        ModelLoadError: It is not a folder that pretune wrote, or a part is missing or damaged.
    """
    storage.settle(folder)
    if not (folder / CARD).is_file():
        raise ModelLoadError(
            f"{folder} holds no {CARD}" if folder.is_dir() else f"there is no folder {folder}",
            expected="a model that pretune saved (a run folder, its model/ folder, or what model.save wrote)",
            fix="for a pre-trained checkpoint use load_pretrained_model or --model",
        )
    card = read_card(folder)
    if not is_checked:
        check_folder(folder)
    vet_folder(folder)
    checkpoint = Checkpoint(name=str(folder), path=str(folder), is_local=True, model_type="", licence=card.licence)
    network = build_network(checkpoint, card.classes, head=card.head, head_size=card.head_size, complete=True)
    return network.eval(), load_tokenizer(checkpoint), card


def check_parity(live: torch.Tensor, reloaded: torch.Tensor, folder: Path) -> float:
    """Compare logits (texts, classes) of the live model and of the one read back; return the largest difference.

    Raises:
        ParityError: They differ by more than ``MAX_LOGIT_DIFFERENCE``.
    """
    difference = float((live - reloaded).abs().max()) if live.numel() else 0.0
    if not difference <= MAX_LOGIT_DIFFERENCE:
        raise ParityError(
            f"the model saved in {folder} gives other logits than the live one: they differ by {difference:.2g}",
            expected=f"at most {MAX_LOGIT_DIFFERENCE:g} on {len(live)} rows",
            fix="do not use this folder; please report the model and versions",
        )
    return difference
