"""Tries: one fine-tuning with settings that the learner chose, what came of it, and what it says beside another one."""

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune import storage
from pretune.configs import FinetuneConfig
from pretune.configs.stages import parse_stages
from pretune.errors import DamagedError, UsageError
from pretune.intervals import proportion_interval
from pretune.records import Predictions
from pretune.records.base import SCHEMA, Record
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Curve, Table

if TYPE_CHECKING:
    from pretune.data.seal.seal import TrainingData
    from pretune.tasks.classify.estimator import TextClassifier

MODEL = "minilm"
SHOWN_ROWS = 1_000  # training rows whose accuracy is measured after training, with dropout off
MAX_EPOCHS = 8  # a try is to take three minutes at most on two cores

# What may be changed: name → field of the config, or "" for what the classifier itself takes.
KNOBS = {
    "freeze": "", "epochs": "", "lr": "learning_rate", "dropout": "dropout", "label_smoothing": "label_smoothing",
    "weight_decay": "weight_decay", "stop": "patience", "decay": "decay",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Try(Record):
    """One fine-tuning of the same model on the same rows.

    Args:
        name: What it is called.
        settings: As they were typed.
        training: Accuracy on training rows afterwards, with dropout off.
        validation: Accuracy on validation.
        low: Lower end of the 95 % interval of ``validation``.
        high: Upper end.
        loss: On validation, nats a row.
        learned: Accuracy while it learned, one an epoch, with dropout on.
        held: Accuracy on validation, one an epoch.
        losses: On validation, one an epoch.
        seconds: Of training and measuring.
        num_trained: Weights that it could change.
        seed: Of head, order and dropout.
    """

    schema: int = SCHEMA
    name: str
    settings: dict[str, str] = field(default_factory=dict)
    training: float
    validation: float
    low: float
    high: float
    loss: float
    learned: tuple[float, ...] = ()
    held: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    kept_epoch: int = 0
    seconds: float = 0.0
    num_trained: int = 0
    seed: int = 0

    @property
    def gap(self) -> float:
        """Training accuracy less validation accuracy."""
        return self.training - self.validation

    @property
    def said(self) -> str:
        """Its settings in one line."""
        return " ".join(f"{name}={value}" for name, value in self.settings.items())


def parse_settings(typed: str) -> dict[str, str]:
    """Read what a learner typed, such as ``freeze=last-2 epochs=3 lr=1e-4``.

    Raises:
        UsageError: It is about something else than fine-tuning and regularization, or a value does not fit.

    Example:
        >>> parse_settings("freeze = all, epochs=3")
        {'freeze': 'all', 'epochs': '3'}
    """
    items = re.sub(r"\s*=\s*", "=", typed.replace("--", " ").replace(",", " ")).split()
    pairs = [item.partition("=") for item in items]
    wrong = next((item[0] for item in pairs if item[0].replace("-", "_") not in KNOBS or not item[2]), None)
    if wrong is not None or not pairs:
        got = f"{wrong!r} is not a setting that may be changed here" if wrong is not None else "no setting was given"
        raise UsageError(
            got,
            expected=f"NAME=VALUE of {', '.join(KNOBS)}: the data and the model stay the same",
            fix="such as freeze=last-2 epochs=3 lr=1e-4 dropout=0.2 stop=1",
        )
    found = {name.replace("-", "_"): value for name, _, value in pairs}
    build(found)
    return found


def build(settings: Mapping[str, str], *, seed: int = 0) -> "dict[str, Any]":
    """Return what ``TextClassifier`` takes; without ``stop`` all epochs are made and the last one is kept.

    Raises:
        UsageError: A value does not fit.
    """
    epochs = _number("epochs", settings.get("epochs", "3"), whole=True)
    if not 1 <= epochs <= MAX_EPOCHS:
        raise UsageError(f"epochs is {epochs:g}", expected=f"1 to {MAX_EPOCHS}: a try should take three minutes at most")
    stages = parse_stages(settings.get("freeze", "none"))
    if len(stages) != 1 or stages[0].epochs or stages[0].rate:
        raise UsageError(f"freeze is {settings['freeze']!r}", expected="none, all or last-K, such as last-2")
    given: dict[str, Any] = {"monitor": "last"}
    for name, place in KNOBS.items():
        if name in settings and place:
            given[place] = settings[name] if name == "decay" else _number(name, settings[name], whole=name == "stop")
    if "stop" in settings:
        given["monitor"] = "loss"
    config = FinetuneConfig(**given)
    return {"epochs": int(epochs), "freeze": settings.get("freeze", "none"), "seed": seed, "config": config}


def _number(name: str, value: str, *, whole: bool) -> Any:
    try:
        return int(value) if whole else float(value)
    except ValueError:
        raise UsageError(f"{name} is {value!r}", expected="a whole number" if whole else "a number, such as 1e-4") from None


def make_try(
    name: str, settings: Mapping[str, str], data: "TrainingData", trace: Trace, *, model: str | Path = MODEL, seed: int = 0
) -> "tuple[Try, TextClassifier]":
    """Fine-tune once and measure; the same settings and seed give the same try."""
    from pretune.tasks.classify.estimator import TextClassifier

    start = time.perf_counter()
    classifier = TextClassifier(str(model), **build(settings, seed=seed))
    classifier.fit(data, trace=trace, progress=False)
    return measure(name, settings, classifier, data, start=start, seed=seed), classifier


def measure(
    name: str, settings: Mapping[str, str], classifier: "TextClassifier", data: "TrainingData", *, start: float, seed: int = 0
) -> Try:
    """Return what came of a training."""
    seen, held = classifier.predictions(data.train[:SHOWN_ROWS], "train"), validated(classifier, data)
    hits = num_right(held)
    low, high = proportion_interval(hits, len(held.labels))
    history = classifier.history_
    epochs = history.validations
    return Try(
        name=name,
        settings=dict(settings),
        training=num_right(seen) / len(seen.labels),
        validation=hits / len(held.labels),
        low=low,
        high=high,
        loss=next((item.loss for item in epochs if item.epoch == history.best_epoch), epochs[-1].loss),
        learned=tuple(item.training_accuracy or 0.0 for item in epochs),
        held=tuple(item.accuracy for item in epochs),
        losses=tuple(item.loss for item in epochs),
        kept_epoch=history.best_epoch or len(epochs),
        seconds=round(time.perf_counter() - start, 1),
        num_trained=history.num_trained_weights or 0,
        seed=seed,
    )


def validated(classifier: "TextClassifier", data: "TrainingData") -> Predictions:
    """Return what a classifier says about validation, the likelier class deciding."""
    return replace(classifier.predict_validation(data), source="finetuned")


def num_right(predictions: Predictions) -> int:
    """Return how many rows are right."""
    return sum(a == b for a, b in zip(predictions.labels, predictions.predicted, strict=True))


def keep_try(path: Path, made: Try) -> None:
    """Add a try to a file."""
    storage.append(path, json.dumps(made.to_json()))


def read_tries(path: Path) -> tuple[Try, ...]:
    """Return the tries of a file; damaged lines are left out."""
    found = []
    for line in storage.read_lines(path):
        try:
            found.append(Try.from_json(json.loads(line)))
        except (ValueError, DamagedError):
            continue
    return tuple(found)


def side_by_side(tries: Sequence[Try], title: str) -> Table:
    """Return tries as a table, one a column."""
    shares = {
        "training accuracy": [f"{item.training:.3f}" for item in tries],
        "validation accuracy": [f"{item.validation:.3f} ({item.low:.3f}–{item.high:.3f})" for item in tries],
        "gap": [f"{item.gap:+.3f}" for item in tries],
        "validation loss": [f"{item.loss:.3f}" for item in tries],
    }
    settings = {knob: [item.settings.get(knob, "–") for item in tries] for knob in KNOBS}
    rows = {**shares, **{name: cells for name, cells in settings.items() if set(cells) != {"–"}}}
    rows["weights trained"] = [f"{item.num_trained:,}" for item in tries]
    rows["seconds"] = [f"{item.seconds:.0f}" for item in tries]
    table = tuple((name, *cells) for name, cells in rows.items())
    return Table(title=title, columns=("", *(item.name for item in tries)), rows=table)


def curve_of(made: Try) -> Curve:
    """Return the epochs of a try, for the page."""
    return Curve(title=made.name, training=made.learned, validation=made.held)
