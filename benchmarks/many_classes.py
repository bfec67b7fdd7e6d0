"""Many classes: do intervals of macro figures cover the truth, does a good model of 77 ship, and do the rows needed decide?

Rows of each class are drawn with a recall of their own; mistakes fall on other classes unevenly. The smallest classes of a long
tail have two rows, of a tail of single rows one; even classes have two to a hundred. Each matrix goes through the function that
the verdict uses.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from error_rates import share_of
from pretune.records import Confusion
from pretune.verdict import Gate, load_policy
from pretune.verdict.gate_bounds import Truth, gate_bounds
from pretune.verdict.rows_needed import Question, find_rows_needed

Floats = npt.NDArray[np.float64]

NUM_SETS, CHUNK = 1_000, 100
ROWS = {3: (60, 300), 20: (60, 200, 1_000), 77: (154, 308, 900, 3_000), 151: (302, 604, 1_500, 4_500)}
ACCURACIES = (0.85, 0.95, 0.988)
SHAPES = ("even", "long tail", "single rows", "one of 12 rows")
METRICS = ("recall", "precision", "f1")
GROWN = {(20, 10): 100, (77, 4): 60, (150, 2): 20}  # classes and rows of each in the first test: first tests that are open
TRUTHS = (0.76, 0.80, 0.90, 0.94)


def sizes_of(num_classes: int, num_rows: int, shape: str) -> npt.NDArray[np.int64]:
    """Return the rows of each class."""
    if shape in ("long tail", "single rows"):
        shares = 1 / np.arange(1, num_classes + 1)
        fewest = 2 if shape == "long tail" else 1
        return np.maximum(np.round(num_rows * shares / shares.sum()), fewest).astype(int)
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


def bounds(metric: str, tables: Floats) -> tuple[Floats, Floats, Truth]:
    """Return the 95 % interval of a macro figure, and whether a verdict has one."""
    return gate_bounds(Gate(metric=metric, minimum=0.5), tables, None, 0.95, 5)


def truth(metric: str, expected: Floats) -> float:
    """Return the macro figure of the expected matrix."""
    hits, actual, called = expected.diagonal(), expected.sum(axis=1), expected.sum(axis=0)
    whole = {"recall": actual, "precision": called, "f1": (actual + called) / 2}[metric]
    return float((hits / whole).mean())


def measure_coverage(num_sets: int = NUM_SETS) -> dict[str, Any]:
    """Return, for each cell and figure, the shares of sets whose interval misses below and above; ``None`` without interval."""
    cells, generator = [], np.random.default_rng(0)
    for num_classes, rows in ROWS.items():
        for num_rows in rows:
            for shape in SHAPES:
                sizes = sizes_of(num_classes, num_rows, shape)
                if shape == "single rows" and sizes.min() > 1:
                    continue
                for accuracy in ACCURACIES:
                    answers = answers_of(num_classes, accuracy, generator)
                    cell = {"classes": num_classes, "rows": num_rows, "shape": shape, "accuracy": accuracy}
                    cells.append(cell | _settled(sizes, answers, num_sets, generator))
    return {"cells": cells}


def _settled(sizes: npt.NDArray[np.int64], answers: Floats, num_sets: int, generator: np.random.Generator) -> dict[str, Any]:
    """Return what is missed in a cell; where that is too much, in ten times as many further sets, which count alone."""
    found = _missed(sizes, answers, num_sets, generator)
    if any(missed is not None and (sum(missed) > 0.065 or max(missed) > 0.04) for missed in found.values()):
        num_sets *= 10
        found = _missed(sizes, answers, num_sets, generator)
    return {"sets": num_sets} | found


def _missed(
    sizes: npt.NDArray[np.int64], answers: Floats, num_sets: int, generator: np.random.Generator
) -> dict[str, list[float] | None]:
    expected = answers * sizes[:, None]
    missed = {metric: np.zeros(3) for metric in METRICS}
    for _ in range(num_sets // CHUNK):
        tables = draw(sizes, answers, CHUNK, generator)
        for metric in METRICS:
            low, high, usable = bounds(metric, tables)
            true = truth(metric, expected)
            missed[metric] += [(usable & (low > true)).sum(), (usable & (high < true)).sum(), usable.sum()]
    return {metric: (counts[:2] / counts[2]).tolist() if counts[2] else None for metric, counts in missed.items()}


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


def measure_grown() -> dict[str, Any]:
    """Return how often the further rows that a first test of few rows a class asks for decide, and how often wrongly.

    The policy's gates are open at the first test. Classes of the further rows are drawn as they come.
    """
    cells, generator = [], np.random.default_rng(4)
    for (num_classes, size), sets in GROWN.items():
        opened = no_number = decided = wrong = 0
        numbers = []
        while opened < sets and no_number < 4 * sets:
            answers = answers_of(num_classes, float(generator.choice(TRUTHS)), generator)
            first = draw(np.full(num_classes, size), answers, 1, generator)[0]
            if _outcome(first, 1) is not None:
                continue
            needed = _rows_needed(first)
            if needed is None:
                no_number += 1
                continue
            opened += 1
            numbers.append(needed)
            sizes = generator.multinomial(needed, np.full(num_classes, 1 / num_classes))
            outcome = _outcome(first + draw(sizes, answers, 1, generator)[0], 2)
            decided += outcome is not None
            wrong += outcome is not None and outcome != _is_good(answers)
        shares = {"decided": share_of(decided, opened), "wrong": share_of(wrong, opened)}
        cell = {"classes": num_classes, "rows": size, "opened": opened, "no_number": no_number}
        cells.append(cell | shares | {"median": float(np.median(numbers))})
    return {"grown": cells}


def _outcome(table: Floats, look: int) -> bool | None:
    """Return whether the gates are passed; ``None`` where that is open."""
    policy = load_policy()
    passed, failed = True, False
    for gate in policy.gates:
        low, high, usable = gate_bounds(gate, table[None], None, policy.confidence_at(look), policy.min_positives)
        passed &= bool(usable[0] and low[0] >= gate.minimum)
        failed |= bool(usable[0] and high[0] < gate.minimum)
    return True if passed else False if failed else None


def _is_good(answers: Floats) -> bool:
    """Return whether the truth of even classes passes every gate."""
    figures = {"accuracy": truth("recall", answers)} | {metric: truth(metric, answers) for metric in METRICS}
    return all(figures[gate.metric] >= gate.minimum for gate in load_policy().gates)


def _rows_needed(table: Floats) -> int | None:
    policy, classes = load_policy(), tuple(f"class {number}" for number in range(len(table)))
    counts = tuple(tuple(int(count) for count in row) for row in table)
    confusion = Confusion(split="test", source="finetuned", classes=classes, counts=counts)
    return find_rows_needed(Question(confusion, policy.gates, (), None, policy.confidence_at(2), {}), policy).rows


def measure() -> dict[str, Any]:
    """Measure all three."""
    return measure_coverage() | {"ship": measure_ship()} | measure_grown()
