"""Two answers to every row: how large would the difference be if chance decided who gave which?"""

from collections.abc import Iterator, Sequence

import numpy as np

from pretune.evaluate.bootstrap import bca_intervals, chunks_of, merge_units
from pretune.evaluate.codes import Counts
from pretune.evaluate.tables import Figure, Margins
from pretune.intervals import Floats

# Kinds of rows above which drawing 1,000 blocks of rows is faster than drawing each kind's count.
MAX_KINDS = 250


class Pairs:
    """Rows counted by kind: the label, what a said, what b said.

    Args:
        labels: True classes, shape (num_examples,).
        first: What a said.
        second: What b said.
        num_classes: Of the confusion matrix, at least 2.
        units: Number of the group of each row, or ``None`` where each row stands alone.
    """

    def __init__(self, labels: Counts, first: Counts, second: Counts, num_classes: int, units: Counts | None = None) -> None:
        kinds, _, counts = _count_kinds(labels, first, second)
        others, _, other_counts = _count_kinds(labels, second, first)
        # The same draws whichever of the two comes first, so that exchanging them turns every sign and no p value.
        self._is_turned = np.c_[others, other_counts].tolist() < np.c_[kinds, counts].tolist()
        if self._is_turned:
            first, second = second, first
        self._kinds, kind_of, counts = _count_kinds(labels, first, second)
        self._size, self._sizes = num_classes, np.bincount(labels, minlength=num_classes)
        self._counts: Floats = counts.astype(float)
        self._sums = _sums_of(self._kinds, num_classes)  # (kinds, 5 * classes)
        self._blocks: Floats | None = None  # (blocks, 5 * classes)
        if units is not None or len(counts) > MAX_KINDS:
            self._blocks = self._in_blocks(kind_of, units)

    def values(self, figures: Sequence[Figure]) -> Floats:
        """Return the figures of a and of b, shape (2, num_figures)."""
        sides = self._sides(self._counts[None] @ self._sums)
        found = np.stack([[figure(side)[0] for figure in figures] for side in sides])
        return found[::-1] if self._is_turned else found

    def intervals(self, figures: Sequence[Figure], confidence: float, seed: int) -> list[tuple[float, float] | None]:
        """Return the paired bootstrap's intervals of a less b; ``None`` where all draws agree.

        One pseudo-row each way keeps two that agree from being proven equal.
        """
        found = self._intervals(figures, confidence, seed)
        return [(-pair[1], -pair[0]) if pair and self._is_turned else pair for pair in found]

    def _intervals(self, figures: Sequence[Figure], confidence: float, seed: int) -> list[tuple[float, float] | None]:
        pseudo = self._pseudo_kinds()
        added, weights = _sums_of(pseudo, self._size), np.full(len(pseudo), 2 / len(pseudo))
        if self._blocks is not None:
            rows = np.concatenate([self._blocks, added * weights[:, None]])
            return bca_intervals(rows, lambda sums: self._differences(figures, sums), confidence=confidence, seed=seed)
        every = np.concatenate([self._sums, added])
        counts = np.concatenate([self._counts, weights])
        return bca_intervals(counts, lambda drawn: self._differences(figures, drawn @ every), confidence=confidence, seed=seed)

    def p_values(self, figures: Sequence[Figure], num_draws: int, seed: int) -> list[float]:
        """Share of random exchanges (the data's own included) that give at least the observed difference, of each figure."""
        if (self._kinds[:, 1] == self._kinds[:, 2]).all():
            return [1.0] * len(figures)
        observed = np.abs(self._differences(figures, self._counts[None] @ self._sums)) - 1e-12  # (figures, 1)
        num_extreme = sum(
            (np.abs(self._differences(figures, sums)) >= observed).sum(axis=1) for sums in self._exchanged(num_draws, seed)
        )
        return [float(count) for count in (1 + np.asarray(num_extreme)) / (1 + num_draws)]

    def _exchanged(self, num_draws: int, seed: int) -> Iterator[Floats]:
        """Yield sums, shape (some draws, 5 * classes), after a and b were exchanged in a random half of the rows or blocks."""
        generator, turn = np.random.default_rng(seed), _turned(self._size)
        if self._blocks is not None:
            total, change = self._blocks.sum(axis=0), self._blocks[:, turn] - self._blocks
            for size in chunks_of(num_draws, len(change)):
                yield total + random_bits(size, len(change), generator) @ change
            return
        is_open = self._kinds[:, 1] != self._kinds[:, 2]
        total, change = self._counts @ self._sums, (self._sums[:, turn] - self._sums)[is_open]
        for size in chunks_of(num_draws, len(change)):
            exchanged = generator.binomial(self._counts[is_open].astype(int), 0.5, size=(size, len(change)))
            yield total + exchanged @ change

    def _differences(self, figures: Sequence[Figure], sums: Floats) -> Floats:
        side_a, side_b = self._sides(sums)
        return np.stack([figure(side_a) - figure(side_b) for figure in figures])

    def _sides(self, sums: Floats) -> tuple[Margins, Margins]:
        actual, hits_a, called_a, hits_b, called_b = np.split(sums, 5, axis=1)
        return Margins(hits_a, actual, called_a), Margins(hits_b, actual, called_b)

    def _in_blocks(self, kind_of: Counts, units: Counts | None) -> Floats:
        """Sum over groups, or over blocks of rows; which rows share a block does not depend on their order."""
        order = np.argsort(kind_of, kind="stable") if units is None else np.arange(len(kind_of))
        merged = merge_units(np.arange(len(kind_of)) if units is None else units)
        width, num_blocks = len(self._counts), int(merged.max()) + 1
        counts = np.bincount(merged * width + kind_of[order], minlength=num_blocks * width)
        blocks: Floats = counts.reshape(num_blocks, width) @ self._sums
        return blocks

    def _pseudo_kinds(self) -> Counts:
        """One kind a class and way to differ: one is right, the other says the largest other class."""
        by_size = np.argsort(-self._sizes, kind="stable")
        kinds = []
        for label in range(len(self._sizes)):
            wrong = int(by_size[0] if by_size[0] != label else by_size[1])
            kinds += [(label, label, wrong), (label, wrong, label)]
        return np.array(kinds)


def sign_flip_p_value(differences: Floats, units: Counts | None, num_draws: int, seed: int) -> float:
    """Share of random changes of sign that give at least the observed sum of differences.

    Where a and b are exchanged in a row, its difference changes sign. Groups are exchanged as a whole; many rows are put
    into blocks and those exchanged, which is a test of the same exactness.

    Args:
        differences: What a has more than b in each row, shape (num_examples,).
        units: Number of the group of each row, or ``None``.
        num_draws: Random changes of sign.
        seed: Of the draws.

    Source:
        Fisher (1935), The design of experiments, section 21.
    """
    if units is None:
        turn = -1.0 if differences.sum() < 0 else 1.0  # the same draws whichever of the two comes first
        differences, units = np.sort(turn * differences), np.arange(len(differences))
    sums = np.bincount(merge_units(units), differences)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    total, num_extreme, generator = float(sums.sum()), 0, np.random.default_rng(seed)
    limit = abs(total) - 1e-12 * max(1.0, abs(total))
    for size in chunks_of(num_draws, len(sums)):
        flipped = 2 * (random_bits(size, len(sums), generator) @ sums) - total
        num_extreme += int((np.abs(flipped) >= limit).sum())
    return (1 + num_extreme) / (1 + num_draws)


def random_bits(size: int, width: int, generator: np.random.Generator) -> Floats:
    """Return zeros and ones, each as likely, shape (size, width)."""
    drawn = np.frombuffer(generator.bytes(size * (width // 8 + 1)), np.uint8).reshape(size, -1)
    return np.unpackbits(drawn, axis=1, count=width).astype(float)


def _count_kinds(labels: Counts, first: Counts, second: Counts) -> tuple[Counts, Counts, Counts]:
    """Return the kinds of rows, the kind of each row, and how many rows each kind has."""
    triples = np.stack([labels, first, second], axis=1)
    kinds, kind_of, counts = np.unique(triples, axis=0, return_inverse=True, return_counts=True)
    return kinds, kind_of.reshape(-1), counts


def _sums_of(kinds: Counts, size: int) -> Floats:
    """What a row of each kind adds to the margins: actual, then hits and answers of a, and of b."""
    one_hot = np.eye(size)
    labels, said_a, said_b = (one_hot[kinds[:, column]] for column in range(3))
    return np.concatenate([labels, labels * said_a, said_a, labels * said_b, said_b], axis=1)


def _turned(size: int) -> Counts:
    """The columns of the margins with a and b exchanged."""
    parts = np.arange(5 * size).reshape(5, size)
    return np.concatenate(parts[[0, 3, 4, 1, 2]])
