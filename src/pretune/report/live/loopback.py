"""A server for this machine alone, by the standard library: what every page of pretune has in common.

Whatever a browser or a client sends is answered with a status below 500. A page of another site can neither ask nor read:
requests must name this machine as their host and come from no other origin, and a body must be JSON.
"""

import contextlib
import errno
import json
import logging
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pretune.errors import UsageError

logger = logging.getLogger(__name__)

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}  # of the files of a page
HOST = "127.0.0.1"
LOCAL = frozenset({HOST, "localhost", "::1"})
MAX_BODY = 1 << 20
MAX_CONNECTIONS = 64
SECONDS_TO_SEND, SECONDS_TO_DRAIN = 20.0, 0.5  # that a client may take for a request, or for what is refused of it
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Headers(Protocol):
    """Headers of a request, in which case does not matter."""

    def get(self, name: str, /) -> Any:
        """Return what a header says, or ``None``."""


class LoopbackServer(ThreadingHTTPServer):
    """Listens on this machine alone.

    Args:
        port: 0 takes a free one.
        handler: Answers one connection.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads, request_queue_size, allow_reuse_address = True, 64, True

    def __init__(self, port: int, handler: "type[LoopbackHandler]") -> None:
        self._connections = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((HOST, port), handler)
        self.url = f"http://{HOST}:{self.server_address[1]}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread; where too many are open, close it."""
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            request.settimeout(SECONDS_TO_DRAIN)
            refusal = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            with contextlib.suppress(OSError):
                request.sendall(refusal)
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing on the terminal of a client that has gone."""
        del request, client_address
        logger.debug("a connection broke", exc_info=True)


class LoopbackHandler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: LoopbackServer
    _is_begun = False
    protocol_version, timeout = "HTTP/1.1", SECONDS_TO_SEND
    server_version, sys_version = "pretune", ""

    def get(self, path: str) -> None:
        """Answer a GET request; the path has no question mark."""
        self.refuse(404, f"there is no page {path[:80]}")

    def post(self, path: str) -> None:
        """Answer a POST request; ``body`` reads what was sent."""
        self.refuse(404, f"there is no route {path[:80]}")

    def do_GET(self) -> None:
        """Answer where the request is meant for this machine."""
        if self.is_from_here():
            self.get(self.path.partition("?")[0])

    def do_HEAD(self) -> None:
        """Send the headers alone."""
        self.do_GET()

    def do_POST(self) -> None:
        """Answer where the request is meant for this machine."""
        if self.is_from_here():
            self.post(self.path.partition("?")[0])

    def error_of(self, message: str, kind: str) -> dict[str, Any]:
        """Return the JSON that a refusal is."""
        return {"error": {"message": message, "type": kind}}

    def is_from_here(self) -> bool:
        """Whether a request is meant for this machine and comes from no other site; a refusal is sent."""
        refusal = stranger(self.headers, is_local=True)
        if refusal is not None:
            self.refuse(403, f"{refusal}; open {self.server.url}")
        return refusal is None

    def body(self) -> bytes | None:
        """Return the body; ``None`` where it is refused, and that was said."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            self.refuse(415, "the body must be application/json")
        elif not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self.refuse(411, "Content-Length must say how long the body is")
        elif len(length) > 9 or int(length) > MAX_BODY:
            self.refuse(413, f"the body has more than {MAX_BODY:,} bytes")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True  # cut off
        return None

    def has_gone(self) -> bool:
        """Whether the client has closed the connection."""
        try:
            is_readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(is_readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def refuse(self, status: int, message: str, kind: str = "invalid_request_error") -> None:
        """Send an error, unless an answer is under way: then all that is left is to end it."""
        if self._is_begun:
            return
        self.send_json(status, self.error_of(message, kind))
        self._drain()

    def _drain(self) -> None:
        """Read a little of what a client still sends: a connection that is closed on it would lose the refusal."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(SECONDS_TO_DRAIN)
            for _ in range(MAX_BODY >> 16):
                if not self.connection.recv(1 << 16):
                    break

    def send_file(self, file: Path) -> None:
        """Send a file of a page, in UTF-8."""
        self.send(200, file.read_bytes(), f"{KINDS[file.suffix]}; charset=utf-8")

    def send_json(self, status: int, value: Any) -> None:
        """Send JSON."""
        self.send(status, to_bytes(value), "application/json")

    def send(self, status: int, body: bytes, kind: str, *, policy: str = "") -> None:
        """Send a whole answer of a content type, under a policy of its own where it needs one."""
        self.begin(status, kind, len(body), policy=policy)
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status: int, kind: str, length: int | None, *, policy: str = "") -> None:
        """Send the headers of an answer; ``None`` where nobody knows how long it will be."""
        self.close_connection = self._is_begun = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in HEADERS.items():
            self.send_header(name, policy if policy and name == "Content-Security-Policy" else value)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request; a method that is not known is no fault of the server."""
        del explain
        self.command = getattr(self, "command", None) or "GET"
        self.send_json(405 if code >= 500 else code, self.error_of(message or "this is no request", "invalid_request_error"))

    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests off the terminal."""
        logger.debug(format, *args)


def to_bytes(value: Any) -> bytes:
    """Return JSON in ASCII: half a character in a text is an escape, and never an error."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).encode()


def as_event(value: Any) -> bytes:
    """Return JSON as a server-sent event."""
    return b"data: " + to_bytes(value) + b"\n\n"


def stranger(headers: Headers, *, is_local: bool) -> str | None:
    """Return why a request is refused that a page of another site may have sent, or ``None``.

    Args:
        headers: Of the request.
        is_local: Whether the server listens on this machine alone. Then ``Host`` must name this machine: another name that
            leads here (DNS rebinding) would let a page of that name read the answers.
    """
    host, origin, site = headers.get("host") or "", headers.get("origin"), headers.get("sec-fetch-site") or "none"
    if is_local and _name_in(host) not in LOCAL:
        return "the host is not this machine"
    is_elsewhere = origin is not None and origin.partition("://")[2] != host
    return "pages of other sites may not ask" if is_elsewhere or site not in ("none", "same-origin") else None


def refused_port(port: int | None, error: Exception, flag: str = "--port") -> UsageError:
    """Return the message for a port that cannot be listened on."""
    is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    return UsageError(
        f"port {port} {'is taken' if is_taken else f'cannot be used ({error})'}",
        expected="a free port",
        fix=f"{flag} 0 takes a free one",
    )


def _name_in(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
