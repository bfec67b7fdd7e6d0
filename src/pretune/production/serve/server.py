"""Server: listens, and stops on SIGTERM or Ctrl-C once everything that was accepted is answered."""

import asyncio
import logging
import socket
import time
from types import FrameType
from typing import Any

import uvicorn

from pretune.errors import UsageError
from pretune.production.serve.connection import Connection
from pretune.production.serve.guard import Door
from pretune.production.serve.limits import SECONDS_TO_LINGER, SECONDS_TO_STOP
from pretune.report.live.loopback import refused_port

INTERRUPTED = 130
BACKLOG = 256
MAX_PORT = 65_535
TICK = 0.01


class Server(uvicorn.Server):  # type: ignore[misc] # typed as Any where uvicorn is not installed
    """Uvicorn's, with an end that loses nothing.

    Uvicorn closes connections that seem idle at once, although a request may be on its way to them. Here they stay open for a
    moment, and each answer says that it is the last one.

    Args:
        app: What answers.
        door: Is told that the server stops.
        sock: Bound; connections that come from now on are kept until ``answer`` takes them.
    """

    should_exit: bool
    force_exit: bool

    def __init__(self, app: Any, door: Door, sock: socket.socket) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # its warnings are counts in /metrics
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=SECONDS_TO_STOP,
            )
        )
        self._door, self.sock = door, sock
        sock.listen(BACKLOG)
        self.address = host, port = sock.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def answer(self) -> int:
        """Serve until a signal; return the exit code: 0, or 130 where a second signal cut answers off."""
        self.run(sockets=[self.sock])
        return INTERRUPTED if self.force_exit else 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second signal does not wait for anything."""
        del sig, frame  # uvicorn would raise the signal again at the end, and the exit code would be that of a kill
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and answer what comes on those that are open."""
        self._door.is_closing = True
        await asyncio.sleep(TICK)  # what the system has accepted by now is taken
        for server in self.servers:
            server.close()
        until = time.monotonic() + SECONDS_TO_LINGER
        while self.server_state.connections and time.monotonic() < until and not self.force_exit:
            await asyncio.sleep(TICK)
        await super().shutdown(sockets)


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound and does not listen yet; nobody else can take the port while a model loads.

    Args:
        host: Name or address.
        port: 0 takes a free one.

    Raises:
        UsageError: The port is taken, or the host is none of this machine's.
    """
    if port > MAX_PORT:  # getaddrinfo would take the remainder
        raise refused_port(port, OverflowError(f"the last one is {MAX_PORT}"))
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host {host!r}: {error}", expected="a name or address of this machine") from error
    found = socket.socket(family, kind)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
    except OSError as error:
        found.close()
        raise refused_port(port, error) from error
    return found
