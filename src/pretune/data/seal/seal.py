"""The seal: test rows that nobody can read without being counted.

A ``Seal`` keeps no reference to its rows that can be followed from it: no attribute, no iteration, no pickle or copy.
``open`` hands them out after the opening is in the ledger on disk. The seal guards against accidents and habits, not
against a determined user: the file in the run folder can be read by hand, and so can this module's private table.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pretune import storage
from pretune.data.seal.chain import LedgerEntry
from pretune.data.seal.ledger import record_opening
from pretune.data.seal.openings import read_openings
from pretune.data.seal.prints import distinct_fingerprints
from pretune.data.split.divide import Splits, digest_of_rows
from pretune.errors import DataError, SealedError, StorageError
from pretune.intervals import confidence_at
from pretune.records import SCHEMA, Conversation, Example, Turn
from pretune.records.conversation import ASSISTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """All that training may see. No path leads from here to a test row: not even through a conflict or a receipt.

    Args:
        train: Rows to train on.
        validation: Rows that choose the epoch and the threshold.
        classes: The labels of ``train``, sorted.
        text_columns: Of the table that the texts are from; empty where they came without a table.
        label_type: What the labels were before they were text, see ``label_types``.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    classes: tuple[str, ...]
    text_columns: tuple[str, ...] = ()
    label_type: str = "str"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Test rows, handed out once, and which look this is.

    Args:
        examples: The rows.
        look: 1 + the earlier openings known of these rows.
        head: Hash of the ledger's entry; the run keeps it.
        first_known: Nothing is known of earlier looks, and nothing vouches that there were none.
        confidence: What the intervals of every figure from these rows must have.
    """

    examples: tuple[Example, ...]
    look: int
    head: str
    first_known: bool
    confidence: float


class Seal:
    """Sealed test rows.

    Args:
        examples: The rows.

    Raises:
        DataError: There are none.
    """

    __slots__ = ("__weakref__", "_digest", "_num_rows")

    def __init__(self, examples: Sequence[Example]) -> None:
        if not examples:
            raise DataError("there are no test rows to seal", expected="at least one", fix="pass --test FILE with rows")
        _ROWS[self] = tuple(examples)
        self._num_rows, self._digest = len(examples), digest_of_rows(examples)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return self._num_rows

    @property
    def digest(self) -> str:
        """SHA-256 of the rows, equal to the digest in the test's ``SplitReceipt``."""
        return self._digest

    def texts(self) -> tuple[str, ...]:
        """Return the texts without their labels, to look for duplicates; this is not a look."""
        return tuple(example.text for example in _ROWS[self])

    def groups(self) -> tuple[str | None, ...]:
        """Return the groups, in the order of ``texts``, to see whether training has them too; this is not a look either."""
        return tuple(example.group for example in _ROWS[self])

    def numbered(self) -> list[Example]:
        """Return the rows as far as they may be read without a look: texts and groups, numbered in the place of their ids."""
        known = zip(self.texts(), self.groups(), strict=True)
        return [Example(id=str(number), text=text, group=group) for number, (text, group) in enumerate(known)]

    def asked(self) -> tuple[Conversation, ...]:
        """Return what sealed conversations ask, numbered, with an empty last reply; this is not a look."""
        rows = (Conversation.from_example(example) for example in _ROWS[self])
        return tuple(
            replace(row, id=str(number), turns=(*row.asked, Turn(role=ASSISTANT, text="")), rejected=None, extra={})
            for number, row in enumerate(rows)
        )

    def open(self, *, run: str, purpose: str, num_models: int = 1, copy: Path | None = None) -> Opening:
        """Count a look, durably, then hand out the rows.

        Args:
            run: Name of the run that opens.
            purpose: Why.
            num_models: How many models will be scored: each is one comparison.
            copy: The run's own list of openings, such as ``data/openings.jsonl``.

        Raises:
            LedgerError: The ledger was changed; the seal stays shut.
        """
        entry = record_opening(self.texts(), run=run, purpose=purpose, num_models=num_models, copy=copy)
        return Opening(
            examples=_ROWS[self],
            look=entry.look,
            head=entry.hash,
            first_known=entry.first_known,
            confidence=confidence_at(entry.look, num_models),
        )

    def save(self, path: Path) -> None:
        """Write the rows for a later process: a head line with their digest, then JSON lines."""
        head = {"schema": SCHEMA, "num_rows": self._num_rows, "digest": self._digest}
        lines = [json.dumps(value) for value in (head, *(example.to_json() for example in _ROWS[self]))]
        storage.replace(path, "\n".join(lines) + "\n")

    @classmethod
    def joined(cls, *seals: "Seal") -> "Seal":
        """Return a seal of all their rows, in this order."""
        return cls([example for seal in seals for example in _ROWS[seal]])

    @classmethod
    def load(cls, path: Path, *further: Path) -> "Seal":
        """Read what ``save`` wrote, in one or several files.

        Raises:
            StorageError: The file is missing, or is not what was saved.
        """
        if further:
            return cls.joined(*(cls.load(item) for item in (path, *further)))
        head, *lines = storage.read_lines(path) or [""]
        try:
            seal, digest = cls([Example(**json.loads(line)) for line in lines]), json.loads(head)["digest"]
        except (ValueError, TypeError, KeyError) as error:
            raise _changed(path, f"cannot be read ({error})") from error
        if seal.digest != digest:
            raise _changed(path, "does not have the digest that its first line names")
        return seal

    def __repr__(self) -> str:
        return f"<Seal of {self._num_rows} test rows, {self._digest[:12]}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # protocols that Python and notebooks probe for
            raise AttributeError(name)
        raise _sealed(f"attribute {name!r}")

    def __iter__(self) -> NoReturn:
        raise _sealed("iteration")

    def __getitem__(self, index: object) -> NoReturn:
        raise _sealed(f"row {index!r}")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise _sealed("copying or pickling")


def recall_opening(paths: Sequence[Path], openings: Path, head: str | None) -> tuple[tuple[Example, ...], LedgerEntry]:
    """Return rows that were opened before, and that opening: for recomputing its figures, which is no look.

    Args:
        paths: What ``Seal.save`` wrote, in one or several files.
        openings: The run's own list of openings.
        head: Hash of the opening that the run's figures come from.

    Raises:
        SealedError: The list does not have that opening.
        StorageError: The rows are missing, or not what was saved.
    """
    found = next((entry for entry in read_openings(openings) if head in (entry.hash, entry.first_hash)), None)
    if head is None or found is None:
        raise SealedError(
            f"{openings} does not have the opening that the run's figures come from",
            expected=f"an entry {(head or '')[:12]}".rstrip(),
            fix="restore the file, or judge again, which is a new look",
        )
    return _ROWS[Seal.load(*paths)], found


def prints_in_reach() -> tuple[NDArray[np.uint64], ...]:
    """Return the fingerprints of the texts of every seal that this process holds, rising."""
    for seal in tuple(_ROWS):
        if seal not in _PRINTS:
            _PRINTS[seal] = distinct_fingerprints(seal.texts())
    return tuple(_PRINTS.values())


# Outside of the seals, so that nothing leads from an object that holds one to the rows.
_ROWS: WeakKeyDictionary[Seal, tuple[Example, ...]] = WeakKeyDictionary()
_PRINTS: WeakKeyDictionary[Seal, NDArray[np.uint64]] = WeakKeyDictionary()


def seal_splits(splits: Splits) -> tuple[TrainingData, Seal]:
    """Part what training may see from what only an opening shows."""
    classes = tuple(sorted({example.label for example in splits.train if example.label is not None}))
    return TrainingData(train=splits.train, validation=splits.validation, classes=classes), Seal(splits.test)


def _sealed(what: str) -> SealedError:
    return SealedError(
        f"{what} of sealed test rows was requested",
        expected="a counted opening",
        fix="pretune.judge(model, data), or seal.open(run=..., purpose=...); validation rows can be read freely",
    )


def _changed(path: Path, how: str) -> StorageError:
    return StorageError(
        f"{path} {how}", expected="the sealed test rows as they were saved", fix="restore the file, or make the run again"
    )
