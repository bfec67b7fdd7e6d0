"""How many test rows are needed, before any is labelled? From the expected figures, the gates and the prevalence.

The expected figures are taken as the truth. N is the smallest number of test rows that decides every gate, as *ship* or *do
not ship*, with the probability that the policy states, by the intervals that the verdict uses.
"""

from dataclasses import dataclass

import numpy as np

from pretune.errors import UsageError
from pretune.intervals import Floats
from pretune.records import Record
from pretune.verdict.gate import Gate
from pretune.verdict.gate_bounds import gate_bounds
from pretune.verdict.policy import Policy
from pretune.verdict.rows_needed import smallest_reaching

DRAWS = 4_000
POSITIVE = 1  # its place among the two classes of the imagined tests
MAX_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a model is hoped to reach.

    Args:
        accuracy: Share of right answers; where precision and recall are named it follows from them.
        precision: Of the positive class.
        recall: Likewise.
        prevalence: Share of the rows that are positive.
    """

    accuracy: float | None = None
    precision: float | None = None
    recall: float | None = None
    prevalence: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """How many test rows it takes.

    Args:
        rows: Test rows; ``None`` where not even a million would do.
        positives: About so many of them are positive; ``None`` where only accuracy is gated.
        probability: Of a decision.
        ships: Share of the decisions, at so many rows, that are *ship*.
        table_rows: Rows of a whole table of which so many become the test, by the default split.
        text: One sentence.
    """

    rows: int | None
    positives: int | None
    probability: float
    ships: float | None
    table_rows: int | None
    text: str


def plan_rows(
    expected: Expected, gates: tuple[Gate, ...], policy: Policy, *, look: int = 1, effect: float = 1.0, test_share: float = 0.15
) -> Plan:
    """Return the test rows that it takes.

    Args:
        expected: The figures that are hoped for.
        gates: Those to be decided.
        policy: Its confidence, the probability that it wants, and its least number of positives.
        look: Which look it will be.
        effect: Rows per independent row, where rows come in groups or copies.
        test_share: Share of a table that becomes the test.

    Raises:
        UsageError: The figures contradict each other, or a gate has no expected figure.
    """
    cells, confidence = _cells(expected), policy.confidence_at(look)
    for gate in gates:
        if getattr(expected, gate.metric, None) is None and not (gate.metric == "accuracy" and expected.recall is not None):
            raise UsageError(
                f"a gate on {gate.metric}, and nothing says which {gate.metric} is expected",
                expected=f"--{gate.metric} beside it",
                fix="name the figure that you hope for",
            )

    def decided(rows: int) -> tuple[float, float]:
        tables = np.random.default_rng([0, rows]).multinomial(rows, cells.ravel(), size=DRAWS).reshape(-1, 2, 2).astype(float)
        passed, failed = np.ones(DRAWS, bool), np.zeros(DRAWS, bool)
        for gate in gates:
            low, high, usable = gate_bounds(gate, tables, POSITIVE, confidence, policy.min_positives)
            passed &= usable & (low >= gate.minimum)
            failed |= usable & (high < gate.minimum)
        return float((passed & ~failed).mean()), float(failed.mean())

    found = smallest_reaching(policy.rows_needed.probability, lambda rows: sum(decided(rows)), MAX_ROWS)
    return _tell(found, decided(found) if found else (0.0, 0.0), gates, expected, policy, effect, test_share)


def _cells(expected: Expected) -> Floats:
    """Return the probability of each cell of a table of two classes, true classes first."""
    share, precision, recall = expected.prevalence, expected.precision, expected.recall
    if precision is not None and recall is None:
        raise UsageError("an expected precision without a recall", expected="both", fix="add --recall")
    if recall is not None and expected.accuracy is not None and precision is not None:
        raise UsageError(
            "accuracy beside precision and recall", expected="accuracy, which follows from these and --prevalence, left out"
        )
    if recall is None:
        accuracy = expected.accuracy
        if accuracy is None:
            raise UsageError(
                "no figure is expected", expected="--accuracy, or --precision and --recall", fix="name what you hope for"
            )
        return np.array([[(1 - share) * accuracy, (1 - share) * (1 - accuracy)], [share * (1 - accuracy), share * accuracy]])
    found = share * recall
    if precision is not None:
        called = found * (1 / precision - 1)
    else:
        called = 1 - share - ((expected.accuracy if expected.accuracy is not None else 1 - share + found) - found)
    if not 0 <= called <= 1 - share:
        raise UsageError(
            f"a prevalence of {share:g} with a recall of {recall:g} cannot have the other figure that is expected",
            expected="figures that one model can have together",
            fix="check --prevalence",
        )
    return np.array([[1 - share - called, called], [share - found, found]])


def _tell(
    found: int | None,
    shares: tuple[float, float],
    gates: tuple[Gate, ...],
    expected: Expected,
    policy: Policy,
    effect: float,
    test_share: float,
) -> Plan:
    probability = policy.rows_needed.probability
    asked = " and ".join(f"{gate.metric} of at least {gate.minimum:g}" for gate in gates)
    if found is None:
        text = f"too close to the gate: even {MAX_ROWS:,} test rows would not decide {asked} with probability {probability:g}"
        return Plan(rows=None, positives=None, probability=probability, ships=None, table_rows=None, text=text)
    rows = _round_up(found * effect)
    positives = None if expected.recall is None else round(rows * expected.prevalence)
    table = _round_up(rows / test_share)
    of_which = "" if positives is None else f", of which about {positives:,} positive,"
    text = (
        f"about {rows:,} test rows{of_which} decide {asked} with probability {probability:g}; a table split by pretune needs "
        f"about {table:,} rows, of which {test_share:.0%} become the test"
    )
    ships = shares[0] / max(sum(shares), 1e-12)
    return Plan(rows=rows, positives=positives, probability=probability, ships=ships, table_rows=table, text=text)


def _round_up(rows: float) -> int:
    step = 10 ** max(0, len(str(int(rows))) - 2)
    return int(-(-rows // step) * step)
