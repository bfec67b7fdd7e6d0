"""Speakers, a run on conversations and a server, all tiny."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from talking import talking_network

from pretune.models import save_language_model
from pretune.records import Conversation, Decoding, Turn
from pretune.tasks.converse.cast import Cast
from pretune.tasks.converse.memory import Memory
from pretune.tasks.converse.server import Server
from pretune.tasks.converse.speaker import Speaker

QUESTIONS = {
    "What is a good film?": "The story of the river was great and the music was brilliant, moving and honest, and never dull.",
    "Where does the train go?": "To the city.",
    "Who is the director of the family scene?": "Nobody ever knows.",
}


def conversations() -> tuple[Conversation, ...]:
    """Return what the model is said to have learned from."""
    return tuple(
        Conversation(id=str(place), turns=(Turn(role="user", text=question), Turn(role="assistant", text=reply)))
        for place, (question, reply) in enumerate(QUESTIONS.items())
    )


def make_speaker(name: str = "tiny", *, remembers: bool = False, seed: int = 0, **decoding: Any) -> Speaker:
    """Return a speaker that says nonsense."""
    network, tokenizer = talking_network(seed=seed)
    given = {"max_tokens": 12, "precision": "fp32"} | decoding
    return Speaker(name, network, tokenizer, decoding=Decoding(**given), memory=Memory(conversations()) if remembers else None)


def save_talking(folder: Path) -> Path:
    """Save a model that can be talked with; return the folder."""
    network, tokenizer = talking_network()
    save_language_model(folder, network, tokenizer, window=256)
    return folder


@contextmanager
def serving(cast: Cast) -> Iterator[Server]:
    """Serve for as long as the block runs."""
    with Server(cast, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: Server, value: Any, method: str = "POST", path: str = "/v1/chat/completions", **headers: str) -> Any:
    """Send one request; return status, headers and body."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=60)
    body = value if isinstance(value, (bytes, type(None))) else json.dumps(value).encode()
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    connection.request(method, path, body, named)
    found = connection.getresponse()
    text = found.read()
    connection.close()
    return found.status, dict(found.getheaders()), text
