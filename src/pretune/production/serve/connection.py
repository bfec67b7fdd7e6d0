"""Connection: HTTP as uvicorn speaks it by h11, with an end to clients that are too many, too slow, or never read."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pretune.production.serve.limits import MAX_CONNECTIONS, SECONDS_TO_SEND

TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connection(H11Protocol):  # type: ignore[misc] # typed as Any where uvicorn is not installed
    """One connection; uvicorn itself waits without end for a request that was begun, and for an answer to be taken."""

    _to_send: asyncio.TimerHandle | None = None
    _to_take: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take the connection, or refuse it where too many are open."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.write(TOO_MANY)
            transport.close()
            return
        self._to_send = self._after(self._refuse_slow)

    def data_received(self, data: bytes) -> None:
        """Take what has come; the time to send a request runs from its first byte to its last."""
        super().data_received(data)
        if not self._is_awaited():
            self._stop("_to_send")
        elif self._to_send is None:
            self._to_send = self._after(self._refuse_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop("_to_send")
        self._stop("_to_take")
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take its answer."""
        super().pause_writing()
        self._to_take = self._to_take or self._after(self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with a client that takes its answer."""
        super().resume_writing()
        self._stop("_to_take")

    def _is_awaited(self) -> bool:
        """Whether a request was begun and has not come in whole."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _refuse_slow(self) -> None:
        """Close; a client whose request was not answered yet is told why."""
        if self.conn.their_state is h11.IDLE or not self.cycle.response_started:
            self.transport.write(TOO_SLOW)
        self.transport.close()

    def _after(self, do: Callable[[], object]) -> asyncio.TimerHandle:
        timer: asyncio.TimerHandle = self.loop.call_later(SECONDS_TO_SEND, do)
        return timer

    def _stop(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)
