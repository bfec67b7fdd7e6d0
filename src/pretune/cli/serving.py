"""Talking on a page: loads who is asked, says where the page is, and serves until Ctrl-C."""

from typing import TYPE_CHECKING, Any

from pretune.cli.viewing import open_server, tell

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

    cast = open_cast(model, wishes, tell=lambda text: None if flags["quiet"] else tell(text))
    server = open_server(lambda port: Server(cast, port), flags["port"], PORT, flag="--port")
    with server:
        tell(f"{', '.join(cast.names)} can be asked at {server.url} (Ctrl-C ends)")
        tell(f"OpenAI's clients: base_url={server.url}v1")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")
    return 0
