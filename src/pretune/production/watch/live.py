"""Live: a server's own traffic, watched as it answers. In memory: a server that starts again begins anew."""

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Lock

import numpy as np

from pretune.data.clean import clean_text
from pretune.production.watch.budget import ENOUGH
from pretune.production.watch.gauges import exposition, gauges_of
from pretune.production.watch.joining import joinable, keep
from pretune.production.watch.looking import find_all_signals
from pretune.production.watch.measured import Measured
from pretune.production.watch.moved_words import find_words
from pretune.production.watch.reference import Reference, read_reference
from pretune.records import Example, WatchedWindow
from pretune.tasks.classify.predict import Answer, open_answering
from pretune.tasks.places import require_run

MAX_WAITING = 4  # windows whose texts are held while nobody looks; further ones are counted as dropped


class Monitor:
    """Collects answers, and compares each window of them with the test. Threads may share it.

    Args:
        reference: The test of the run that answers.
        num_rows: Answers per window.
    """

    def __init__(self, reference: Reference, *, num_rows: int = ENOUGH) -> None:
        self._reference, self._num_rows = reference, num_rows
        self._lock, self._looking = Lock(), Lock()
        self._waiting, self._joined = list[Answer](), tuple[Measured, ...]()
        self._last: WatchedWindow | None = None
        self.num_looks = self.num_dropped = 0

    def add(self, answers: Sequence[Answer]) -> bool:
        """Take note of answers, in microseconds; return whether a window is full, so that ``look`` is due."""
        given = [answer for answer in answers if answer.predicted is not None]
        with self._lock:
            room = max(0, MAX_WAITING * self._num_rows - len(self._waiting))
            self._waiting += given[:room]
            self.num_dropped += max(0, len(given) - room)
            return len(self._waiting) >= self._num_rows

    def look(self) -> WatchedWindow | None:
        """Compare the next window with the test, which takes up to a second; ``None`` where none is full."""
        with self._looking:
            with self._lock:
                if len(self._waiting) < self._num_rows:
                    return None
                window, self._waiting = self._waiting[: self._num_rows], self._waiting[self._num_rows :]
            self._last = self._compare(window)
            self.num_looks += 1
            return self._last

    def exposition(self) -> str:
        """Return the gauges of the last look in Prometheus' text format."""
        return exposition(list(gauges_of(self._last, self.num_looks)))

    def _compare(self, answers: Sequence[Answer]) -> WatchedWindow:
        reference, start = self._reference, self.num_looks * self._num_rows + 1
        rows = [Example(id=str(number), text=clean_text(answer.text)) for number, answer in enumerate(answers)]
        numbers = {name: number for number, name in enumerate(reference.classes)}
        predicted = [str(answer.predicted) for answer in answers]
        confidence = np.array([answer.shares[numbers[name]] for answer, name in zip(answers, predicted, strict=True)])
        measured, texts = reference.measure(rows, predicted, confidence), [row.text for row in rows]
        before = joinable(self._joined, len(rows))
        self._joined = keep(self._joined, measured)
        return WatchedWindow(
            number=self.num_looks + 1,
            key=str(start),
            digest="",
            window=f"answers {start:,} to {start + len(rows) - 1:,}",
            source="server",
            looked=datetime.now(UTC).isoformat(timespec="seconds"),
            num_rows=len(rows),
            num_answered=len(rows),
            signals=find_all_signals(reference, measured, texts, before),
            words=find_words(reference.texts, texts, reference.measure.counts),
        )


def open_monitor(run: str, *, num_rows: int = ENOUGH) -> Monitor:
    """Return a monitor of what a run answers.

    Args:
        run: A judged run.
        num_rows: Answers per window.

    Raises:
        UsageError: The run was not judged.
        StorageError: A file of the run is damaged.
    """
    folder, record = require_run(run)
    return Monitor(read_reference(folder, record, open_answering(run)), num_rows=num_rows)
