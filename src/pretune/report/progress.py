"""Progress: what is known of work under way, from the events of its trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pretune.records.shown import Grid
from pretune.report.words import duration, one_line

MAX_NOTES, MAX_NOTE = 3, 160


@dataclass(slots=True)
class Progress:
    """What is known of work under way, from the events of its trace.

    Args:
        stage: What is done now.
        done: How much of it.
        total: Of how much; 0 if that is not known.
        unit: Of both.
        epochs: One row for each validation.
        notes: The last ones.
        began: When the counting of ``done`` began, in seconds.
        is_over: Whether nothing will follow.
    """

    stage: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    epochs: list[Mapping[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    began: float = 0.0
    is_over: bool = False

    def hear(self, event: Mapping[str, Any], now: float) -> bool:
        """Take in one event; return whether it should be drawn at once."""
        kind = event["event"]
        if kind == "stage_started":
            self.stage, self.done, self.total, self.unit = event["stage"], 0, 0, ""
        elif kind == "progress":
            if (event["what"], event["total"]) != (self.stage, self.total) or event["done"] < self.done:
                self.began = now
            self.stage, self.done, self.total, self.unit = event["what"], event["done"], event["total"], event["unit"]
        elif kind == "validation":
            self.epochs.append(event)
        elif kind == "note":
            self.notes = [*self.notes, one_line(event["text"], MAX_NOTE)][-MAX_NOTES:]
        return kind in ("stage_started", "validation", "note")

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def say(self, now: float) -> str:
        """Say what is done and how long it will take."""
        counted = f"{self.done:,} of {self.total:,} {self.unit}".rstrip() if self.total else ""
        left = (now - self.began) * (self.total - self.done) / self.done if self.done and self.total else 0.0
        return " · ".join(filter(None, (one_line(self.stage, 40), counted, f"{duration(left)} left" if left >= 1 else "")))

    def table(self) -> Grid:
        """Return one row for each epoch."""
        names = ("epoch", "training_loss", "loss", "accuracy", "observation")
        rows = tuple(tuple(item[name] for name in names) for item in self.epochs)
        return Grid(("epoch", "training loss", "validation loss", "accuracy", "observation"), rows)
