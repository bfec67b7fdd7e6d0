"""How many more labelled rows would settle it?

The answer is simulated. Each of some thousand draws takes a truth that fits the rows seen so far, lets it produce N further
rows, pools them with the present ones, and judges with the confidence of the next look. (Each class's answers, and the class
shares, are Dirichlet, which for two classes is beta with Jeffreys' prior; gains over baselines are normal around the measured
gain, as wide as their interval.) N is the smallest number for which at least 90 % of the draws, and a little more (see
``CAUTION``), come to a decision, be it *ship* or *do not ship*. All values of N share the draws, so the search is over a
nearly rising curve.

Source:
    Berger, Bernardo and Sun (2015), Overall objective priors (1 / classes for each answer; the misses of a class
    share that since rules 4).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor, log10

import numpy as np

from pretune.intervals import MIN_UNITS, Floats, quantile, t_quantile
from pretune.records import RULES, Comparison, Confusion, Units
from pretune.verdict.gate import Gate
from pretune.verdict.gate_bounds import Truth, gate_bounds
from pretune.verdict.measures import Measure
from pretune.verdict.policy import Policy

MAX_DRAWS, MIN_DRAWS = 2_000, 200
# Cells of imagined confusion matrices in one evaluation, which bounds the time for many classes.
MAX_CELLS = 400_000
FIRST_TRY = 32
# Share of the allowed doubt that the search spends: truths lie nearer to the gates than any prior has them, and the smallest of
# many noisy N is a hopeful one. With 0.7 and truths close to the gates 79 to 87 % were decided where 90 % were promised, with
# 0.5 it is 85 to 98 % (docs/honesty.md); less is called "too close" more often.
CAUTION = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided, and from what.

    Args:
        confusion: Of the judged source, on the rows there are.
        gates: Those that apply.
        comparisons: Those that gate, each with the least gain that must be possible.
        positive: The class that precision and recall are about; ``None`` for averages.
        confidence: Of the next look.
        units: What rows are worth for each share that was measured, by the name of its score; of one that is not named each
            row is worth one.
        unit: What units are called.
        rules: Version of the rules.
        measures: Further bounds, each with its standard error.
    """

    confusion: Confusion
    gates: tuple[Gate, ...]
    comparisons: tuple[tuple[Comparison, float], ...]
    positive: str | None
    confidence: float
    units: Mapping[str, Units] = field(default_factory=dict)
    unit: str = "groups"
    rules: int = RULES
    measures: tuple[Measure, ...] = ()

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return sum(map(sum, self.confusion.counts))


@dataclass(frozen=True, slots=True)
class Needed:
    """The answer.

    Args:
        rows: Further rows; ``None`` where no number within the policy's limit would do.
        positives: About so many of them are of the positive class, at the shares seen; ``None`` without such a class.
        groups: About so many further groups they come in, at the sizes seen; ``None`` without groups.
        note: A sentence about them.
        by_class: Further rows of each class whose floor is open; ``None`` where no number would do.
    """

    rows: int | None = None
    positives: int | None = None
    groups: int | None = None
    note: str = ""
    by_class: Mapping[str, int | None] = field(default_factory=dict)


def find_rows_needed(question: Question, policy: Policy, *, seed: int = 0) -> Needed:
    """Return the further rows that would settle it, and a sentence about them.

    Args:
        question: What is open.
        policy: States the probability that is wanted and how far to search.
        seed: Of the draws; the same seed gives the same number.

    Returns:
        The number, rounded up to two digits.
    """
    settings, num_rows = policy.rows_needed, question.num_rows
    empty = empty_class(question)
    if empty is not None:
        return Needed(note=f"no test row is {empty}, so it is not known how many rows would hold enough of it")
    imagined = _Imagined(question, policy.min_positives, seed)
    limit = max(settings.max_rows, settings.max_factor * num_rows)
    aim = 1 - CAUTION * (1 - settings.probability)
    found = smallest_reaching(aim, imagined.decided_share, limit)
    if found is None:
        kind = "rows" if question.rules == 1 else "test rows"
        return Needed(note=f"too close to the gate: even {limit:,} more {kind} would probably not decide")
    rows = _round_up(found)
    needed = Needed(rows, _num_positives(question, rows), _num_groups(question, rows))
    return replace(needed, note=f"{_say(needed, question)} would decide with probability {settings.probability:g}")


def _say(needed: Needed, question: Question) -> str:
    rows = f"about {needed.rows:,} more labelled {'rows' if question.rules == 1 else 'test rows'}"
    groups = "" if needed.groups is None else f" in about {needed.groups:,} more groups"
    of_which = "" if needed.positives is None else f", of which about {needed.positives:,} {question.positive},"
    return f"{rows}{groups}{of_which}"


def smallest_reaching(target: float, share: Callable[[int], float], limit: int) -> int | None:
    """Return about the smallest N up to ``limit`` for which a rising function reaches the target, to 3 %.

    Example:
        >>> smallest_reaching(0.9, lambda rows: rows / 1000, 10_000)
        912
    """
    if share(limit) < target:  # first, because this is the commonest answer and needs no search
        return None
    low, high = 0, min(FIRST_TRY, limit)
    while high < limit and share(high) < target:
        low, high = high, min(2 * high, limit)
    while high - low > max(1, 0.03 * high):
        middle = (low + high) // 2
        low, high = (low, middle) if share(middle) >= target else (middle, high)
    return high


class _Imagined:
    """Truths that fit the rows seen so far, and the decisions they would lead to with more rows."""

    def __init__(self, question: Question, min_positives: int, seed: int) -> None:
        self._question, self._min_positives, self._seed = question, min_positives, seed
        self._seen = np.array(question.confusion.counts, float)  # (classes, classes)
        size = len(self._seen)
        names = (f"recall[{label}]" for label in question.confusion.classes)
        self._effects = np.array([question.units[name].effect if name in question.units else 1.0 for name in names])
        self._draws = max(MIN_DRAWS, min(MAX_DRAWS, MAX_CELLS // size**2))
        generator = np.random.default_rng([seed, 1])
        told = self._seen / self._effects[:, None]  # independent rows
        answers = generator.standard_gamma(told + _prior(size, question.rules), size=(self._draws, size, size)) + 1e-300
        self._answers = answers / answers.sum(axis=2, keepdims=True)  # (draws, true class, answer)
        shares = generator.standard_gamma(told.sum(axis=1) + 1 / size, size=(self._draws, size)) + 1e-300
        self._shares = shares / shares.sum(axis=1, keepdims=True)  # (draws, true class)
        self._gains = generator.standard_normal((len(question.comparisons), self._draws))
        self._noise = generator.standard_normal((len(question.comparisons), self._draws))
        self._of_measures = generator.standard_normal((len(question.measures), 2, self._draws))

    def decided_share(self, num_more: int) -> float:
        """Share of the draws that come to a decision with this many further rows."""
        passed, failed = np.ones(self._draws, bool), np.zeros(self._draws, bool)
        tables = self._tables(num_more)
        for gate in self._question.gates:
            worth, is_enough = worth_of_more(self._question, gate, num_more)
            low, high, usable = gate_bounds(
                gate, tables, self._position(), self._question.confidence, self._min_positives, worth, self._question.rules
            )
            usable &= is_enough
            passed &= usable & (low >= gate.minimum)
            failed |= usable & (high < gate.minimum)
        for index, (comparison, least) in enumerate(self._question.comparisons):
            is_better, is_pointless = self._compare(index, comparison, least, num_more)
            passed &= is_better & ~is_pointless
            failed |= is_pointless
        for measure, (gain, noise) in zip(self._question.measures, self._of_measures, strict=True):
            pooled, reach = self._pooled(measure.value, measure.error or 0.0, (gain, noise), num_more)
            sign = 1 if measure.is_floor else -1
            passed &= sign * (pooled - measure.bound) >= reach
            failed |= sign * (pooled - measure.bound) < -reach
        return float((passed | failed).mean())

    def _position(self) -> int | None:
        positive = self._question.positive
        return None if positive is None else self._question.confusion.classes.index(positive)

    def _tables(self, num_more: int) -> Floats:
        """Pooled confusion matrices, shape (draws, classes, classes)."""
        generator = np.random.default_rng([self._seed, 2])
        new_sizes = generator.multinomial(num_more, self._shares)  # (draws, classes)
        told = new_sizes if (self._effects == 1).all() else np.rint(new_sizes / self._effects).astype(int)
        drawn = (generator.multinomial(told[:, index], self._answers[:, index]) for index in range(len(self._seen)))
        new = [rows * effect for rows, effect in zip(drawn, self._effects, strict=True)]
        pooled: Floats = self._seen + np.stack(new, axis=1)
        return pooled

    def _compare(self, index: int, comparison: Comparison, least: float, num_more: int) -> tuple[Truth, Truth]:
        error, num_rows = standard_error(comparison), comparison.num_examples
        if error is None:
            return np.zeros(self._draws, bool), np.zeros(self._draws, bool)
        drawn = self._gains[index], self._noise[index]
        pooled, reach = self._pooled(comparison.difference, error, drawn, num_more, num_rows)
        return pooled >= reach, pooled + reach < least

    def _pooled(
        self, value: float, error: float, drawn: tuple[Floats, Floats], num_more: int, num_rows: int | None = None
    ) -> tuple[Floats, float]:
        """Return a figure on the pooled rows, shape (draws,), and how far its interval reaches to either side."""
        num_rows = self._question.num_rows if num_rows is None else num_rows
        truth = value + error * drawn[0]
        new = truth + error * (num_rows / num_more) ** 0.5 * drawn[1]
        pooled = (num_rows * value + num_more * new) / (num_rows + num_more)
        return pooled, quantile(self._question.confidence) * error * (num_rows / (num_rows + num_more)) ** 0.5


def _prior(size: int, rules: int) -> Floats | float:
    """Return the answers that a class is thought to have given before its rows are seen, shape (size, size).

    One miss and one hit in all classes together; of two classes that is Jeffreys' prior. By the first three rules each class
    had nearly one miss of its own, which made 2 right of 2 a recall of 0.67, whatever the other classes said.
    """
    if rules < 4 or size == 1:
        return 1 / size
    return np.where(np.eye(size, dtype=bool), 1 / size, 1 / (size * (size - 1)))


def worth_of_more(question: Question, gate: Gate, num_more: int) -> tuple[Floats | float, bool]:
    """Return what a row is worth for a gate's figure with so many more rows, and whether the units are then enough.

    Further rows are thought to come in units like those there are, so the design effect stays and their number grows. The worth
    has one number for each class where the figure is an average.
    """
    label = None if gate.metric == "accuracy" else question.positive
    if gate.metric == "accuracy" or label is not None:
        known = question.units.get(gate.metric if label is None else f"{gate.metric}[{label}]")
        share, is_enough = _worth(known, question, num_more)
        return share, is_enough
    metric = "recall" if gate.metric == "f1" else gate.metric
    found = [_worth(question.units.get(f"{metric}[{name}]"), question, num_more) for name in question.confusion.classes]
    return np.array([share for share, _ in found]), all(is_enough for _, is_enough in found)


def _worth(known: Units | None, question: Question, num_more: int) -> tuple[float, bool]:
    if known is None:
        return 1.0, True
    growth = (question.num_rows + num_more) / question.num_rows
    few = (quantile(question.confidence) / t_quantile(question.confidence, known.freedom * growth)) ** 2
    return (few if question.rules == 2 else 1.0) / known.effect, known.even * growth >= MIN_UNITS


def standard_error(comparison: Comparison) -> float | None:
    """Return the standard error of the difference, read from the interval or else from the p value."""
    if comparison.low is not None and comparison.high is not None:
        return (comparison.high - comparison.low) / (2 * quantile(comparison.confidence))
    if comparison.difference != 0 and 0 < comparison.p_value < 1:
        return abs(comparison.difference) / quantile(1 - comparison.p_value)
    return None


def empty_class(question: Question) -> str | None:
    """Return a class that the gates ask for and no row has."""
    sizes = dict(zip(question.confusion.classes, (sum(row) for row in question.confusion.counts), strict=True))
    if question.positive is None and question.rules > 1:
        return None  # averages are over the classes that have rows
    asked: Sequence[str] = tuple(sizes) if question.positive is None else (question.positive,)
    return next((label for label in asked if sizes[label] == 0), None)


def _num_positives(question: Question, rows: int) -> int | None:
    if question.positive is None:
        return None
    counts = question.confusion.counts
    positives = sum(counts[question.confusion.classes.index(question.positive)])
    return round(rows * positives / sum(map(sum, counts)))


def _num_groups(question: Question, rows: int) -> int | None:
    known = question.units.get("accuracy")
    if known is None or question.unit != "groups":
        return None
    return ceil(rows * known.num / question.num_rows)


def _round_up(rows: int) -> int:
    step = int(10 ** max(0, floor(log10(rows)) - 1))
    return ceil(rows / step) * step
