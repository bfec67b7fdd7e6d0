"""Two answers to every row: what would the difference be if it were chance who gave which?"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pretune.evaluate.bootstrap import bca_interval, chunks_of, merge_units
from pretune.evaluate.codes import Counts
from pretune.evaluate.tables import Cells, Figure
from pretune.intervals import Floats


class Pairs:
    """Rows counted by (label, what a said, what b said).

    Args:
        labels: True classes, shape (num_examples,).
        first: What a said.
        second: What b said.
        num_classes: Of the confusion matrix.
        units: Number of the group of each row, or ``None`` where each row stands alone.
    """

    def __init__(self, labels: Counts, first: Counts, second: Counts, num_classes: int, units: Counts | None = None) -> None:
        triples = np.stack([labels, first, second], axis=1)
        self._triples, cells, counts = np.unique(triples, axis=0, return_inverse=True, return_counts=True)
        self._counts: Floats = counts.astype(float)
        self._cells, self._units = cells.reshape(-1), units
        self._size, self._sizes = num_classes, np.bincount(labels, minlength=num_classes)

    def values(self, figure: Figure) -> tuple[float, float]:
        """Return the figure of a and of b."""
        of_a, of_b = self._figures(figure, self._triples)
        return float(of_a(self._counts[None])[0]), float(of_b(self._counts[None])[0])

    def interval(self, figure: Figure, confidence: float, seed: int) -> tuple[float, float] | None:
        """Return the paired bootstrap's interval of a less b.

        One pseudo-row each way keeps two that agree from being proven equal.
        """
        if self._size < 2:
            return None
        pseudo = self._pseudo_triples()
        of_a, of_b = self._figures(figure, np.concatenate([self._triples, pseudo]))
        added = np.full(len(pseudo), 2 / len(pseudo))
        if self._units is None:
            weights = np.concatenate([self._counts, added])
        else:
            weights = np.zeros((len(self._by_unit) + len(pseudo), len(self._counts) + len(pseudo)))
            weights[: len(self._by_unit), : len(self._counts)] = self._by_unit
            weights[len(self._by_unit) :, len(self._counts) :] = np.diag(added)
        return bca_interval(weights, lambda tables: of_a(tables) - of_b(tables), confidence=confidence, seed=seed)

    def p_value(self, figure: Figure, num_draws: int, seed: int) -> float:
        """Share of random exchanges (the data's own included) that give at least the observed difference."""
        is_open = self._triples[:, 1] != self._triples[:, 2]
        if not is_open.any():
            return 1.0
        exchanged = self._triples[:, [0, 2, 1]]
        of_a, of_b = self._figures(figure, np.concatenate([self._triples, exchanged]))
        value_a, value_b = self.values(figure)
        observed, num_extreme = abs(value_a - value_b) - 1e-12, 0
        draw = self._exchange_rows if self._units is None else self._exchange_units
        generator, width = np.random.default_rng(seed), 2 * len(self._counts)
        if self._units is not None:
            width = max(width, len(self._by_unit))
        for size in chunks_of(num_draws, width):
            swapped = draw(size, generator)
            tables = np.concatenate([self._counts - swapped, swapped], axis=1)
            num_extreme += int((np.abs(of_a(tables) - of_b(tables)) >= observed).sum())
        return (1 + num_extreme) / (1 + num_draws)

    @cached_property
    def _by_unit(self) -> Floats:
        """Rows of each group in each cell; groups are put together at random where there are too many."""
        if self._units is None:
            raise ValueError("rows that stand alone have no groups")
        merged, width = merge_units(self._units), len(self._counts)
        num_units = int(merged.max()) + 1
        counts = np.bincount(merged * width + self._cells, minlength=num_units * width)
        return counts.reshape(num_units, width).astype(float)

    def _exchange_rows(self, size: int, generator: np.random.Generator) -> Floats:
        is_open = self._triples[:, 1] != self._triples[:, 2]
        counts = np.where(is_open, self._counts, 0).astype(int)
        return generator.binomial(counts, 0.5, size=(size, len(counts))).astype(float)

    def _exchange_units(self, size: int, generator: np.random.Generator) -> Floats:
        exchanged: Floats = random_bits(size, len(self._by_unit), generator) @ self._by_unit
        return exchanged

    def _figures(self, figure: Figure, triples: Counts) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
        said_a, said_b = (Cells(triples[:, 0], triples[:, column], self._size) for column in (1, 2))
        return lambda tables: figure(said_a.margins(tables)), lambda tables: figure(said_b.margins(tables))

    def _pseudo_triples(self) -> Counts:
        """One cell a class and way to differ: one is right, the other says the largest other class."""
        by_size = np.argsort(-self._sizes, kind="stable")
        cells = []
        for label in range(len(self._sizes)):
            wrong = int(by_size[0] if by_size[0] != label else by_size[1])
            cells += [(label, label, wrong), (label, wrong, label)]
        return np.array(cells)


def sign_flip_p_value(differences: Floats, units: Counts | None, num_draws: int, seed: int) -> float:
    """Share of random changes of sign that give at least the observed sum of differences.

    Where a and b are exchanged in a row, its difference changes sign. Groups are exchanged as a whole; rows are put into
    at most 2,000 blocks and those exchanged, which is a test of the same exactness.

    Args:
        differences: What a has more than b in each row, shape (num_examples,).
        units: Number of the group of each row, or ``None``.
        num_draws: Random changes of sign.
        seed: Of the draws.

    Source:
        Fisher (1935), The design of experiments, section 21.
    """
    alone = np.arange(len(differences)) if units is None else units
    sums = np.bincount(merge_units(alone), differences)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    total, num_extreme, generator = abs(float(sums.sum())), 0, np.random.default_rng(seed)
    limit = total - 1e-12 * max(1.0, total)
    for size in chunks_of(num_draws, len(sums)):
        flipped = 2 * (random_bits(size, len(sums), generator) @ sums) - sums.sum()
        num_extreme += int((np.abs(flipped) >= limit).sum())
    return (1 + num_extreme) / (1 + num_draws)


def random_bits(size: int, width: int, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return zeros and ones, each as likely, shape (size, width)."""
    drawn = np.frombuffer(generator.bytes(size * (width // 8 + 1)), np.uint8).reshape(size, -1)
    return np.unpackbits(drawn, axis=1, count=width).astype(float)
