"""The live page's server: events as they come, the report at the end, and a text of the user's own through the layers."""

import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import StorageError
from pretune.report.live.explained import PAGE, explained_page
from pretune.report.live.feed import Feed, legible
from pretune.report.live.loopback import LoopbackHandler, LoopbackServer, as_event

logger = logging.getLogger(__name__)

FILES = {"/page.css": "page.css", "/page.js": "page.js", "/chart.js": "chart.js"}
BETWEEN = 0.4  # seconds between two messages: more often than an eye asks for would cost the training
SILENCE = 10.0  # seconds after which a reader is told that it is still connected
SECONDS_TO_FOLLOW, MAX_TEXT = 120.0, 5_000  # of one text through the layers; its characters
# The report is a page of its own, with its styles and scripts inside.
REPORT_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


class LiveServer(LoopbackServer):
    """Shows one run to any number of viewers on this machine.

    Args:
        port: 0 takes a free one.
        feed: What happens.
        run: Its folder, which may still be empty.
        mode: ``live`` turns to the report at the end, ``view`` offers it.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, port: int, feed: Feed, run: Path | None = None, *, mode: str = "live") -> None:
        self.feed, self.run, self.mode, self.attempt = feed, run, mode, f"{time.time():.3f}"
        self.num_viewers = self.num_seen = 0
        self.follows = threading.Lock()
        super().__init__(port, LiveHandler)

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()


class LiveHandler(LoopbackHandler):
    """One connection, one request."""

    server: LiveServer

    def get(self, path: str) -> None:
        """Send the page, its events, or the report."""
        if path == "/":
            self.send(200, explained_page(), "text/html; charset=utf-8")
        elif path in FILES:
            self.send_file(PAGE / FILES[path])
        elif path == "/events":
            self._stream()
        elif path == "/report.html":
            self._report()
        else:
            self.refuse(404, "there is no such page")

    def post(self, path: str) -> None:
        """Follow a text through the layers of the model that the run has by now."""
        if path != "/follow":
            self.refuse(404, "there is no such route")
            return
        body = self.body()
        text = _text_of(body) if body is not None else None
        if body is not None and text is None:
            self.refuse(400, f'send {{"text": "..."}}, of 1 to {MAX_TEXT:,} characters')
        elif text is not None:
            self._follow(text)

    def _stream(self) -> None:
        """Send what has happened, then what happens, until the viewer or the run has gone."""
        feed, number, progress = self.server.feed, 0, dict[str, Any]()
        self.begin(200, "text/event-stream; charset=utf-8", None)
        name = None if self.server.run is None else self.server.run.resolve().name
        self._tell({"attempt": self.server.attempt, "run": name, "mode": self.server.mode})
        self.server.num_viewers, self.server.num_seen = self.server.num_viewers + 1, self.server.num_seen + 1
        try:
            while not self.has_gone():
                events, newest = feed.after(number, SILENCE)
                number += len(events)
                shown = {"progress": newest} if newest is not progress else {}
                progress = newest
                self._tell({"events": events, **shown})
                if feed.is_over and not events:
                    return
                time.sleep(BETWEEN)
        finally:
            self.server.num_viewers -= 1

    def _tell(self, value: dict[str, Any]) -> None:
        self.wfile.write(as_event(value))
        self.wfile.flush()

    def _report(self) -> None:
        path = None if self.server.run is None else self.server.run / "report.html"
        if path is None or not path.is_file():
            self.refuse(404, "there is no report yet: it is written at the end")
            return
        self.send(200, path.read_bytes(), "text/html; charset=utf-8", policy=REPORT_POLICY)

    def _follow(self, text: str) -> None:
        if self.server.run is None or not (self.server.run / "model" / "config.json").is_file():
            self.refuse(409, "there is no model yet: it is saved when training has ended")
            return
        if not self.server.follows.acquire(blocking=False):
            self.refuse(429, "another text is on its way; try again in a few seconds")
            return
        try:
            words = [sys.executable, "-m", "pretune", "trace", "--json", *_asked(self.server.run, text)]
            done = subprocess.run(words, capture_output=True, timeout=SECONDS_TO_FOLLOW, check=False)
            found = json.loads(done.stdout or b"null")
        except (OSError, ValueError, StorageError, subprocess.TimeoutExpired) as error:
            self.refuse(409, f"the text could not be followed: {error}")
            return
        finally:
            self.server.follows.release()
        if done.returncode or not isinstance(found, dict):
            self.refuse(409, f"the text could not be followed: {_why(found, done.stderr)[:500]}")
        else:
            self.send_json(200, legible(found))


def _why(found: Any, said: bytes) -> str:
    """Return why ``pretune trace --json`` refused a text, in one line."""
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return said.decode(errors="replace").strip()
    expected = f"expected {error['expected']}" if error.get("expected") else ""
    return " · ".join(filter(None, (error.get("got"), expected, error.get("fix"))))


def _text_of(body: bytes) -> str | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    text = found.get("text") if isinstance(found, dict) else None
    return text if isinstance(text, str) and len(text.strip()) > 0 and len(text) <= MAX_TEXT and "\0" not in text else None


def _asked(run: Path, text: str) -> list[str]:
    """Return the arguments of ``pretune trace``: a language model guesses words, others answer."""
    is_language = storage.read_json(run / "run.json").get("status") == "pretrained"
    return [f"--mask={text}", "--", str(run)] if is_language else ["--", str(run), text]
