"""Facts: one run's record, read by paths that are remembered, so that a question can show what it rests on."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from random import Random
from typing import Any, TypeVar

from pretune.records import RunRecord
from pretune.report.standing import read_at

Item = TypeVar("Item")
Json = Mapping[str, Any]


class Facts:
    """What a template reads of a run.

    Args:
        record: The run's; ``None`` where ``json`` is no run's record but what a lesson found.
        draw: Where its choices come from.
        json: The record as JSON, where that was made already.

    Attributes:
        places: Every path that was read, and what stands there.
    """

    def __init__(self, record: RunRecord | None, draw: Random, json: Json | None = None) -> None:
        self.draw = draw
        self.json: Json = json if json is not None else record.to_json() if record is not None else {}
        self.judged = record.judged_source if record is not None else "finetuned"
        self.places: dict[str, Any] = {}

    def at(self, path: str) -> Any:
        """Return what stands at a path; ``None`` where there is nothing."""
        value = read_at(self.json, path, judged=self.judged)
        if value is not None:
            self.places[path.replace("$judged", self.judged)] = value
        return value

    def pick(self, items: Sequence[Item]) -> Item:
        """Draw one of several."""
        return self.draw.choice(items)

    def score(self, metric: str, label: str | None = None, *, source: str = "", split: str = "test") -> Any:
        """Return one figure of the judged source, or of another one; ``None`` where it is not there or undefined."""
        wanted = (metric, label, source or self.judged, split)
        for place, item in enumerate(self.json["scores"]):
            if (item["metric"], item["label"], item["source"], item["split"]) == wanted and item["value"] is not None:
                return self.at(f"scores[{place}]")
        return None

    def finding(self, *checks: str) -> Any:
        """Return the first of these findings that the run has."""
        for place, item in enumerate(self.json["findings"]):
            if item["check"] in checks:
                return self.at(f"findings[{place}]")
        return None

    def is_off(self, check: str) -> bool:
        """Whether a check found something that should be looked at."""
        found = self.finding(check)
        return found is not None and found["severity"] in ("warning", "blocking")

    @cached_property
    def splits(self) -> dict[str, Json]:
        """The splits of the receipt by name."""
        return {item["name"]: item for item in self.at("receipt.splits") or ()}

    def rows(self, split: str) -> int:
        """Return the rows of a split; 0 where there is none."""
        return int(self.at(f"receipt.splits[name={split}].num_rows") or 0)

    def counts(self, split: str = "test") -> tuple[list[str], list[list[int]]] | None:
        """Return classes and confusion matrix of the judged source; a row for each true class."""
        found = self.at(f"confusions[split={split},source=$judged]")
        return (found["classes"], found["counts"]) if found else None
