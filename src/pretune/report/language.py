"""The language model itself before and after pre-training, on text of its domain and on general text."""

from collections.abc import Sequence
from dataclasses import dataclass

from pretune.records import Score
from pretune.report.words import UNDEFINED, number


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """One figure on one kind of text."""

    text: str  # "domain" or "general"
    metric: str
    before: str
    after: str
    change: str  # relative, of a loss; in points, of a share
    method: str


def language_rows(scores: Sequence[Score]) -> list[LanguageRow]:
    """Return the table; figures of any other kind are passed over."""
    known = {(item.split, item.metric, item.source): item for item in scores if item.source in ("before", "pretrained")}
    rows = []
    for (split, metric, source), after in known.items():
        if source == "pretrained" and after.value is not None:
            before = known.get((split, metric, "before"))
            rows.append(_row(split, metric, before, after))
    return rows


def _row(split: str, metric: str, before: Score | None, after: Score) -> LanguageRow:
    was, now, is_share = before.value if before else None, after.value or 0.0, "accuracy" in metric
    change = UNDEFINED
    if was is not None:
        change = f"{100 * (now - was):+.1f} points" if is_share else f"{(now - was) / max(was, 1e-9):+.1%}"
    method = before.method if before else f"{after.method}; before, it had no head for words"
    return LanguageRow(
        text=split, metric=metric.replace("_", " "), before=number(was), after=number(now), change=change, method=method
    )
