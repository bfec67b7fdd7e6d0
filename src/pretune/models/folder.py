"""A fine-tuned model on disk: safetensors, configuration, tokenizer, ``pretune.json``; saved means read back and compared."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from pretune import storage
from pretune.configs import HEADS
from pretune.data.label_types import LABEL_TYPES, typed
from pretune.data.learned import Learned
from pretune.errors import ModelLoadError, ParityError, StorageError
from pretune.hashing import digest_of, digest_of_file
from pretune.models.load import HEAD_FILE, Checkpoint, build_network, load_tokenizer
from pretune.models.network import Network
from pretune.models.plain import write_plain
from pretune.models.temperature import find_shift, folded
from pretune.models.vetting import vet_folder
from pretune.records import SCHEMA, Record

# Largest difference of two logits that is still the same model: float32 sums in another order differ by about 1e-6.
MAX_LOGIT_DIFFERENCE = 1e-4
MAX_CLASSES = 100_000


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
    unfolded_bias: tuple[float, ...] | None = None  # of the output layer, where the threshold is in the saved one
    head: str = "native"
    head_size: int = 64
    max_length: int = 128
    base_model: str = ""
    licence: str | None = None
    pretune_version: str = ""
    text_columns: tuple[
        str, ...
    ] = ()  # of the table it was fitted on; empty where the texts came without, or in models of before
    label_type: str = "str"  # of what ``predict`` answers: a label that was a number comes back as one
    digests: dict[str, str] = field(default_factory=dict)  # SHA-256 of the other files; empty in models of earlier versions
    digest: str = ""  # of everything above

    def __post_init__(self) -> None:
        """Check what weights, decisions and messages depend on.

        Raises:
            ValueError: A value is none that pretune writes.
        """
        numbers = (("head_size", self.head_size, 1, 1_000_000), ("max_length", self.max_length, 1, 10_000_000))
        for name, value, least, most in numbers:
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name} is {value!r}")
        names = self.classes
        if (
            not names
            or len(names) > MAX_CLASSES
            or len(set(names)) < len(names)
            or any(type(name) is not str for name in names)
        ):
            raise ValueError("classes are not distinct names")
        if self.task != "classify" or self.head not in HEADS:
            raise ValueError(f"task is {self.task!r}, head is {self.head!r}")
        if self.positive is not None and self.positive not in names:
            raise ValueError(f"positive is {self.positive!r}, which is no class")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold!r}")
        if any(type(name) is not str for name in self.text_columns):
            raise ValueError(f"text_columns is {self.text_columns!r}")
        if self.label_type not in LABEL_TYPES:
            raise ValueError(f"label_type is {self.label_type!r}")
        typed(names, self.label_type)
        if not 0 < self.folded_temperature < float("inf"):
            raise ValueError(f"folded_temperature is {self.folded_temperature!r}")
        bias = self.unfolded_bias
        if bias is not None and (len(bias) != len(names) or not all(map(math.isfinite, bias))):
            raise ValueError("unfolded_bias is not one number a class")


def seal_card(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card with the digest of everything else in it."""
    bare = {name: value for name, value in card.items() if name != "digest"}
    return bare | {"digest": digest_of(bare)}


def save_model(folder: Path, network: Network, tokenizer: Any, card: ModelCard, learned: Learned | None = None) -> None:
    """Write the model folder, whole or not at all; ``learned`` is what the model has learned from.

    With the native head it loads in plain transformers, which cuts texts where pretune does, and gives the same logits; those
    of two classes moved by the threshold, so that the largest class is the answer.

    Raises:
        StorageError: The disk refused.
    """

    def fill(aside: Path) -> None:
        shift = find_shift(network, card.classes, card.positive, card.threshold)
        with folded(network, shift) as bias:
            write_plain(aside, network.model, tokenizer, max_length=card.max_length)
            if network.head is not None:
                save_file({name: value.contiguous() for name, value in network.head.state_dict().items()}, aside / HEAD_FILE)
        if learned is not None:
            learned.write(aside)
        digests = {file.name: digest_of_file(file) for file in sorted(aside.iterdir())}
        written = replace(card, digests=digests, unfolded_bias=bias)
        storage.replace_json(aside / "pretune.json", seal_card(written.to_json()))

    storage.replace(folder, fill)


def load_folder(folder: Path) -> tuple[Network, Any, ModelCard]:
    """Read a model folder back.

    Raises:
        ModelLoadError: It is not a folder that pretune wrote, or a part is missing or damaged.
    """
    storage.settle(folder)
    if not (folder / "pretune.json").is_file():
        raise ModelLoadError(
            f"{folder} holds no pretune.json" if folder.is_dir() else f"there is no folder {folder}",
            expected="a model that pretune saved (a run folder, its model/ folder, or what model.save wrote)",
            fix="for a pre-trained checkpoint use load_pretrained_model or --model",
        )
    card = _read_card(folder)
    _check_files(folder, card)
    vet_folder(folder)
    checkpoint = Checkpoint(name=str(folder), path=str(folder), is_local=True, model_type="", licence=card.licence)
    network = build_network(checkpoint, card.classes, head=card.head, head_size=card.head_size, complete=True)
    return network.eval(), load_tokenizer(checkpoint), card


def check_folder(folder: Path) -> None:
    """Compare every file of a model folder with its card, without loading a weight.

    Raises:
        ModelLoadError: It is not what was written.
    """
    _check_files(folder, _read_card(folder))


def _read_card(folder: Path) -> ModelCard:
    file = folder / "pretune.json"
    try:
        value = storage.read_json(file)
        card = ModelCard.from_json(value)
    except (StorageError, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise ModelLoadError(f"{file} is damaged: {error}", fix="train again, or restore the file") from error
    if (card.digest or card.digests) and seal_card(value) != value:
        raise ModelLoadError(
            f"{file} is damaged: it does not have the digest that it names",
            expected="the file as pretune wrote it",
            fix="restore the file; `pretune judge RUN --goal ...` chooses another threshold",
        )
    return card


def _check_files(folder: Path, card: ModelCard) -> None:
    """Compare every file with the digest that the card has of it."""
    for name, digest in card.digests.items():
        file = folder / name
        is_there = name == Path(name).name and file.is_file()
        if not is_there or digest_of_file(file) != digest:
            raise ModelLoadError(
                f"{file} is {'not what was written' if is_there else 'missing'}",
                expected="the files as pretune wrote them",
                fix="restore the file, or train again",
            )


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
