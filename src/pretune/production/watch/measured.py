"""Measured: what is kept of each text, a few numbers and never the text itself."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from pretune.data.alike.duplicates import words_in
from pretune.data.alike.units import find_copies, units_of_rows
from pretune.errors import DamagedError
from pretune.hashing import fingerprint, fold
from pretune.intervals import Counts, Floats
from pretune.records import Example, Predictions

DIGITS = 6  # of what is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Texts in numbers; every array has the shape (num_texts,).

    Args:
        lengths: Characters.
        num_words: Words.
        unknown: Share of its words that training lacks.
        rarity: How rare its words are in training, in bits per word; empty where that was not kept.
        pieces: Tokens per word; empty where the model has no tokenizer.
        untold: Tokens that the vocabulary does not have; empty likewise.
        confidence: Probability of the class that was given; empty where there is none.
        predicted: Number of the class.
        units: Texts with the same number belong together: copies and near copies, or rows of a group.
        columns: Values of further columns.
    """

    lengths: Floats
    num_words: Floats
    unknown: Floats
    rarity: Floats
    pieces: Floats
    untold: Floats
    confidence: Floats
    predicted: Counts
    units: Counts
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lengths)

    def to_json(self) -> dict[str, Any]:
        """Return lists of numbers."""
        arrays = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "columns"}
        kept = {name: np.round(values, DIGITS).tolist() for name, values in arrays.items()}
        return {**kept, "columns": {name: list(values) for name, values in self.columns.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return what was kept.

        Raises:
            DamagedError: It is something else.
        """
        try:
            kinds: dict[str, Any] = {"predicted": np.int64, "units": np.int64}
            names = [item.name for item in fields(cls) if item.name != "columns"]
            value = {"rarity": [], **value}  # earlier versions did not keep it
            arrays: dict[str, Any] = {name: np.array(value[name], dtype=kinds.get(name, np.float64)) for name in names}
            columns = {str(name): tuple(map(str, values)) for name, values in value["columns"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedError(f"what was kept of texts is damaged: {error}", fix="remove RUN/watch to begin anew") from error
        return cls(**arrays, columns=columns)


def join(parts: Sequence[Measured]) -> Measured:
    """Return the texts of all parts; of rarities and columns, those that all have."""
    names = [item.name for item in fields(Measured) if item.name != "columns"]
    common = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    if any(len(part.rarity) < len(part) for part in parts):
        arrays["rarity"] = np.zeros(0)
    return Measured(
        **arrays,
        columns={name: tuple(value for part in parts for value in part.columns[name]) for name in common},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How texts are measured.

    Args:
        counts: How often training has each of its words.
        classes: In the order of their numbers.
        tokenizer: ``tokenizer.json``, where the model has one.
    """

    counts: Mapping[str, int]
    classes: tuple[str, ...]
    tokenizer: Path | None

    def __call__(
        self, rows: Sequence[Example], predicted: Sequence[str], confidence: Floats, columns: Iterable[str] = ()
    ) -> Measured:
        """Return rows and what the model said of them in numbers."""
        words = [words_in(fold(row.text)) for row in rows]
        sizes = np.array([len(item) for item in words], dtype=np.float64)
        unknown = np.array([sum(word not in self.counts for word in item) for item in words], dtype=np.float64)
        pieces, untold = self._tokens([row.text for row in rows], sizes)
        numbers = {name: number for number, name in enumerate(self.classes)}
        return Measured(
            lengths=np.array([len(row.text) for row in rows], dtype=np.float64),
            num_words=sizes,
            unknown=unknown / np.maximum(sizes, 1),
            rarity=_rarity(words, self.counts),
            pieces=pieces,
            untold=untold,
            confidence=confidence,
            predicted=np.array([numbers[name] for name in predicted], dtype=np.int64),
            units=_units_of(rows),
            columns={name: tuple(row.extra.get(name, "").strip() for row in rows) for name in columns},
        )

    def _tokens(self, texts: Sequence[str], num_words: Floats) -> tuple[Floats, Floats]:
        if self.tokenizer is None:
            return np.zeros(0), np.zeros(0)
        from pretune.tokens.quality import count_tokens

        counts = np.array(list(count_tokens(self.tokenizer, texts)), dtype=np.float64).reshape(len(texts), 2)
        return counts[:, 0] / np.maximum(num_words, 1), counts[:, 1]


def _rarity(texts: Sequence[Sequence[str]], counts: Mapping[str, int]) -> Floats:
    """Return how rare the words of each text are in training, in bits per word; words that it lacks are the rarest.

    Source:
        Laplace's rule of succession for the share of a word; Shannon (1948), for what it says in bits.
    """
    total = sum(counts.values()) + len(counts) + 1
    bits = (sum(math.log2(total / (counts.get(word, 0) + 1)) for word in words) / max(1, len(words)) for words in texts)
    return np.fromiter(bits, dtype=np.float64, count=len(texts))


def confidence_of(answers: Predictions) -> Floats:
    """Return the probability of the class that each text was given; nothing where there are none."""
    if answers.probabilities is None:
        return np.zeros(0)
    numbers = {name: number for number, name in enumerate(answers.classes)}
    given = zip(answers.probabilities, answers.predicted, strict=True)
    return np.array([shares[numbers[name]] for shares, name in given], dtype=np.float64)


def _units_of(rows: Sequence[Example]) -> Counts:
    """Return a number that copies and near copies of a text, or rows of one group, have in common.

    It is made of the first of them, so that copies in other windows have it, too: the first 63 bits of a digest.
    """
    known, joined = {row.id: row for row in rows}, units_of_rows(rows, find_copies(rows))
    firsts = (known[joined.get(row.id, row.id)] for row in rows)
    names = (fingerprint(row.text if row.group is None else f"group {row.group}") for row in firsts)
    return np.array([int(name, 16) >> 1 for name in names], dtype=np.int64)
