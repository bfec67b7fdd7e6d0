"""Answering: what a run, a model folder, an export or ``RUN/linear`` says about texts; only a network loads torch."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pretune.errors import ModelLoadError
from pretune.hashing import digest_of_place
from pretune.predict import answers_of
from pretune.predict.exported import open_export
from pretune.records import Example, Predictions, PredictionTrace, RunRecord
from pretune.run import RunFolder, check_run
from pretune.run.trace import Trace
from pretune.tasks.places import ENCODER_LINEAR, EXPORT, LINEAR, model_in, require_classifier

if TYPE_CHECKING:
    from pretune.evaluate.baselines import LinearModel
    from pretune.models import ModelCard
    from pretune.tasks.classify.encoder_linear import OpenedEncoderLinear

logger = logging.getLogger(__name__)

# Formats of which pretune named the columns itself: they say nothing about another file.
NAMELESS = ("folder", "list", "text lines")


Ask = Callable[[Sequence[Example]], Predictions]
Follow = Callable[[str], PredictionTrace]


class Opened(NamedTuple):
    """A model that was opened: its card, its answers to clean texts, and how one text goes through its layers."""

    card: "ModelCard"
    ask: Ask
    follow: Follow | None = None


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
        card: Of the network; ``None`` where a baseline answers.
        follow: Follows a clean text through the layers, where there are any to be seen.
    """

    shown: str
    classes: tuple[str, ...]
    ask: Ask
    text: tuple[str, ...]
    encoding: str | None
    digest: Callable[[], str]
    card: "ModelCard | None" = None
    follow: Follow | None = None


def _by_network(folder: Path) -> Opened:
    """Open a model folder without scikit-learn, which answering does not need: it takes a second to import."""
    from pretune.tasks.classify.opened import load_scorer

    scorer, _ = load_scorer(folder)
    return Opened(scorer.card, partial(answers_of, scorer), scorer.follow)


def by_classifier(folder: Path) -> Opened:
    """Open a model folder as ``load_model`` does, for those who work in Python and have its classifier anyway."""
    from pretune.tasks.classify.estimator import TextClassifier

    model = TextClassifier.load(folder)
    return Opened(model.card_, partial(answers_of, model.scorer), model.scorer.follow)


def open_answering(
    run: str | Path, *, open_network: Callable[[Path], Opened] = _by_network, threads: int | None = None
) -> Answering:
    """Load who answers.

    Args:
        run: A run, a model folder, an export, or the folder of a baseline.
        open_network: Opens a model folder.
        threads: Of an export; a network has those of the process.

    Raises:
        ModelLoadError: It is something else, or damaged.
        StorageError: A file of the linear model, or the record of the run, is damaged.
    """
    found, path = require_classifier(run, linear=True, exports=True), Path(run)
    if found.record is not None and found.record.chosen is not None and (path / found.record.chosen.source).is_dir():
        return open_answering(path / found.record.chosen.source)  # the model that was judged answers for the run
    if found.kind == EXPORT:
        return _by_export(run, path, threads)
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
    if found.kind == ENCODER_LINEAR:
        baseline = _open_encoder_linear(path)
        classes = baseline.fitted.classes
        return Answering(
            shown=str(run),
            classes=classes,
            ask=lambda rows: baseline.predict(rows, split="given", classes=classes, trace=Trace()),
            text=text,
            encoding=encoding,
            digest=lambda: digest_of_place(path),
        )
    inner = model_in(path)
    opened = open_network(inner)
    return Answering(
        shown=str(run),
        classes=opened.card.classes,
        ask=opened.ask,
        text=tuple(opened.card.text_columns) or text,
        encoding=encoding,
        digest=lambda: digest_of_place(inner),
        card=opened.card,
        follow=opened.follow,
    )


def _by_export(run: str | Path, path: Path, threads: int | None) -> Answering:
    """Open an export, whose card alone says what its run's record would."""
    scorer, record = open_export(path, threads=threads), _record_around(path.resolve().parent)
    return Answering(
        shown=str(run),
        classes=scorer.classes,
        ask=partial(answers_of, scorer),
        text=scorer.card.card.text_columns,
        encoding=_columns_of(record)[1],
        digest=lambda: digest_of_place(path),
        card=scorer.card.card,
    )


def _open_linear(place: Path) -> "LinearModel":
    """Open ``RUN/linear``, or a copy of it that stands alone."""
    from pretune.evaluate.baselines import load_linear
    from pretune.tasks.classify.baselines import RESTORED, open_linear

    folder = RunFolder(place.resolve().parent)
    if not folder.is_begun or folder.linear != place.resolve():
        return load_linear(place)
    check_run(folder, folder.read_record(), "linear", "predictions/validation.linear.csv")
    opened = open_linear(folder)
    if opened.is_restored:
        logger.warning(RESTORED)
    return opened.model


def _open_encoder_linear(place: Path) -> "OpenedEncoderLinear":
    """Open ``RUN/encoder_linear`` within its run, whose validation rows prove that it is the one that was scored.

    Raises:
        ModelLoadError: It stands alone, or its encoder is not there any more.
    """
    from pretune.tasks.classify.encoder_linear import open_encoder_linear
    from pretune.train import choose_device

    folder, trace = RunFolder(place.resolve().parent), Trace()
    if not folder.is_begun or folder.encoder_linear != place.resolve():
        raise ModelLoadError(f"{place} is not in its run", expected="RUN/encoder_linear", fix="name it inside the run folder")
    check_run(folder, folder.read_record(), "encoder_linear", "predictions/validation.encoder_linear.csv")
    tuning = folder.read_record().settings.finetune
    device = choose_device(tuning.device, precision=tuning.precision, threads=tuning.threads)
    opened = open_encoder_linear(folder, device, trace)
    if opened is None:
        raise ModelLoadError(f"the encoder that {place} was fitted on is not there any more", expected="the model of the run",
                             fix="put the model back where it was, or take RUN/linear")  # fmt: skip
    return opened


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
