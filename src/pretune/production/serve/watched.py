"""Watched: what a server answers is held against the test of its run; a thread of its own looks, so that no client waits."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pretune.errors import PretuneError
from pretune.production.serve.served import Served
from pretune.tasks.classify.predict import Answer

logger = logging.getLogger(__name__)


class Monitor(Protocol):
    """What collects answers and compares them; ``production.watch`` has it."""

    def add(self, answers: Sequence[Answer]) -> bool:
        """Take note of answers; return whether a look is due."""
        ...

    def look(self) -> object:
        """Compare the answers so far."""
        ...

    def exposition(self) -> str:
        """Return what was found, in Prometheus' text format."""
        ...


class Watched:
    """Gives answers to a monitor.

    Args:
        monitor: Who compares them; ``None`` where nothing is compared.
    """

    def __init__(self, monitor: Monitor | None) -> None:
        self._monitor, self._thread = monitor, ThreadPoolExecutor(1, "watch")

    def add(self, answers: Sequence[Answer]) -> None:
        """Take note of answers, in microseconds."""
        if self._monitor is not None and self._monitor.add(answers):
            self._thread.submit(self._look, self._monitor)

    def render(self) -> bytes:
        """Return what was found, in Prometheus' text format."""
        return b"" if self._monitor is None else self._monitor.exposition().encode()

    def close(self) -> None:
        """Look no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look(self, monitor: Monitor) -> None:
        try:
            monitor.look()
        except Exception as error:  # a fault of watching is none of answering; what it says may quote a text
            logger.error("answers could not be compared with the test: %s", type(error).__name__)


def open_monitor(served: Served) -> tuple[Monitor | None, str]:
    """Return what compares answers with the test of the run, and what its user should know; nothing where no run is judged."""
    if served.run is None:
        return None, ""
    from pretune.production.watch.live import Monitor as Live
    from pretune.production.watch.reference import read_reference

    try:
        return Live(read_reference(served.run, served.run.read_record(), served.answering)), ""
    except PretuneError as error:
        return None, f"answers are not compared with the test: {error.got}"
