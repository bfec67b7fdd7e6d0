"""How many more rows of one class would decide its floor? Only rows of that class do."""

from collections.abc import Mapping, Sequence

import numpy as np

from pretune.intervals import proportion_bounds
from pretune.verdict.floors import Part, holds
from pretune.verdict.policy import Policy
from pretune.verdict.rows_needed import smallest_reaching

MAX_NAMED = 5
PRIOR = 0.5  # Jeffreys'


def rows_by_class(parts: Sequence[Part], floor: float, policy: Policy, confidence: float) -> dict[str, int | None]:
    """Return the further rows of each class whose floor is open; ``None`` where none within the policy's limit would do.

    The recalls that fit the rows seen are beta-distributed; each lets further rows of its class fall out, which are pooled with
    those there are and held against the floor. The number is the smallest that decides with the policy's probability.

    Args:
        parts: All classes that the floor is about.
        floor: The least figure.
        policy: States the probability, and how far to search.
        confidence: Of the next look.
    """
    found: dict[str, int | None] = {}
    for part in parts:
        if holds(part, floor, len(parts)) is None:
            rows = _rows_of(part, floor, len(parts), policy, confidence)
            found[part.shown] = rows
    return found


def _rows_of(part: Part, floor: float, num_parts: int, policy: Policy, confidence: float) -> int | None:
    from scipy.stats import betabinom  # half a second to load, and a policy is read before a wrong column is refused

    effect = part.units.effect if part.units is not None else 1.0
    hits, total = part.hits / effect, part.total / effect

    def decided(rows: int) -> float:
        told = max(1, round(rows / effect))
        if part.total + rows < policy.min_positives:
            return 0.0
        more = np.arange(told + 1)
        chances = betabinom.pmf(more, told, hits + PRIOR, total - hits + PRIOR)
        low, _ = proportion_bounds(hits + more, np.full(told + 1, total + told), confidence)
        _, high = proportion_bounds(hits + more, np.full(told + 1, total + told), 1 - (1 - confidence) / num_parts)
        return float(chances[(low >= floor) | (high < floor)].sum())

    needed = policy.rows_needed
    return smallest_reaching(needed.probability, decided, needed.max_rows)


def say_rows_by_class(found: Mapping[str, int | None], probability: float) -> str:
    """Return one sentence: the classes that need most, and how many rows in all.

    Example:
        >>> say_rows_by_class({"a": 8, "b": 15}, 0.9)
        'about 15 more test rows of b and 8 of a would decide their floors with probability 0.9 each'
    """
    known = sorted(((rows, label) for label, rows in found.items() if rows is not None), key=lambda item: (-item[0], item[1]))
    close = sorted(label for label, rows in found.items() if rows is None)
    said = []
    if known:
        shown = [f"{rows:,} of {label}" for rows, label in known[:MAX_NAMED]]
        shown[0] = f"about {known[0][0]:,} more test rows of {known[0][1]}"
        if len(known) > MAX_NAMED:
            shown.append(f"of {len(known) - MAX_NAMED} more classes ({sum(rows for rows, _ in known):,} rows in all)")
        joined = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
        whose = "its floor with" if len(known) == 1 else "their floors with"
        each = "" if len(known) == 1 else " each"
        said.append(f"{joined} would decide {whose} probability {probability:g}{each}")
    if close:
        more = f" and {len(close) - MAX_NAMED} more" if len(close) > MAX_NAMED else ""
        said.append(f"{', '.join(close[:MAX_NAMED])}{more} {'is' if len(close) == 1 else 'are'} too close to "
                    f"{'its' if len(close) == 1 else 'their'} floor")  # fmt: skip
    return "; ".join(said)
