"""What a logger is told: numbers at a step, from the events of a trace; parameters before, figures and a verdict after."""

import itertools
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pretune.records import RunRecord

# Field of an event → what the number is called. The first one that is there tells whether a logger has the point already.
STEP = {"loss": "training/loss", "learning_rate": "training/learning_rate", "gradient_norm": "training/gradient_norm"}
LOOK = {
    "loss": "validation/loss",
    "accuracy": "validation/accuracy",
    "perplexity": "validation/perplexity",
    "bits_per_byte": "validation/bits_per_byte",
    "general_loss": "validation/general_loss",
    "training_loss": "epoch/training_loss",
    "training_accuracy": "epoch/training_accuracy",
    "tokens_per_second": "epoch/tokens_per_second",
}
KINDS = {"step": STEP, "validation": LOOK, "milestone": LOOK}
_UNFIT = re.compile(r"[^\w.-]+")  # what some logger takes in no name, or takes for a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Numbers at one step.

    Args:
        step: Updates made before it, or that it follows.
        values: By name; never empty.
        time: Seconds since 1970.
    """

    step: int
    values: dict[str, float]
    time: float = field(default_factory=time.time)

    @property
    def mark(self) -> tuple[str, int]:
        """What tells it from any other: the first name, and the step."""
        return next(iter(self.values)), self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is about to be logged.

    Args:
        run: Name of the run.
        path: Its folder; local logs lie beside it.
        parameters: Settings and origin, as plain text and numbers.
        is_resumed: Whether a log that was begun for this folder is continued.
    """

    run: str
    path: Path
    parameters: dict[str, Any]
    is_resumed: bool = False

    @property
    def beside(self) -> Path:
        """Where local logs of this run and its neighbours lie."""
        return self.path.resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended.

    Args:
        status: ``judged``, ``trained``, ``pretrained``, or ``failed`` and ``interrupted``.
        parameters: Settings that were decided on the way.
        facts: What became known on the way, such as the verdict and the device.
        figures: Every figure with both ends of its interval.
        points: Every step and validation of the training that was kept, for those that a logger has missed.
        text: The model card.
        files: To keep beside the numbers.
    """

    status: str
    parameters: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    text: str = ""
    files: tuple[Path, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether the command did what it was asked for."""
        return self.status not in ("failed", "interrupted")


class Logger(Protocol):
    """One open log. Every method may raise what it likes; ``Background`` tells the user once."""

    def known(self) -> set[tuple[str, int]]:
        """Return the marks of the points that are in it already."""

    def write(self, points: list[Point]) -> None:
        """Add points, none of which is known."""

    def finish(self, ending: Ending) -> None:
        """Add what is known at the end, and close."""


def point_of(event: Mapping[str, Any], training: str = "") -> Point | None:
    """Return what one event of a trace is to a logger; ``None`` where it has no numbers.

    Args:
        event: As listeners of a trace hear it.
        training: Name of the training, where a run has several.

    Example:
        >>> event = {"event": "step", "index": 3, "loss": 0.5, "learning_rate": 0.1, "gradient_norm": None}
        >>> point_of(event, "seed-1").values
        {'seed-1/training/loss': 0.5, 'seed-1/training/learning_rate': 0.1}
    """
    names = KINDS.get(str(event.get("event")))
    if names is None:
        return None
    found = {name: event.get(field) for field, name in names.items()}
    if event.get("metric") not in (None, "loss", "accuracy"):  # what chooses the best epoch
        found[f"validation/{_fit(event['metric'])}"] = event.get("metric_value")
    prefix = f"{_fit(training)}/" if training else ""
    values = {prefix + name: float(value) for name, value in found.items() if value is not None}
    return Point(step=event["index"] if "index" in event else event["step"], values=values) if values else None


def points_of(record: RunRecord) -> Iterator[Point]:
    """Yield every step and validation that the record of a run has, as a listener would have heard them."""
    training = f"seed-{record.seeds.kept}" if record.seeds is not None else ""
    history, language = record.history, record.pretraining if record.task == "pretrain" else None
    events = [{"event": "step", **item.to_json()} for item in history.steps] if history is not None else []
    events += [{"event": "validation", **item.to_json()} for item in history.validations] if history is not None else []
    events += [{"event": "milestone", **item.to_json()} for item in language.milestones] if language is not None else []
    yield from filter(None, (point_of(event, training) for event in events))


def figures_of(record: RunRecord) -> dict[str, float]:
    """Return every defined figure of a record, each with ``.low`` and ``.high`` where it has an interval."""
    found: dict[str, float] = {}
    main = record.scores[0].source if record.scores else ""
    for score in record.scores:
        if score.value is None:
            continue
        source = "" if score.source == main else f"{_fit(score.source)}/"
        label = f"/{_fit(score.label)}" if score.label is not None else ""
        name = _apart(f"{_fit(score.split)}/{source}{_fit(score.metric)}{label}", found)
        named = {name: score.value, f"{name}.low": score.low, f"{name}.high": score.high}
        found |= {key: value for key, value in named.items() if value is not None}
    return found


def facts_of(record: RunRecord) -> dict[str, str]:
    """Return what a record says in words of how the run ended."""
    facts = {"status": record.status, "device": record.device, "failure": record.failure}
    if record.verdict is not None:
        facts |= {"verdict": str(record.verdict.outcome), "verdict.summary": record.verdict.summary}
        facts |= {"look": str(record.verdict.look), "judged": record.judged_source}
    return {name: value for name, value in facts.items() if value}


def settled(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a run has decided: those that were open, and under ``NAME.settled`` those that changed.

    Example:
        >>> settled({"freeze": "auto", "seed": 0}, {"freeze": "last-2", "seed": 0, "epochs": 4})
        {'freeze.settled': 'last-2', 'epochs': 4}
    """
    return {name if name not in before else f"{name}.settled": item for name, item in after.items() if before.get(name) != item}


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return nested settings as one table; what was left open is left out, and lists become text.

    Example:
        >>> flat({"seed": 0, "finetune": {"lora": None, "freeze": ("a", "b")}})
        {'seed': 0, 'finetune.freeze': 'a, b'}
    """
    if isinstance(value, Mapping):
        parts = [flat(item, f"{name}.{_fit(key)}" if name else _fit(key)) for key, item in value.items()]
        return {key: item for part in parts for key, item in part.items()}
    if value is None or value == () or value == []:
        return {}
    plain = value if isinstance(value, (str, int, float, bool)) else ", ".join(map(str, value))
    return {name: plain}


def _fit(name: object) -> str:
    r"""Return a name that every logger takes; a class may be called anything.

    Example:
        >>> _fit("not\nurgent?")
        'not_urgent_'
    """
    return _UNFIT.sub("_", str(name))[:100].strip(".") or "_"


def _apart(name: str, taken: Mapping[str, float]) -> str:
    """Return a name that is not taken: two classes may differ in nothing but signs that no logger takes."""
    numbered = (name if number == 1 else f"{name}_{number}" for number in itertools.count(1))
    return next(item for item in numbered if item not in taken)
