"""One look: what a window has that is new, answered, measured, compared, and held against the verdict's claims."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from pretune.production.watch.arrivals import Arrival, Arrivals, Window
from pretune.production.watch.figures import Claim, watch_figures
from pretune.production.watch.joining import joinable
from pretune.production.watch.kept import Fresh, Kept
from pretune.production.watch.looking import find_all_signals
from pretune.production.watch.measured import Measured, confidence_of
from pretune.production.watch.moved_words import find_words
from pretune.production.watch.reference import Reference
from pretune.records import Example, LabelledCount, Predictions, WatchedFigure, WatchedWindow
from pretune.run.trace import Trace
from pretune.tasks.classify.predict import Answering

CHUNK = 2_048  # rows that are answered together
# Rows of one look that the model answers; of more, so many are drawn. Labelled rows are always answered.
MAX_ANSWERED = 10_000
MAX_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """What looks at windows of one run.

    Args:
        reference: The run's test.
        claims: What its verdict claims of labelled rows.
        answering: Its model.
        source: The file of production.
        trace: Receives progress and notes.
    """

    reference: Reference
    claims: tuple[Claim, ...]
    answering: Answering
    source: str
    trace: Trace


def look_at(
    watcher: Watcher, kept: Kept, window: Window, fresh: Fresh, arrivals: Arrivals
) -> tuple[WatchedWindow, Measured | None]:
    """Look at what a window has that is new; return what was found, and the numbers of its new texts."""
    notes = list[str]()
    rows = _drawn(fresh.rows, notes)
    asked = list({id(arrival): arrival for arrival in (*rows, *fresh.labelled)}.values())
    answers = _ask(watcher, [arrival.row for arrival in asked], window.name)
    given = dict(zip(map(id, asked), answers.predicted, strict=True))
    labelled = Counter((str(arrival.row.label), given[id(arrival)]) for arrival in fresh.labelled)
    unknown = sorted({label for label, _ in labelled} - {*watcher.reference.classes})
    if unknown:
        notes.append(f"labels that the model does not know count as wrong: {', '.join(unknown[:MAX_NAMED])}")
    look = WatchedWindow(
        number=len(kept.looks) + 1,
        key=fresh.key,
        digest=window.digest,
        window=window.name,
        source=watcher.source,
        looked=datetime.now(UTC).isoformat(timespec="seconds"),
        num_rows=len(fresh.rows),
        num_repeated=fresh.num_repeated,
        num_unread=arrivals.num_unread,
        num_answered=len(rows),
        labelled=tuple(LabelledCount(label=label, predicted=said, num_rows=num) for (label, said), num in labelled.items()),
        notes=tuple(notes),
    )
    look = replace(look, figures=_figures(watcher, (*kept.looks, look)))
    return _compared(watcher, kept, look, rows, _first(answers, len(rows)), arrivals.columns) if rows else (look, None)


def _compared(
    watcher: Watcher,
    kept: Kept,
    look: WatchedWindow,
    rows: Sequence[Arrival],
    answers: Predictions,
    columns: Sequence[str],
) -> tuple[WatchedWindow, Measured]:
    reference, examples = watcher.reference, [arrival.row for arrival in rows]
    texts = [row.text for row in examples]
    measured = reference.measure(examples, answers.predicted, confidence_of(answers), columns)
    signals = find_all_signals(reference, measured, texts, joinable(kept.joined, len(rows)))
    words = find_words(reference.texts, texts, reference.measure.counts)
    return replace(look, signals=signals, words=words), measured


def _ask(watcher: Watcher, rows: Sequence[Example], name: str) -> Predictions:
    """Ask in parts, and tell how far it is."""
    parts = list[Predictions]()
    for start in range(0, len(rows), CHUNK):
        watcher.trace.progress(f"answering {name}", start, len(rows), "rows")
        parts.append(watcher.answering.ask(rows[start : start + CHUNK]))
    shares = [part.probabilities for part in parts]
    return replace(
        parts[0],
        ids=tuple(name for part in parts for name in part.ids),
        labels=tuple(label for part in parts for label in part.labels),
        predicted=tuple(label for part in parts for label in part.predicted),
        probabilities=None if None in shares else tuple(row for part in shares for row in part or ()),
    )


def _drawn(rows: Sequence[Arrival], notes: list[str]) -> Sequence[Arrival]:
    if len(rows) <= MAX_ANSWERED:
        return rows
    notes.append(f"{MAX_ANSWERED:,} of the {len(rows):,} rows, drawn at random, are looked at")
    return [rows[place] for place in sorted(np.random.default_rng(len(rows)).permutation(len(rows))[:MAX_ANSWERED].tolist())]


def _first(answers: Predictions, number: int) -> Predictions:
    """Return the first answers, which are those of the rows that were drawn."""
    shares = answers.probabilities
    return replace(
        answers,
        ids=answers.ids[:number],
        labels=answers.labels[:number],
        predicted=answers.predicted[:number],
        probabilities=None if shares is None else shares[:number],
    )


def _figures(watcher: Watcher, looks: Sequence[WatchedWindow]) -> tuple[WatchedFigure, ...]:
    """Hold the labels of all looks against the claims, where the last one brought any."""
    if not looks[-1].labelled:
        return ()
    counts = [Counter({(item.label, item.predicted): item.num_rows for item in look.labelled}) for look in looks]
    return watch_figures(watcher.claims, watcher.reference.classes, counts, [look.window for look in looks])
