"""The page and the route of ``pretune chat --web``: for this machine alone, by the standard library's server.

Whatever a browser or a client sends is answered with a status below 500. A page of another site can neither ask nor read:
requests must name this machine as their host and come from no other origin, and a body must be JSON.
"""

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pretune.errors import PretuneError
from pretune.tasks.converse import completions
from pretune.tasks.converse.cast import BusyError, Cast, Part

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY = 1 << 20
MAX_CONNECTIONS = 64
SECONDS_TO_SEND, SECONDS_TO_DRAIN = 20.0, 0.5  # that a client may take for a request, or for what is refused of it
PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
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


class Server(ThreadingHTTPServer):
    """Listens on this machine alone.

    Args:
        cast: Who is asked.
        port: 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads, request_queue_size, allow_reuse_address = True, 64, True

    def __init__(self, cast: Cast, port: int) -> None:
        self.cast, self._connections = cast, threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((HOST, port), Handler)
        port = self.server_address[1]
        self.url = f"http://{HOST}:{port}/"
        self.hosts = frozenset(f"{name}:{port}" for name in (HOST, "localhost"))

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


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: Server
    _is_begun = False
    protocol_version, timeout = "HTTP/1.1", SECONDS_TO_SEND
    server_version, sys_version = "pretune", ""

    def do_GET(self) -> None:
        """Send the page, or who can be asked."""
        if not self._is_from_here():
            return
        path = self.path.partition("?")[0]
        if path in FILES:
            name, kind = FILES[path]
            self._send(200, (PAGE / name).read_bytes(), kind)
        elif path == "/v1/models":
            self._send_json(200, completions.models_of(self.server.cast.names))
        elif path == "/v1/chat/completions":
            self._refuse(405, "this route takes POST")
        else:
            self._refuse(404, "there is no such page")

    def do_HEAD(self) -> None:
        """Send the headers alone."""
        self.do_GET()

    def do_POST(self) -> None:
        """Answer a conversation."""
        if not self._is_from_here():
            return
        if self.path.partition("?")[0] != "/v1/chat/completions":
            self._refuse(404, "there is no such route; POST /v1/chat/completions")
            return
        body = self._body()
        if body is None:
            return
        try:
            asked = completions.read_request(body, self.server.cast.names)
            with self.server.cast.turn():
                self._answer(asked)
        except BusyError as error:
            self._refuse(429, str(error), "rate_limit_error")
        except PretuneError as error:
            self._refuse(400, str(error))
        except OSError:  # the client has gone
            raise
        except Exception:
            logger.exception("a question could not be answered")
            self._refuse(500, "this is a fault of pretune itself", "server_error")

    def _answer(self, asked: completions.Asked) -> None:
        """Write a reply, and stop it where nobody is there to read it any more."""
        if self._has_gone():
            return
        num_asked, parts = self.server.cast.ask(asked.model, asked.turns, asked.wishes)
        answer = completions.Completion(asked)
        if not asked.stream:
            held = list[Part]()
            start = time.perf_counter()
            for part in parts:
                held.append(part)
                if len(held) % 8 == 0 and self._has_gone():
                    return
            self._send_json(200, answer.whole(held, num_asked, self._further(asked, held, start)))
            return
        self._begin(200, "text/event-stream; charset=utf-8", None)
        for event in completions.events(self._stream(asked, answer, parts, num_asked)):
            if self._has_gone():
                return
            self.wfile.write(event)
            self.wfile.flush()

    def _stream(
        self, asked: completions.Asked, answer: completions.Completion, parts: Iterator[Part], num_asked: int
    ) -> Iterator[dict[str, Any]]:
        yield answer.chunk(None)
        held, start = list[Part](), time.perf_counter()
        for part in parts:
            held.append(part)
            yield answer.chunk(part, further=None if part.ended is None else self._further(asked, held, start))
        if asked.usage:
            yield answer.last(num_asked, len(held))

    def _further(self, asked: completions.Asked, parts: list[Part], start: float) -> dict[str, Any]:
        """Return what is known of a reply besides what OpenAI's form has a place for."""
        seconds = time.perf_counter() - start
        text = "".join(part.text for part in parts)
        return {"pretune": {"seconds": round(seconds, 3), **self.server.cast.know(asked.model, asked.turns, text)}}

    def _is_from_here(self) -> bool:
        """Whether a request is meant for this machine and comes from no other site; a refusal is sent."""
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "none")
        is_elsewhere = origin is not None and origin.removeprefix("http://") not in self.server.hosts
        if self.headers.get("Host", "") not in self.server.hosts:
            self._refuse(403, f"the host is not this machine; open {self.server.url}")
        elif is_elsewhere or site not in ("none", "same-origin"):
            self._refuse(403, "pages of other sites may not ask")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        """Return the body; ``None`` where it is refused, and that was said."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            self._refuse(415, "the body must be application/json")
        elif not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self._refuse(411, "Content-Length must say how long the body is")
        elif len(length) > 9 or int(length) > MAX_BODY:
            self._refuse(413, f"the body has more than {MAX_BODY:,} bytes")
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True  # cut off
        return None

    def _has_gone(self) -> bool:
        """Whether the client has closed the connection."""
        try:
            is_readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(is_readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def _refuse(self, status: int, message: str, kind: str = "invalid_request_error") -> None:
        if self._is_begun:  # the reply is under way: all that is left is to end it
            return
        self._send_json(status, completions.error_of(message, kind))
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

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, completions.to_bytes(value), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self._begin(status, kind, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, kind: str, length: int | None) -> None:
        self.close_connection = self._is_begun = True
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Connection", "close")
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request; a method that is not known is no fault of the server."""
        del explain
        self.command = getattr(self, "command", None) or "GET"
        self._send_json(405 if code >= 500 else code, completions.error_of(message or "this is no request"))

    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests off the terminal."""
        logger.debug(format, *args)
