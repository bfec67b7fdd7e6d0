"""The events of a run as they come, for any number of readers: from the run itself, or from its ``trace.jsonl``."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pretune.wording.tokens import say_example, show_token, show_tokens

Event = dict[str, Any]

POLL = 0.5  # seconds between two looks at a file
# What the page draws of an update.
OF_A_STEP = ("event", "time", "index", "loss", "learning_rate", "gradient_norm")


class Feed:
    """What has happened so far, and what happens next.

    ``hear`` is a listener of a trace: it puts an event aside and returns.
    """

    def __init__(self) -> None:
        self._events, self._progress = list[Event](), Event()
        self._news, self._is_over = threading.Condition(), False

    def hear(self, event: Event) -> None:
        """Take an event; of progress the newest alone is kept."""
        event = {"time": round(time.time(), 3), **event}
        with self._news:
            if event["event"] == "progress":
                self._progress = event
            else:
                self._events.append(_drawn(event))
            self._news.notify_all()

    def read(self, path: Path) -> int:
        """Take the events that a ``trace.jsonl`` has; return how many bytes of it were read."""
        return self._read(path, 0)

    def follow(self, path: Path, is_over: Callable[[], bool]) -> None:
        """Take the events of a file as it grows, from its beginning, until somebody closes the feed.

        Args:
            path: ``trace.jsonl``; there may be none yet, and another may take its place.
            is_over: Whether no more will come.
        """
        place, known = 0, 0
        while not self._is_over:
            size = path.stat().st_size if path.exists() else 0
            if size < place:  # another run was begun in its place
                place = 0
                self.hear({"event": "replaced"})
            if size > place:
                place = self._read(path, place)
            elif size == known and is_over():
                self.hear({"event": "over"})
                return
            known = size
            time.sleep(POLL)

    def after(self, number: int, seconds: float) -> tuple[list[Event], Event]:
        """Return the events from a number on, and the newest progress; wait for one so many seconds at most."""
        with self._news:
            progress = self._progress
            self._news.wait_for(
                lambda: len(self._events) > number or self._progress is not progress or self._is_over, timeout=seconds
            )
            return self._events[number:], self._progress

    def close(self) -> None:
        """Let readers go."""
        with self._news:
            self._is_over = True
            self._news.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether it was closed."""
        return self._is_over

    def _read(self, path: Path, place: int) -> int:
        with path.open("rb") as file:
            file.seek(place)
            *lines, _ = file.read().split(b"\n")  # a line that is being written has no end yet
        for line in lines:
            place += len(line) + 1
            event = _parsed(line)
            if event is not None:
                self.hear(event)
        return place


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _drawn(event: Event) -> Event:
    """Return what the page needs of an event: a run has tens of thousands of updates."""
    if event["event"] == "step":
        return {name: event.get(name) for name in OF_A_STEP}
    shown = {name: value for name, value in event.items() if name != "chain"}
    if event["event"] == "stage" and isinstance(event.get("example"), str):
        shown["example"] = say_example(str(event.get("stage")), event["example"])
    drawn: Event = legible(shown)
    return drawn


def legible(value: Any) -> Any:
    """Return data for the page in which tokens are written as people read them: the fields ``token`` and ``tokens``."""
    if isinstance(value, dict):
        return {name: _tokens(name, item) for name, item in value.items()}
    return [legible(item) for item in value] if isinstance(value, (list, tuple)) else value


def _tokens(name: str, value: Any) -> Any:
    if name == "token" and isinstance(value, str):
        return show_token(value)
    is_text = name == "tokens" and isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    return show_tokens(value) if is_text else legible(value)
