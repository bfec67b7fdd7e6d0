"""The live page: opened beside a run that trains, or for one that is there. Heavy imports wait until one is asked for."""

import contextlib
import errno
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pretune.report.live.server import LiveServer

Server = TypeVar("Server")

PORT = 8010
SECONDS_TO_READ = 5.0  # that viewers have for the report when the command ends
LIVE: "ContextVar[Live | None]" = ContextVar("LIVE", default=None)


class Live:
    """The page of the command that is running."""

    def __init__(self, server: "LiveServer") -> None:
        self._server = server
        self.hear = server.feed.hear

    def at(self, folder: Path) -> None:
        """Say where the run is; what an earlier attempt did there comes first."""
        self._server.run = folder
        trace = folder / "trace.jsonl"
        if trace.is_file():
            self._server.feed.read(trace)

    def finish(self) -> None:
        """Tell viewers that it is over, and wait until they have read the report."""
        self.hear({"event": "over"})
        end = time.monotonic() + SECONDS_TO_READ
        while self._server.num_viewers and time.monotonic() < end:
            time.sleep(0.1)
        if self._server.num_seen:
            time.sleep(1.0)  # the report is on its way


@contextlib.contextmanager
def watched(flags: Mapping[str, Any]) -> Iterator[None]:
    """Serve a page on this machine while the block runs, where ``--live`` asks for one.

    Raises:
        UsageError: The port is taken.
    """
    if not flags["live"]:
        yield
        return
    from pretune.report.live.feed import Feed
    from pretune.report.live.server import LiveServer

    server = open_server(lambda port: LiveServer(port, Feed()), flags["live_port"], PORT, flag="--live-port")
    tell(f"live page: {server.url} (as long as this command runs)")
    server.start()
    live = Live(server)
    token = LIVE.set(live)
    try:
        yield
        live.finish()
    finally:
        LIVE.reset(token)
        server.feed.close()
        server.shutdown()
        server.server_close()


def view(run: Path, port: int | None) -> int:
    """Serve the page of a run that is there, finished or at work in another process, until Ctrl-C; return the exit code.

    Raises:
        UsageError: The port is taken.
    """
    from pretune.report.live.feed import Feed
    from pretune.report.live.server import LiveServer
    from pretune.run.holding import is_held_elsewhere

    feed, place = Feed(), run.resolve()
    mode = "live" if is_held_elsewhere(place) else "view"
    server = open_server(lambda port: LiveServer(port, feed, run, mode=mode), port, PORT, flag="--port")
    threading.Thread(target=feed.follow, args=(run / "trace.jsonl", lambda: not is_held_elsewhere(place)), daemon=True).start()
    tell(f"{run} can be seen at {server.url} (Ctrl-C ends)")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")
        finally:
            feed.close()
    return 0


def open_server(make: Callable[[int], Server], port: int | None, usual: int, *, flag: str) -> Server:
    """Open a server on a port; where none was named and the usual one is taken, on a free one.

    Raises:
        UsageError: The named one is taken, or there is no such port.
    """
    try:
        return make(usual if port is None else port)
    except (OSError, OverflowError) as error:
        if port is None and isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return make(0)
        from pretune.report.live.loopback import refused_port

        raise refused_port(port, error, flag) from error


def tell(text: str) -> None:
    """Say something beside the results."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
