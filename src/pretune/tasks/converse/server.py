"""The page and the route of ``pretune chat --web``: for this machine alone, by the standard library's server.

What keeps other sites and hostile requests out is in ``report.live.loopback``.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pretune.errors import PretuneError
from pretune.report.live.loopback import LoopbackHandler, LoopbackServer
from pretune.tasks.converse import completions
from pretune.tasks.converse.cast import BusyError, Cast, Part

logger = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js"}


class Server(LoopbackServer):
    """Listens on this machine alone.

    Args:
        cast: Who is asked.
        port: 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, cast: Cast, port: int) -> None:
        self.cast = cast
        super().__init__(port, Handler)


class Handler(LoopbackHandler):
    """One connection, one request."""

    server: Server

    def error_of(self, message: str, kind: str) -> dict[str, Any]:
        """Return an error in OpenAI's form."""
        return completions.error_of(message, kind)

    def get(self, path: str) -> None:
        """Send the page, or who can be asked."""
        if path in FILES:
            self.send_file(PAGE / FILES[path])
        elif path == "/v1/models":
            self.send_json(200, completions.models_of(self.server.cast.names))
        elif path == "/v1/chat/completions":
            self.refuse(405, "this route takes POST")
        else:
            self.refuse(404, "there is no such page")

    def post(self, path: str) -> None:
        """Answer a conversation."""
        if path != "/v1/chat/completions":
            self.refuse(404, "there is no such route; POST /v1/chat/completions")
            return
        body = self.body()
        if body is None:
            return
        try:
            asked = completions.read_request(body, self.server.cast.names)
            with self.server.cast.turn():
                self._answer(asked)
        except BusyError as error:
            self.refuse(429, str(error), "rate_limit_error")
        except PretuneError as error:
            self.refuse(400, str(error))
        except OSError:  # the client has gone
            raise
        except Exception:
            logger.exception("a question could not be answered")
            self.refuse(500, "this is a fault of pretune itself", "server_error")

    def _answer(self, asked: completions.Asked) -> None:
        """Write a reply, and stop it where nobody is there to read it any more."""
        if self.has_gone():
            return
        num_asked, parts = self.server.cast.ask(asked.model, asked.turns, asked.wishes)
        answer = completions.Completion(asked)
        if not asked.stream:
            held = list[Part]()
            start = time.perf_counter()
            for part in parts:
                held.append(part)
                if len(held) % 8 == 0 and self.has_gone():
                    return
            self.send_json(200, answer.whole(held, num_asked, self._further(asked, held, start)))
            return
        self.begin(200, "text/event-stream; charset=utf-8", None)
        for event in completions.events(self._stream(asked, answer, parts, num_asked)):
            if self.has_gone():
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
