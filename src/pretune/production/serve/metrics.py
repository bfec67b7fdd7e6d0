"""Metrics: what a server counts, as Prometheus reads it; no text, and no label that a client chooses."""

from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from pretune.tasks.classify.predict import Answer

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CHARS = (10, 30, 100, 300, 1000, 3000, 10_000, 100_000)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Metrics:
    """Counts of one server; apart from those of another in the same process.

    Args:
        about: Labels of the gauge that says which model this is.
        waiting: Returns how many texts wait.
    """

    def __init__(self, about: dict[str, str], waiting: Callable[[], int]) -> None:
        disable_created_metrics()  # a second series for each, which nobody asks
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("pretune_model_info", "The model that answers.", [*about], registry=registry).labels(**about).set(1)
        waits = Gauge("pretune_waiting_texts", "Texts that are accepted and not answered yet.", registry=registry)
        waits.set_function(waiting)
        self._requests = Counter("pretune_requests", "Requests by route and status.", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "pretune_request_seconds", "From the request's head to its answer.", ["route"], buckets=SECONDS, registry=registry
        )
        self._batches = Histogram("pretune_batch_texts", "Texts per batch.", buckets=SIZES, registry=registry)
        self._batch_seconds = Histogram("pretune_batch_seconds", "Seconds per batch.", buckets=SECONDS, registry=registry)
        self._answers = Counter("pretune_answers", "Answers by predicted class.", ["predicted"], registry=registry)
        self._chars = Histogram("pretune_text_characters", "Characters per text.", buckets=CHARS, registry=registry)
        self._shares = Histogram("pretune_confidence", "Largest probability.", buckets=SHARES, registry=registry)
        self._unlogged = Counter("pretune_unlogged_answers", "Answers that --log-texts could not write.", registry=registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is one of the server's own, or ``other``."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, num_texts: int, seconds: float) -> None:
        """Count one batch."""
        self._batches.observe(num_texts)
        self._batch_seconds.observe(seconds)

    def answers(self, answers: Sequence[Answer]) -> None:
        """Count answers by their class; a text without one counts as ``(none)``."""
        for answer in answers:
            self._answers.labels("(none)" if answer.predicted is None else answer.predicted).inc()
            self._chars.observe(len(answer.text))
            if answer.shares:
                self._shares.observe(max(answer.shares))

    def unlogged(self, num_answers: int) -> None:
        """Count answers that were given and not written down."""
        self._unlogged.inc(num_answers)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format."""
        text: bytes = generate_latest(self._registry)
        return text
