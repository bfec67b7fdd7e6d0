"""Making a signal of what was compared: its level, its interval, and the change from which it matters."""

from collections.abc import Callable
from functools import partial

from pretune.intervals import Counts
from pretune.production.watch.compared import EXACT, Bools, Counted, Tested, compare_shares, count
from pretune.records import Signal

Make = Callable[..., Signal]  # a signal of which some fields are given
# Changes below these are no alarm, however sure: with a million texts a day everything differs.
LEAST_SHARE = 0.02  # of a share of texts
LEAST_AREA = 0.03  # of the chance that one text has more than another: about a tenth of a standard deviation
MAX_ITEMS = 20  # classes or values that are kept of a signal, those that moved most surely
TOO_FEW_UNITS = "the texts come in too few groups or copies to tell"


def signal_of(make: Make, found: Tested | None, *, level: float, before: float, now: float) -> Signal:
    """Return a signal from what was found; ``None`` where texts come in too few units."""
    named = partial(make, before=before, now=now, level=level)
    if found is None:
        return named(change=None, low=None, high=None, p_value=None, least=LEAST_AREA, method="", note=TOO_FEW_UNITS)
    return named(
        change=found.change,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        least=LEAST_SHARE if found.method == EXACT else LEAST_AREA,
        method=found.method,
    )


def compare_hits(make: Make, before: Counted | None, share: float, is_now: Bools, units: Counts, *, level: float) -> Signal:
    """Compare a share of the test with that of a window.

    Args:
        make: The signal, but for its figures.
        before: What the test's share rests on.
        share: The test's share.
        is_now: Which texts of the window are hits.
        units: Of the window's texts.
        level: Error that the test may make.
    """
    now = count(is_now, units)
    found = None if before is None or now is None else compare_shares(before, now, level)
    return signal_of(make, found, level=level, before=share, now=float(is_now.mean()))


def certainty(signal: Signal) -> float:
    """Return by what signals of a kind are sorted: the surest first."""
    return 1.0 if signal.p_value is None else signal.p_value
