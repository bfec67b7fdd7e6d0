"""Many classes: do the intervals of macro figures cover the truth, and does a good model of 77 classes ship?

Rows of each class are drawn with a recall of their own; mistakes fall on other classes unevenly. The smallest classes of a long
tail have two rows. Each matrix goes through the function that the verdict uses.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from error_rates import share_of
from pretune.intervals import Bounds
from pretune.verdict import Gate, load_policy
from pretune.verdict.gate_bounds import gate_bounds

Floats = npt.NDArray[np.float64]

NUM_SETS, CHUNK = 1_000, 100
ROWS = {3: (60, 300), 20: (200, 1_000), 77: (900, 3_000), 151: (1_500, 4_500)}
ACCURACIES = (0.85, 0.95, 0.988)
SHAPES = ("even", "long tail", "one of 12 rows")
METRICS = ("recall", "precision", "f1")


def sizes_of(num_classes: int, num_rows: int, shape: str) -> npt.NDArray[np.int64]:
    """Return the rows of each class."""
    if shape == "long tail":
        shares = 1 / np.arange(1, num_classes + 1)
        return np.maximum(np.round(num_rows * shares / shares.sum()), 2).astype(int)
    sizes = np.full(num_classes, num_rows // num_classes)
    if shape == "one of 12 rows":
        sizes[0] = 12
    return sizes


def answers_of(num_classes: int, accuracy: float, generator: np.random.Generator) -> Floats:
    """Return the probability of each answer by class: recalls vary around ``accuracy``, the largest classes are the hardest."""
    recalls = 1 - (1 - accuracy) * np.linspace(1.9, 0.1, num_classes)
    others = generator.dirichlet(np.full(num_classes, 0.3), size=num_classes) + 1e-6
    np.fill_diagonal(others, 0)
    answers = others / others.sum(axis=1, keepdims=True) * (1 - recalls)[:, None]
    np.fill_diagonal(answers, recalls)
    return answers


def draw(sizes: npt.NDArray[np.int64], answers: Floats, num_sets: int, generator: np.random.Generator) -> Floats:
    """Return confusion matrices, shape (num_sets, num_classes, num_classes)."""
    drawn = [generator.multinomial(size, shares, size=num_sets) for size, shares in zip(sizes, answers, strict=True)]
    return np.stack(drawn, axis=1).astype(float)


def bounds(metric: str, tables: Floats) -> Bounds:
    """Return the 95 % interval of a macro figure."""
    low, high, _ = gate_bounds(Gate(metric=metric, minimum=0.5), tables, None, 0.95, 5)
    return low, high


def truth(metric: str, expected: Floats) -> float:
    """Return the macro figure of the expected matrix."""
    hits, actual, called = expected.diagonal(), expected.sum(axis=1), expected.sum(axis=0)
    whole = {"recall": actual, "precision": called, "f1": (actual + called) / 2}[metric]
    return float((hits / whole).mean())


def measure_coverage(num_sets: int = NUM_SETS) -> dict[str, Any]:
    """Return, for each cell and figure, the shares of sets whose interval misses below and above."""
    cells, generator = [], np.random.default_rng(0)
    for num_classes, rows in ROWS.items():
        for num_rows in rows:
            for shape in SHAPES:
                for accuracy in ACCURACIES:
                    sizes, answers = sizes_of(num_classes, num_rows, shape), answers_of(num_classes, accuracy, generator)
                    cells.append(
                        {"classes": num_classes, "rows": num_rows, "shape": shape, "accuracy": accuracy, "sets": num_sets}
                        | _missed(sizes, answers, num_sets, generator)
                    )
    return {"cells": cells}


def _missed(
    sizes: npt.NDArray[np.int64], answers: Floats, num_sets: int, generator: np.random.Generator
) -> dict[str, list[float]]:
    expected = answers * sizes[:, None]
    missed = {metric: np.zeros(2) for metric in METRICS}
    for _ in range(num_sets // CHUNK):
        tables = draw(sizes, answers, CHUNK, generator)
        for metric in METRICS:
            low, high = bounds(metric, tables)
            true = truth(metric, expected)
            missed[metric] += [(low > true).sum(), (high < true).sum()]
    return {metric: (counts / num_sets).tolist() for metric, counts in missed.items()}


def measure_ship(num_sets: int = 500) -> dict[str, Any]:
    """Return how often 77 classes in 3,000 rows, one of them with 12, ship: 5 points above every gate, and just below one."""
    policy, generator = load_policy(), np.random.default_rng(0)
    sizes = sizes_of(77, 3_000, "one of 12 rows")
    weight = float(np.average(np.linspace(1.9, 0.1, 77), weights=sizes))  # of a mistake of a class, among all rows
    found = {}
    for name, accuracy in (("5 points above every gate", 0.90), ("accuracy 0.849", 0.849)):
        answers = answers_of(77, 1 - (1 - accuracy) / weight, generator)
        passed = np.zeros(0, bool)
        for _ in range(num_sets // CHUNK):
            tables, holds = draw(sizes, answers, CHUNK, generator), np.ones(CHUNK, bool)
            for gate in policy.gates:
                low, _, usable = gate_bounds(gate, tables, None, 0.95, policy.min_positives)
                holds &= usable & (low >= gate.minimum)
            passed = np.append(passed, holds)
        found[name] = share_of(int(passed.sum()), num_sets)
    return found


def measure() -> dict[str, Any]:
    """Measure both."""
    return measure_coverage() | {"ship": measure_ship()}
