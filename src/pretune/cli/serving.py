"""Talking on a page: loads who is asked, says where the page is, and serves until Ctrl-C."""

import errno
import sys
from typing import TYPE_CHECKING, Any

from pretune.errors import UsageError

if TYPE_CHECKING:
    from pretune.tasks.converse.speaker import Wishes

PORT = 8000


def serve_page(model: str, wishes: "Wishes", flags: dict[str, Any]) -> int:
    """Serve until Ctrl-C; return the exit code.

    Raises:
        UsageError: The port is taken.
        ModelLoadError: The model cannot be loaded.
    """
    from pretune.tasks.converse.cast import open_cast
    from pretune.tasks.converse.server import Server

    port = PORT if flags["port"] is None else flags["port"]
    cast = open_cast(model, wishes, tell=lambda text: None if flags["quiet"] else _tell(text))
    try:
        server = Server(cast, port)
    except (OSError, OverflowError) as error:
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise UsageError(
            f"port {port} {'is taken' if is_taken else f'cannot be used ({error})'}",
            expected="a free port",
            fix="--port 0 takes a free one",
        ) from error
    with server:
        _tell(f"{', '.join(cast.names)} can be asked at {server.url} (Ctrl-C ends)")
        _tell(f"OpenAI's clients: base_url={server.url}v1")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            _tell("")
    return 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
