"""How many more test questions would settle it, for a model that replies?

As in ``rows_needed``: truths that fit the paired differences seen so far (normal, as wide as their intervals over units) let
further questions come, which are pooled with the present ones and judged with the confidence of the next look. N is the
smallest number with which as many draws as the policy states come to a decision, be it *ship* or *do not ship*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import numpy.typing as npt

from pretune.intervals import MIN_RARER_CLASS, Floats, quantile
from pretune.records import Comparison
from pretune.verdict.reply_policy import LESS_IS_BETTER, ReplyPolicy
from pretune.verdict.rows_needed import smallest_reaching, standard_error

DRAWS = 2_000
Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Open:
    """What is to be decided, and from what.

    Args:
        comparisons: Of the judged source with each rival.
        num_questions: That there are.
        num_units: Groups, or different questions, that they come in.
        unit: What units are called; ``rows`` where each question stands alone.
        confidence: Of the next look.
    """

    comparisons: Sequence[Comparison]
    num_questions: int
    num_units: int
    unit: str
    confidence: float


def find_questions_needed(asked: Open, policy: ReplyPolicy, *, seed: int = 0) -> tuple[int | None, int | None, str]:
    """Return the further test questions that would settle it, about how many groups they come in, and a sentence about them."""
    imagined = _Imagined(asked, policy, seed)
    if imagined.is_unknown and asked.num_units < MIN_RARER_CLASS:
        told = f"the {asked.num_questions:,} test questions count as {asked.num_units:,}, as they repeat each other"
        return None, None, f"{told} or come in groups; a difference needs {MIN_RARER_CLASS}: label other ones"
    if imagined.is_unknown:
        return None, None, "how many more test questions would decide is not known: a difference has no spread to go by"
    settings = policy.rows_needed
    limit = max(settings.max_rows, settings.max_factor * asked.num_questions)
    found = smallest_reaching(settings.probability, imagined.decided_share, limit)
    if found is None:
        hoped = smallest_reaching(settings.probability, lambda rows: imagined.decided_share(rows, as_measured=True), limit)
        hope = "" if hoped is None else f"; if the differences are as measured, about {_round_up(hoped):,} would"
        return None, None, f"too close: even {limit:,} more test questions would probably not decide{hope}"
    rows = _round_up(found)
    groups = None if asked.unit != "groups" else ceil(rows * asked.num_units / asked.num_questions)
    of_groups = "" if groups is None else f" in about {groups:,} more groups"
    return (
        rows,
        groups,
        (f"about {rows:,} more test questions{of_groups} would decide with probability {settings.probability:g}"),
    )


def _round_up(rows: int) -> int:
    step = int(10 ** max(0, floor(log10(rows)) - 1))
    return ceil(rows / step) * step


class _Imagined:
    """Truths that fit what was seen, and the decisions that they would lead to with more questions."""

    def __init__(self, asked: Open, policy: ReplyPolicy, seed: int) -> None:
        self._asked, self._policy = asked, policy
        self._known = {(item.b, item.metric): item for item in asked.comparisons}
        self._errors = {place: standard_error(item) for place, item in self._known.items()}
        generator = np.random.default_rng([seed, 3])
        self._draws = {place: generator.standard_normal((2, DRAWS)) for place in self._known}  # truth, and what comes

    @property
    def is_unknown(self) -> bool:
        """Whether a figure that must be better has no spread."""
        return any(self._errors.get((source, metric), 0.0) is None for source, metric in self._asked_for())

    def decided_share(self, num_more: int, *, as_measured: bool = False) -> float:
        """Share of the draws that come to a decision with so many more questions; of truths, or of what was measured."""
        growth = 1 + num_more / self._asked.num_questions
        if self._asked.num_units * growth < MIN_RARER_CLASS:
            return 0.0
        signs = {place: self._signs(place, num_more, 0.0 if as_measured else 1.0) for place in self._known}
        policy, passed, settled = self._policy, np.ones(DRAWS, bool), np.zeros(DRAWS, bool)
        for part in (policy.not_worse_on, policy.better_on, policy.better_on_one):
            for found in _pick(part, signs):  # clearly worse where it has to be better: no further question makes it ship
                settled |= np.any([sign < 0 for sign in found], axis=0)
        for found in _pick(policy.better_on, signs):
            passed &= np.all([sign > 0 for sign in found], axis=0)
        for found in _pick(policy.better_on_one, signs):
            passed &= np.any([sign > 0 for sign in found], axis=0)
        return float((passed | settled).mean())

    def _asked_for(self) -> list[tuple[str, str]]:
        parts = (self._policy.better_on, self._policy.better_on_one)
        return [(source, metric) for part in parts for source, metrics in part.items() for metric in metrics]

    def _signs(self, place: tuple[str, str], num_more: int, doubt: float) -> npt.NDArray[np.int64]:
        """Return 1 where the model would be clearly better, -1 where clearly worse."""
        item, error, num_rows = self._known[place], self._errors[place], self._known[place].num_examples
        if error is None:
            return np.zeros(DRAWS, np.int64)
        more = num_more * num_rows / self._asked.num_questions  # some questions have no subject
        truth = item.difference + doubt * error * self._draws[place][0]
        new = truth + error * (num_rows / more) ** 0.5 * self._draws[place][1]
        pooled: Floats = (num_rows * item.difference + more * new) / (num_rows + more)
        reach = quantile(self._asked.confidence) * error * (num_rows / (num_rows + more)) ** 0.5
        signs: npt.NDArray[np.int64] = (pooled >= reach).astype(np.int64) - (pooled <= -reach)
        return -signs if item.metric in LESS_IS_BETTER else signs


def _pick(
    part: Mapping[str, Sequence[str]], signs: Mapping[tuple[str, str], npt.NDArray[np.int64]]
) -> list[list[npt.NDArray[np.int64]]]:
    """Return, for each source of a part of the policy, the signs of its figures that there are."""
    found = ([signs[source, metric] for metric in metrics if (source, metric) in signs] for source, metrics in part.items())
    return [item for item in found if item]
