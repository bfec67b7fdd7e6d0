"""The routes of ``pretune serve``: answers, the layers of one text, probes, metrics, and a page to try it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pretune.data.clean import clean_text
from pretune.errors import PretuneError, UsageError
from pretune.production.serve import forms
from pretune.production.serve.batcher import Batcher, QueueFullError
from pretune.production.serve.guard import Door, Guard, refused
from pretune.production.serve.limits import Limits
from pretune.production.serve.metrics import Metrics
from pretune.production.serve.openapi_page import draw_openapi
from pretune.production.serve.served import Journal, Served
from pretune.production.serve.watched import Monitor, Watched
from pretune.tasks.classify.predict import Answer

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"  # of Prometheus
# FastAPI would report to whatever its environment names.
SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class TooLongError(UsageError):
    """More texts, or longer ones, than a request may have."""

    code = "too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What is done with answers besides giving them.

    Args:
        journal: Where they are written down, if they are.
        monitor: Who compares them with the test, if anybody does.
    """

    journal: Journal | None = None
    monitor: Monitor | None = None


class Routes:
    """What is behind each path.

    Args:
        served: Who answers.
        limits: How much is taken at once.
        door: Who may ask.
        keeping: What else is done with answers.
    """

    def __init__(self, served: Served, limits: Limits, door: Door, keeping: Keeping) -> None:
        self._served, self._limits, self._door = served, limits, door
        self._journal, self.watched = keeping.journal, Watched(keeping.monitor)
        about = {"name": served.name, "digest": served.digest, "verdict": served.verdict or "none"}
        self.metrics = Metrics(about, lambda: self.batcher.num_waiting)
        self.batcher = Batcher(self._answer, limits, self.metrics.batch)

    async def predict(self, asked: forms.Asked) -> Response:
        """Return the class and the probabilities of one text or several, as `pretune predict` gives them."""
        texts = asked.all
        self._check(texts)
        answers = await self.batcher.ask(texts) if texts else []
        return JSONResponse({"schema": 1, "answers": [self._served.describe(answer) for answer in answers]})

    async def trace(self, asked: forms.Followed) -> Response:
        """Follow one text through the layers: what the head would say after each; a model that has none says 404."""
        follow, text = self._served.answering.follow, clean_text(asked.text)
        if follow is None:
            return refused(404, UsageError(f"{self._served.name} has no layers to follow", expected="a run or model folder"))
        self._check([asked.text])
        if not text:
            raise UsageError("the text is empty", expected="a text")
        return JSONResponse((await self.batcher.call(follow, text)).to_json())

    async def model(self) -> Response:
        """Say what answers: its classes, its threshold, the verdict of its run."""
        return JSONResponse(self._served.about())

    async def health(self) -> Response:
        """Say that the process lives."""
        return JSONResponse({"status": "ok"})

    async def ready(self) -> Response:
        """Say whether requests are welcome: 503 while stopping."""
        is_closing = self._door.is_closing
        return JSONResponse({"status": "stopping" if is_closing else "ready"}, status_code=503 if is_closing else 200)

    async def show_metrics(self) -> Response:
        """Return counts and times in Prometheus' text format."""
        return Response(self.metrics.render() + self.watched.render(), media_type=TEXT_FORMAT)

    def _answer(self, texts: Sequence[str]) -> list[Answer]:
        """Answer a batch; in the model's thread."""
        answers = self._served.answer(texts)
        self.metrics.answers(answers)
        self.watched.add(answers)
        if self._journal is not None:
            self.metrics.unlogged(self._journal.write(answers, self._served))
        return answers

    def _check(self, texts: Sequence[str]) -> None:
        limits, longest = self._limits, max(map(len, texts), default=0)
        if len(texts) > limits.max_texts:
            raise TooLongError(f"{len(texts)} texts", expected=f"at most {limits.max_texts} per request")
        if longest > limits.max_chars:
            raise TooLongError(f"a text of {longest:,} characters", expected=f"at most {limits.max_chars:,}")


def make_app(served: Served, limits: Limits, door: Door, keeping: Keeping = Keeping()) -> FastAPI:
    """Return the application, which any ASGI server runs.

    Args:
        served: Who answers.
        limits: How much is taken at once.
        door: Who may ask.
        keeping: What else is done with answers.
    """
    routes = Routes(served, limits, door, keeping)

    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        working = asyncio.create_task(routes.batcher.run())
        yield
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        routes.watched.close()

    app = FastAPI(
        title="pretune serve",
        version=version("pretune"),
        lifespan=live,
        telemetry=SILENT,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Guard, door=door, count=routes.metrics.request)
    _add_routes(app, routes)
    _add_errors(app, door)
    return app


def _add_routes(app: FastAPI, routes: Routes) -> None:
    may_fail: Any = {
        status: {"model": forms.Refused, "description": words}
        for status, words in {
            401: "The token is missing or wrong.",
            413: "Too large.",
            415: "Not JSON.",
            422: "Not of this form.",
            429: "Too many texts wait; Retry-After says when to ask again.",
        }.items()
    }
    app.post("/predict", response_model=forms.Answers, responses=may_fail)(routes.predict)
    app.post("/trace", responses={**may_fail, 404: {"model": forms.Refused, "description": "No layers."}})(routes.trace)
    app.get("/model", response_model=forms.Model)(routes.model)
    app.get("/health")(routes.health)
    app.get("/ready", responses={503: {"description": "Stopping."}})(routes.ready)
    app.get("/metrics", name="metrics")(routes.show_metrics)
    for path, (name, kind) in FILES.items():
        app.get(path, include_in_schema=False)(_file((PAGE / name).read_bytes(), kind))
    page = draw_openapi(app.openapi()).encode()
    app.get("/docs", include_in_schema=False)(_file(page, "text/html; charset=utf-8"))


def _file(body: bytes, kind: str) -> Any:
    async def send() -> Response:
        return Response(body, media_type=kind)

    return send


def _add_errors(app: FastAPI, door: Door) -> None:
    """Let every refusal have one form; what a client sent is never repeated in it."""

    async def busy(_: Request, error: Any) -> Response:
        return refused(429, error, {"Retry-After": str(error.seconds)})

    async def own(_: Request, error: Any) -> Response:
        return refused(413 if isinstance(error, TooLongError) else 422, error)

    async def form(_: Request, error: Any) -> Response:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][1:]))[:80]
        got = f"{place}: {first['msg']}" if place else first["msg"].removeprefix("Value error, ")
        if first["type"] == "json_invalid":
            got = f"the body is no JSON: {first['ctx']['error']} (character {place})"
        return refused(422, UsageError(got, expected="a form that GET /docs shows", fix='{"text": "…"} asks about one text'))

    async def http(request: Request, error: Any) -> Response:
        if error.status_code == 413:
            return refused(413, door.too_large)
        words = {
            400: "the body cannot be read",
            404: "there is no such path",
            405: f"this path takes no {request.method[:20]}",
        }
        got = words.get(error.status_code, "this request cannot be answered")
        return refused(error.status_code, UsageError(got, fix="GET /docs shows what can be asked"), error.headers)

    handlers = {QueueFullError: busy, PretuneError: own, RequestValidationError: form, HTTPException: http}
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
