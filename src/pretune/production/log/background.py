"""A log that is kept in the background: it may be slow or fail, and the training does not notice."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from pretune.production.log.points import Ending, Logger, Point

logger = logging.getLogger("pretune.log")

SECONDS_GATHERED = 1.0  # between two writes: what a kill can lose
MAX_POINTS = 500  # in one write
MAX_WAITING = 200_000  # points of a log that answers no more; some 100 MB
SECONDS_PATIENT = 60.0  # at the end, for what has not been written


class Background:
    """Keeps one log in a thread of its own, so that a step costs the training a line in a queue.

    Args:
        name: What the user called the logger.
        begin: Opens the log.
    """

    def __init__(self, name: str, begin: Callable[[], Logger]) -> None:
        self._name, self._begin = name, begin
        self._queue: queue.Queue[Point | Ending] = queue.Queue()
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name=f"log {name}", daemon=True)
        self._thread.start()

    def tell(self, point: Point) -> None:
        """Hand on a point; nothing waits."""
        if self._is_over:
            return
        if self._queue.qsize() >= MAX_WAITING:
            self._give_up(f"it has not taken the last {MAX_WAITING:,} points")
            return
        self._queue.put(point)

    def end(self, ending: Ending) -> None:
        """Hand on how the run ended; ``wait`` waits until it is written."""
        if not self._is_over:
            self._queue.put(ending)

    def wait(self, seconds: float = SECONDS_PATIENT) -> None:
        """Wait until the log is closed, and give it up if that takes longer."""
        if not self._is_over:
            self._thread.join(seconds)
        if self._thread.is_alive():
            self._give_up(f"it is not done {seconds:.0f} s after the run; what it has not written is lost")

    def _give_up(self, why: str) -> None:
        """Say once that this log is not kept any more."""
        if not self._is_over:
            self._is_over = True
            logger.warning("--log %s: %s. The run itself is not affected", self._name, why)

    def _work(self) -> None:
        try:
            self._keep()
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            self._give_up(f"{type(error).__name__}: {said}" if said else type(error).__name__)

    def _keep(self) -> None:
        """Write what comes; a run that was refused before its first step leaves no log."""
        points, ending = self._gather()
        if ending is not None and not ending.is_complete and not points:
            return
        log = self._begin()
        known = log.known()
        while ending is None:
            self._write(log, points, known)
            points, ending = self._gather()
        self._write(log, [*points, *ending.points], known)
        log.finish(ending)

    def _write(self, log: Logger, points: list[Point], known: set[tuple[str, int]]) -> None:
        """Write the points that are not known, each once."""
        fresh = list({point.mark: point for point in points if point.mark not in known}.values())
        known |= {point.mark for point in fresh}
        for start in range(0, len(fresh), MAX_POINTS):
            log.write(fresh[start : start + MAX_POINTS])

    def _gather(self) -> tuple[list[Point], Ending | None]:
        """Return the points of about a second, and the ending where it has come."""
        points = list[Point]()
        item, end = self._queue.get(), time.monotonic() + SECONDS_GATHERED
        while not isinstance(item, Ending):
            points.append(item)
            try:
                item = self._queue.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return points, None
        return points, item
