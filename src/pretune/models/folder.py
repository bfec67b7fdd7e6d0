"""A fine-tuned model on disk: safetensors, configuration, tokenizer, ``pretune.json``; saved means read back and compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from pretune import storage
from pretune.errors import ModelLoadError, ParityError, StorageError
from pretune.models.load import HEAD_FILE, Checkpoint, build_network, load_tokenizer, quiet_transformers
from pretune.models.network import Network
from pretune.records import SCHEMA, Record

# Largest difference of two logits that is still the same model: float32 sums in another order differ by about 1e-6.
MAX_LOGIT_DIFFERENCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard(Record):
    """``pretune.json``: what the weights alone do not say."""

    schema: int = SCHEMA
    task: str = "classify"
    classes: tuple[str, ...]
    positive: str | None = None
    threshold: float | None = None  # least probability of ``positive`` that decides for it; None: the largest class
    goal: str | None = None  # what the threshold was chosen for, on validation rows
    folded_temperature: float = 1.0  # already in the weights of the output layer: nothing is to be divided by it again
    head: str = "native"
    head_size: int = 64
    max_length: int = 128
    base_model: str = ""
    licence: str | None = None
    pretune_version: str = ""


def save_model(folder: Path, network: Network, tokenizer: Any, card: ModelCard) -> None:
    """Write the model folder, whole or not at all.

    With the native head it loads in plain transformers with the same logits.

    Raises:
        StorageError: The disk refused.
    """

    def fill(aside: Path) -> None:
        with quiet_transformers():
            network.model.save_pretrained(aside)
            tokenizer.save_pretrained(aside)
        if network.head is not None:
            save_file({name: value.contiguous() for name, value in network.head.state_dict().items()}, aside / HEAD_FILE)
        storage.replace_json(aside / "pretune.json", card.to_json())

    storage.replace(folder, fill)


def write_card(folder: Path, card: ModelCard) -> None:
    """Replace ``pretune.json`` of a saved model: another threshold leaves the weights as they are.

    Raises:
        StorageError: The disk refused.
    """
    storage.replace_json(folder / "pretune.json", card.to_json())


def load_folder(folder: Path) -> tuple[Network, Any, ModelCard]:
    """Read a model folder back.

    Raises:
        ModelLoadError: It is not a folder that pretune wrote, or a part is missing or damaged.
    """
    if not (folder / "pretune.json").is_file():
        raise ModelLoadError(
            f"{folder} holds no pretune.json" if folder.is_dir() else f"there is no folder {folder}",
            expected="a model that pretune saved (a run folder, its model/ folder, or what model.save wrote)",
            fix="for a pre-trained checkpoint use load_pretrained_model or --model",
        )
    try:
        card = ModelCard.from_json(storage.read_json(folder / "pretune.json"))
    except (StorageError, TypeError, ValueError, AttributeError) as error:
        raise ModelLoadError(
            f"{folder / 'pretune.json'} is damaged: {error}", fix="train again, or restore the file"
        ) from error
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
