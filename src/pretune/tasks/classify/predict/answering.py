"""Answering: what a run, a model folder or ``RUN/linear`` says of texts; torch is loaded for a network alone."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.hashing import digest_of_place
from pretune.records import Example, Predictions, RunRecord
from pretune.run import RunFolder
from pretune.tasks.places import LINEAR, require_classifier

if TYPE_CHECKING:
    from pretune.evaluate.baselines import LinearModel

logger = logging.getLogger(__name__)

# Formats of which pretune named the columns itself: they say nothing about another file.
NAMELESS = ("folder", "list", "text lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Who answers.

    Args:
        shown: As the user named it.
        classes: In the order of the probabilities.
        ask: Returns labels and probabilities of texts that are clean.
        text: Columns whose text it learned from; empty where they are not known.
        encoding: In which its data were read, where the user had to name one.
        digest: Returns a digest of what answers.
    """

    shown: str
    classes: tuple[str, ...]
    ask: Callable[[Sequence[Example]], Predictions]
    text: tuple[str, ...]
    encoding: str | None
    digest: Callable[[], str]


def open_answering(run: str | Path) -> Answering:
    """Load who answers.

    Raises:
        ModelLoadError: It is something else, or damaged.
        StorageError: A file of the linear model, or the record of the run, is damaged.
    """
    found, path = require_classifier(run, linear=True), Path(run)
    record = found.record or _record_around(path)
    text, encoding = _columns_of(record)
    if found.kind == LINEAR:
        linear = _open_linear(path)
        return Answering(
            shown=str(run),
            classes=linear.classes,
            ask=lambda rows: linear.predict(rows, split="given"),
            text=text,
            encoding=encoding,
            digest=lambda: digest_of_place(path),
        )
    from pretune.tasks.classify.opened import load_scorer, model_in

    inner = model_in(path)
    scorer, _ = load_scorer(inner)
    return Answering(
        shown=str(run),
        classes=scorer.card.classes,
        ask=scorer.answers,
        text=tuple(scorer.card.text_columns) or text,
        encoding=encoding,
        digest=lambda: digest_of_place(inner),
    )


def _open_linear(place: Path) -> "LinearModel":
    """Open ``RUN/linear``, or a copy of it that stands alone."""
    from pretune.evaluate.baselines import load_linear
    from pretune.run import check_run
    from pretune.tasks.classify.baselines import RESTORED, open_linear

    folder = RunFolder(place.resolve().parent)
    if not folder.is_begun or folder.linear != place.resolve():
        return load_linear(place)
    check_run(folder, folder.read_record(), "linear", "predictions/validation.linear.csv")
    opened = open_linear(folder)
    if opened.is_restored:
        logger.warning(RESTORED)
    return opened.model


def _record_around(path: Path) -> RunRecord | None:
    """Return the record of the run in whose folder a model lies."""
    folder = RunFolder(path.resolve().parent)
    return folder.read_record() if folder.is_begun else None


def _columns_of(record: RunRecord | None) -> tuple[tuple[str, ...], str | None]:
    """Return the columns of the text that a run learned from, and the encoding that its user named."""
    receipt = None if record is None else record.receipt
    if record is None or receipt is None:
        return (), None
    is_named = not all(file.format in NAMELESS for file in receipt.files)
    return receipt.columns.text if is_named else (), record.settings.read.encoding
