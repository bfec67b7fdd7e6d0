"""What other thresholds would give: about ten of them as a table, and the whole curve."""

import numpy as np

from pretune.evaluate.ladder import Ladder, RungCounts
from pretune.records import TradeoffPoint

# Recall of the rows of the table: each is the highest threshold that reaches it, so the one with the fewest rows called.
RECALLS = (0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.95, 0.98, 1.00)
# Points of the curve: more cannot be seen, and ``run.json`` holds them.
MAX_POINTS = 120


def table_of(ladder: Ladder, counts: RungCounts, chosen: float) -> tuple[TradeoffPoint, ...]:
    """Return about ten thresholds, falling, the chosen one among them."""
    recall = counts.value("recall")[0]
    places = {int((recall >= wanted - 1e-12).argmax()) for wanted in RECALLS} | {ladder.find(chosen)}
    return tuple(_point(ladder, counts, place) for place in sorted(places))


def curve_of(ladder: Ladder, counts: RungCounts) -> tuple[TradeoffPoint, ...]:
    """Return the curve from the highest threshold to the lowest, evenly spaced in recall and in rows called."""
    size = len(ladder.thresholds)
    places = np.arange(size)
    if size > MAX_POINTS:
        recall = counts.value("recall")[0]
        even = np.linspace(0, 1, MAX_POINTS // 2)
        by_recall = np.searchsorted(recall, even * recall[-1])
        places = np.unique(np.concatenate([by_recall, (even * (size - 1)).round().astype(int)]).clip(0, size - 1))
    return tuple(_point(ladder, counts, int(place)) for place in places)


def _point(ladder: Ladder, counts: RungCounts, place: int) -> TradeoffPoint:
    return TradeoffPoint(
        threshold=float(ladder.thresholds[place]),
        precision=float(counts.value("precision")[0, place]),
        recall=float(counts.value("recall")[0, place]),
        num_called=int(counts.called[0, place]),
    )
