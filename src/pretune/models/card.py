"""``pretune.json``, the card of a saved model: what the weights alone do not tell, and the digests of the files beside it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pretune import storage
from pretune.configs import HEADS
from pretune.data.labels.types import LABEL_TYPES, typed
from pretune.errors import DamagedModelError, StorageError
from pretune.hashing import known_digest
from pretune.records import SCHEMA, Record

CARD = "pretune.json"
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
            raise ValueError(f"positive is {self.positive!r}, which is not a class")
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
            raise ValueError("unfolded_bias is not one number per class")


def check_folder(folder: Path) -> None:
    """Compare every file of a model folder that pretune saved with its card or ``digests.txt``, without loading a weight.

    A folder that has neither is from elsewhere, and nothing vouches for it.

    Raises:
        DamagedModelError: It is not what was written.
    """
    if (folder / CARD).is_file():
        check_files(folder, read_card(folder).digests)
    if (folder / storage.DIGESTS).is_file():
        try:
            storage.check_digests(folder)
        except StorageError as error:
            raise DamagedModelError(f"{folder} is damaged: {error.got}", fix="restore it, or make it again") from error


def read_card(folder: Path) -> ModelCard:
    """Return the card of a model folder.

    Raises:
        DamagedModelError: It is not what was written.
    """
    file = folder / CARD
    try:
        value = storage.read_json(file)
        card = ModelCard.from_json(value)
    except (StorageError, TypeError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise DamagedModelError(f"{file} is damaged: {error}", fix="train again, or restore the file") from error
    if (card.digest or card.digests) and not storage.is_sealed(value):
        raise DamagedModelError(
            f"{file} is damaged: its digest does not match its contents",
            expected="the file as pretune wrote it",
            fix="restore the file; `pretune judge RUN --goal ...` chooses another threshold",
        )
    return card


def check_files(folder: Path, digests: Mapping[str, str], fix: str = "restore the file, or train again") -> None:
    """Compare every file of a folder with the digest that its card has of it.

    Raises:
        DamagedModelError: One is missing, or not what was written.
    """
    for name, digest in digests.items():
        file = folder / name
        is_there = name == Path(name).name and file.is_file()
        if not is_there or known_digest(file) != digest:
            raise DamagedModelError(
                f"{file} is {'not what was written' if is_there else 'missing'}",
                expected="the files as pretune wrote them",
                fix=fix,
            )
