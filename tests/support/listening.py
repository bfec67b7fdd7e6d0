"""Servers of tests: one that answers by a rule, without a model, and one in a thread that sockets can reach."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pretune.production.serve.app import Keeping, make_app
from pretune.production.serve.guard import Door
from pretune.production.serve.limits import Limits
from pretune.production.serve.served import Served
from pretune.production.serve.server import Server, open_socket
from pretune.records import Example, Predictions
from pretune.tasks.classify.predict import Answering

CLASSES = ("bad", "good")


def by_rule(rows: Sequence[Example]) -> Predictions:
    """Return ``good`` for texts that hold the word, with the probability 0.9."""
    shares = [(0.1, 0.9) if "good" in row.text else (0.9, 0.1) for row in rows]
    return Predictions(
        source="rule",
        split="given",
        classes=CLASSES,
        ids=tuple(row.id for row in rows),
        labels=(None,) * len(rows),
        predicted=tuple(CLASSES[int(share[1] > 0.5)] for share in shares),
        probabilities=tuple(shares),
    )


def served_by(ask: Callable[[Sequence[Example]], Predictions] = by_rule, **changes: Any) -> Served:
    """Return who answers by a rule."""
    answering = Answering(
        shown="rule",
        classes=CLASSES,
        ask=ask,
        text=(),
        encoding=None,
        digest=lambda: "0" * 64,
        follow=changes.pop("follow", None),
    )
    return Served(**{"name": "rule", "answering": answering, "verdict": "ship", "digest": "0" * 64} | changes)


@contextmanager
def listening(
    served: Served,
    limits: Limits | None = None,
    *,
    token: str | None = None,
    keeping: Keeping = Keeping(),  # noqa: B008 - frozen
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """Serve in a thread for as long as the block runs, on this machine alone."""
    door = Door(token=token)
    server = Server(make_app(served, limits or Limits(), door, keeping), door, open_socket(host, 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[server.sock])), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        assert not thread.is_alive()


def ask(server: Server, path: str = "/predict", value: Any = None, method: str | None = None, **headers: str) -> Any:
    """Send one request; return status, headers (names in lower case) and what the body says."""
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    body = value if isinstance(value, (bytes, type(None))) else json.dumps(value).encode()
    named = ({} if body is None else {"Content-Type": "application/json"}) | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    connection.request(method or ("GET" if body is None else "POST"), path, body, named)
    found = connection.getresponse()
    text = found.read()
    connection.close()
    said = {name.lower(): value for name, value in found.getheaders()}
    return found.status, said, json.loads(text) if said.get("content-type") == "application/json" else text.decode()


def connect(server: Server) -> socket.socket:
    """Open a connection that a test writes to by hand."""
    return socket.create_connection(server.address, timeout=20)


def request_of(text: str, host: str = "127.0.0.1") -> bytes:
    """Return the bytes of a request about one text."""
    body = json.dumps({"text": text}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def read_answer(connection: socket.socket) -> bytes:
    """Return one answer from a connection that stays open, or what came before it was closed; nothing behind it is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = connection.recv(1)
        if not part:
            return head
        head += part
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return head + body
