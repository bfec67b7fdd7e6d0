"""The whole path of ``pretune serve``: take the port, load who answers, listen."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.errors import UsageError, require
from pretune.production.serve.limits import Limits
from pretune.report.live.loopback import HOST, LOCAL

if TYPE_CHECKING:
    from pretune.production.serve.server import Server

PORT = 8000
TOKEN = "PRETUNE_SERVE_TOKEN"
MIN_TOKEN = 16  # characters; a shorter one can be guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked for.

    Args:
        where: A run, a model folder, an export, or a baseline of a run.
        host: Name or address that is listened on.
        port: 0 takes a free one.
        limits: How much is taken at once.
        token_file: Holds the token; ``None`` leaves it to the variable ``PRETUNE_SERVE_TOKEN``.
        log_texts: File to which texts and answers are added; ``None`` keeps none.
        threads: Of the model; ``None`` leaves it to the library.
        is_watched: Whether the answers of a judged run are compared with its test.
    """

    where: str
    host: str = HOST
    port: int = PORT
    limits: Limits = field(default_factory=Limits)
    token_file: str | None = None
    log_texts: str | None = None
    threads: int | None = None
    is_watched: bool = True


def open_server(asked: Asked, tell: Callable[[str], object]) -> "Server":
    """Return a server that listens; its ``answer`` serves until a signal.

    Args:
        asked: What the user asked for.
        tell: Told what the user should know.

    Raises:
        UsageError: The port is taken, or the token cannot be used.
        ModelLoadError: There is no usable model.
        MissingPackageError: FastAPI, uvicorn or the Prometheus client is not installed.
    """
    for package in ("fastapi", "uvicorn", "prometheus_client"):
        require(package, extra="serve")
    from pretune.production.serve.app import Keeping, make_app
    from pretune.production.serve.guard import Door
    from pretune.production.serve.served import Journal, open_served
    from pretune.production.serve.server import Server, open_socket
    from pretune.production.serve.watched import open_monitor

    door = Door(token=read_token(asked.token_file), is_local=asked.host in LOCAL)
    journal = None if asked.log_texts is None else Journal(Path(asked.log_texts))
    sock = open_socket(asked.host, asked.port)
    served = open_served(asked.where, threads=asked.threads)
    if served.verdict != "ship":
        said = "not judged" if served.verdict is None else f"judged: {served.verdict.replace('_', ' ')}"
        tell(f"note: {asked.where} is {said}")
    if door.token is None and not door.is_local:
        tell(f"note: whoever reaches {asked.host} can ask; --token-file FILE or {TOKEN} keeps others out")
    monitor, note = open_monitor(served) if asked.is_watched else (None, "")
    if note:
        tell(f"note: {note}")
    return Server(make_app(served, asked.limits, door, Keeping(journal=journal, monitor=monitor)), door, sock)


def read_token(file: str | None) -> str | None:
    """Return the token from a file or from the environment; never from an argument, which every user of a machine can read.

    Raises:
        UsageError: The file cannot be read, or the token is too short or no plain text.
    """
    token = os.environ.get(TOKEN)
    if file is not None:
        try:
            token = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise UsageError(f"--token-file {file}: {error}", expected="a file with the token") from error
    if token is None:
        return None
    token = token.strip()
    if len(token) < MIN_TOKEN or not (token.isascii() and token.isprintable()):
        raise UsageError(
            f"the token in {file or TOKEN} has {len(token)} characters",
            expected=f"at least {MIN_TOKEN} characters of plain ASCII",
            fix="`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one",
        )
    return token
