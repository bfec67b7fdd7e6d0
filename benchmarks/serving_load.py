"""Clients of a server on this machine: many at once, at a steady rate, and such as do harm. Standard library alone."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"  # never another one
IDLE = 3.0  # seconds after which a client closes a connection itself, before the server does
TIMEOUT = 300.0
SLOW = 25.0  # seconds that a slow client goes on at most; the server ends it after 20


@dataclass(slots=True)
class Tally:
    """What became of requests."""

    statuses: Counter[str] = field(default_factory=Counter)
    hostile: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0  # answers that are none of the expected ones
    lost: int = 0  # requests that were sent in whole and not answered
    answered: int = 0  # also before times are counted

    def quantile(self, share: float) -> float:
        """Return a quantile of the times to an answer, in milliseconds."""
        ordered = sorted(self.seconds)
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """A body, and whether an answer to it is right."""

    body: bytes
    is_right: Callable[[Any], bool]


class ClosedError(Exception):
    """The server closed the connection instead of answering."""


class Client:
    """One connection that is kept open, and opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port, self._used = port, 0.0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, body: bytes, path: str = "/predict") -> tuple[int, bytes]:
        """Return status and body.

        Raises:
            ClosedError: The request was sent and no answer came.
            OSError: No connection could be opened.
        """
        reader, writer = await self._open()
        head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            head_back = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head_back.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            said = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise ClosedError from error
        self._used = time.monotonic()
        if b"connection: close" in head_back:
            self.close()
        return int(head_back[9:12]), said

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof() or time.monotonic() - self._used > IDLE:
            self.close()
            self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        return self._reader, self._writer


async def crowd(port: int, questions: Sequence[Question], clients: int, seconds: float, *, warm: float = 0.0) -> Tally:
    """Let each client ask again as soon as it is answered.

    Args:
        port: Of the server.
        questions: Asked in turn.
        clients: How many at once.
        seconds: For how long.
        warm: Seconds before, whose times are not counted.
    """
    tally, begin = Tally(), time.monotonic() + warm
    end = begin + seconds

    async def one(number: int) -> None:
        client, place = Client(port), number * 977
        while time.monotonic() < end:
            place += 1
            if not await _ask(client, questions[place % len(questions)], tally, since=begin):
                return
        client.close()

    await asyncio.gather(*map(one, range(clients)))
    return tally


async def steady(
    port: int,
    questions: Sequence[Question],
    rate: float,
    seconds: float,
    *,
    hostile_share: float,
    look: Callable[[float], object],
) -> Tally:
    """Ask at a steady rate, whether earlier requests are answered or not, among them a share that does harm.

    Args:
        port: Of the server.
        questions: Asked in turn.
        rate: Requests per second.
        seconds: For how long.
        hostile_share: Of requests that do harm.
        look: Called about every second with the seconds since the start.
    """
    tally, draw, idle, tasks = Tally(), random.Random(0), list[Client](), set[asyncio.Task[None]]()

    async def friendly(number: int) -> None:
        client = idle.pop() if idle else Client(port)
        await _ask(client, questions[number % len(questions)], tally, since=0.0)
        idle.append(client)

    async def hostile(name: str, harm: Callable[[int], Awaitable[str]]) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            tally.hostile[f"{name}: {await asyncio.wait_for(harm(port), TIMEOUT)}"] += 1
            return
        tally.hostile[f"{name}: closed"] += 1

    start, number, looked = time.monotonic(), 0, 0.0
    while (now := time.monotonic() - start) < seconds:
        while number < now * rate:
            work = hostile(*draw.choice(HARMS)) if draw.random() < hostile_share else friendly(number)
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        if now - looked > 1:
            look(now)
            looked = now
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    for client in idle:
        client.close()
    return tally


async def _ask(client: Client, question: Question, tally: Tally, *, since: float) -> bool:
    """Ask once; return whether the server still takes connections."""
    start = time.monotonic()
    try:
        status, said = await asyncio.wait_for(client.ask(question.body), TIMEOUT)
    except (ClosedError, TimeoutError):
        tally.lost += 1
        return True
    except OSError:
        tally.statuses["no connection"] += 1
        return False
    tally.answered += 1
    if start >= since:
        tally.statuses[str(status)] += 1
        tally.seconds.append(time.monotonic() - start)
        tally.wrong += status == 200 and not question.is_right(json.loads(said))
    return True


async def _exchange(port: int, *parts: bytes, pause: float = 0.0, reads: bool = True) -> str:
    """Send parts with pauses; return the status that came, or that nothing was waited for."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
            if reader.at_eof():
                break
        return (await reader.read(65536))[9:12].decode() or "closed" if reads else "gone"
    finally:
        writer.close()


def _head(length: int | str, more: str = "") -> bytes:
    framing = f"Content-Length: {length}" if isinstance(length, int) else "Transfer-Encoding: chunked"
    return f"POST /predict HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{framing}\r\n{more}\r\n".encode()


def _sent(body: bytes) -> Callable[[int], Awaitable[str]]:
    return lambda port: _exchange(port, _head(len(body)) + body)


CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"
WHOLE = _head(16) + b'{"text": "good"}'
HARMS: tuple[tuple[str, Callable[[int], Awaitable[str]]], ...] = (
    ("body too large", _sent(b'{"text": "' + b"a" * (2 << 20) + b'"}')),
    ("chunks too large", lambda port: _exchange(port, _head("chunks"), *[CHUNK] * 20, b"0\r\n\r\n")),
    ("text too long", _sent(b'{"text": "' + b"a" * 200_000 + b'"}')),
    ("too many texts", _sent(json.dumps({"texts": ["a"] * 300}).encode())),
    ("wrong type", _sent(b'{"text": 1}')),
    ("no JSON", _sent(b'{"text": ')),
    ("deep JSON", _sent(b"[" * 100_000)),
    ("no text at all", _sent(b"\xff\xfe\x00" * 99)),
    ("no HTTP", lambda port: _exchange(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n")),
    ("head too large", lambda port: _exchange(port, _head(2, f"X: {'a' * 100_000}\r\n"))),
    ("cut in the head", lambda port: _exchange(port, WHOLE[:30], reads=False)),
    ("cut in the body", lambda port: _exchange(port, WHOLE[:-4], reads=False)),
    ("cut before the answer", lambda port: _exchange(port, WHOLE, reads=False)),
    ("slow head", lambda port: _exchange(port, *(WHOLE[place : place + 1] for place in range(int(SLOW))), pause=1.0)),
    ("slow body", lambda port: _exchange(port, WHOLE[:-8], *[b"a"] * 6, pause=4.0)),
    ("says nothing", lambda port: _exchange(port, b"", pause=SLOW)),
    ("hostile text", _sent(json.dumps({"text": "\ud800\x00\u202e<script>alert(1)</script>" + "&amp;" * 2_000}).encode())),
)  # fmt: skip
