"""Guard: who may ask, in what form; and what every answer carries. Each request passes here first."""

import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pretune.errors import PretuneError, UnforeseenError, UsageError
from pretune.production.serve.limits import MAX_BODY
from pretune.report.live.loopback import HEADERS, stranger

logger = logging.getLogger(__name__)

# Probes carry no token, and pages say nothing of the model; what they ask for does.
OPEN = frozenset({"/health", "/ready", "/", "/page.css", "/page.js", "/docs", "/openapi.json"})
FAULT = "this is a fault of pretune itself, or of a library"


@dataclass(slots=True, kw_only=True)
class Door:
    """Who may ask.

    Args:
        token: What ``Authorization: Bearer`` must say; ``None`` where nothing must.
        is_local: Whether the server listens on this machine alone.
        max_body: Bytes per request.
        is_closing: Whether it is stopping: answers then close their connection.
    """

    token: str | None = None
    is_local: bool = True
    max_body: int = MAX_BODY
    is_closing: bool = False

    def refuse(self, scope: Scope) -> JSONResponse | None:
        """Return the refusal of a request whose head says enough to refuse it."""
        headers = Headers(scope=scope)
        refusal = stranger(headers, is_local=self.is_local)
        if refusal is not None:
            return refused(403, UsageError(refusal))
        if self.token is not None and scope["path"] not in OPEN and not self._is_known(headers.get("authorization", "")):
            error = UsageError("the token is missing or wrong", expected="Authorization: Bearer TOKEN")
            return refused(401, error, {"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.max_body:
            return refused(413, self.too_large)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            return refused(415, UsageError("the body is not JSON", expected="Content-Type: application/json"))
        return None

    @property
    def too_large(self) -> UsageError:
        """The message for a body beyond the limit."""
        return UsageError("the body is too large", expected=f"at most {self.max_body:,} bytes")

    def _is_known(self, said: str) -> bool:
        """Compare in a time that does not tell how much of the token was right."""
        kind, _, given = said.partition(" ")
        is_same = hmac.compare_digest(given.strip().encode(), (self.token or "").encode())
        return kind.lower() == "bearer" and is_same


class Guard:
    """Middleware: refuses, counts, and adds the headers that every answer carries.

    Args:
        app: What answers.
        door: Who may ask.
        count: Told the route, the status and the seconds of each request.
    """

    def __init__(self, app: ASGIApp, door: Door, count: Callable[[str, int, float], object]) -> None:
        self._app, self._door, self._count = app, door, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong below is told in one message and never in a traceback."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, size = time.perf_counter(), 0, 0

        async def take() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._door.max_body:  # a body of chunks does not say beforehand how long it is
                raise HTTPException(413)
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({**HEADERS, **({"Connection": "close"} if self._door.is_closing else {})})
            await send(message)

        try:
            await (self._door.refuse(scope) or self._app)(scope, take, tell)
        except Exception as error:
            # What the error says may quote a text, so the log has its kind alone.
            logger.error("a request could not be answered: %s", type(error).__name__)
            logger.debug("the request that could not be answered", exc_info=True)
            if not status:
                await refused(500, UnforeseenError(FAULT, fix="look at the server's log"))(scope, receive, tell)
        finally:
            self._count(getattr(scope.get("route"), "path", "other"), status, time.perf_counter() - start)


def refused(status: int, error: PretuneError, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error as `--json` prints it."""
    return JSONResponse({"schema": 1, "error": error.to_json()}, status_code=status, headers=headers)
