"""Limits: how much a server takes at once, so that load costs time or is sent away, and never memory without end."""

from dataclasses import dataclass, fields

from pretune.errors import UsageError

MAX_BODY = 1 << 20  # bytes per request
MAX_CONNECTIONS = 256  # open at once; each may hold a body
SECONDS_TO_SEND = 20.0  # that a client may take to send a request, or to take an answer
SECONDS_TO_LINGER = 1.0  # that connections stay open while stopping, so that what is on its way to them is answered
SECONDS_TO_STOP = 30  # until what is in flight is given up while stopping
MAX_RETRY = 60  # seconds that a client is told to wait at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one server takes.

    Args:
        max_batch: Texts that the model sees together.
        delay: Milliseconds that a text waits for company while the model is idle. Nothing is gained by it where the model is
            busy: what has come meanwhile is its next batch.
        max_waiting: Texts that are accepted and not answered yet; requests beyond are refused.
        max_texts: Texts per request.
        max_chars: Characters per text.

    Raises:
        UsageError: A number is too small, or a request of ``max_texts`` could never be accepted.
    """

    max_batch: int = 32
    delay: float = 0.0
    max_waiting: int = 1024
    max_texts: int = 256
    max_chars: int = 100_000

    def __post_init__(self) -> None:
        """Check that each request that is allowed can be accepted."""
        for item in fields(self):
            value, least = getattr(self, item.name), 0 if item.name == "delay" else 1
            if not least <= value < 1 << 40:
                raise UsageError(f"{item.name} is {value}", expected=f"a number from {least}")
        if self.max_texts > self.max_waiting:
            raise UsageError(
                f"a request may have {self.max_texts} texts, but only {self.max_waiting} may wait",
                expected="a queue that holds at least one request",
                fix=f"--queue {self.max_texts}, or --max-texts {self.max_waiting}",
            )
