"""The encoder-linear baseline of a run: what the language model knew before it was fine-tuned, on the same rows.

The same regression over vectors says what a language model still knows of a general task after pre-training on a domain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pretune.configs import ReadConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.data.seal.seal import TrainingData
from pretune.errors import CatalogError, ModelLoadError, StorageError
from pretune.evaluate.encoder_linear import SOURCE, EncoderLinear, fit_encoder_linear, load_encoder_linear
from pretune.models import Encoder, TrunkCache, open_encoder
from pretune.records import Example, Predictions
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.baselines import orders_of
from pretune.tasks.classify.prepare import tell_progress
from pretune.train import Device, release_memory

# Training rows that the regression is fitted on; more are drawn from. For 384 features many more change nothing that shows, and
# the encoder reads 400 short texts a second on two cores: a million rows would take longer than training on them.
MAX_ROWS = 50_000
# Validation rows by which a stored baseline is proved to be the one that was fitted, and how far its probabilities may lie from
# the stored ones: bf16 in other batches, or on another device, moves them by about 0.01, a scrambled matrix by 0.5.
PROOF_ROWS = 128
MAX_DISTANCE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class OpenedEncoderLinear:
    """The encoder as it came, and the logistic regression over its vectors."""

    fitted: EncoderLinear
    encoder: Encoder
    device: Device

    def predict(self, rows: Sequence[Example], *, split: str, classes: tuple[str, ...], trace: Trace) -> Predictions:
        """Return what the baseline says about rows; their labels are passed through and not read."""
        with self.device.autocast():
            features = self.encoder.features([row.text for row in rows], progress=tell_progress(trace, f"encoding {split}"))
        return self.fitted.predict(features, rows, split=split, classes=classes)


def keep_encoder_linear(
    name: str, training: TrainingData, folder: RunFolder, *, device: Device, max_length: int, seed: int, trace: Trace
) -> None:
    """Fit the baseline on the training rows, and keep it and its validation predictions in the run.

    Its cost is one pass of the encoder over training and validation texts; the stage states the seconds. A family without
    an adapter is passed over, and so is an encoder that is not there any more; the stage says so.
    """
    parts = (training.train, training.validation)
    with trace.stage("encoder linear", f"{sum(map(len, parts)):,} texts") as stage:
        stage.shape_out = "no features"
        try:
            fitted, predictions = _fit(name, training, device=device, max_length=max_length, seed=seed, trace=trace)
        except _LeftOut as error:
            stage.done = f"left out: {error}"
            return
        fitted.save(folder.encoder_linear)
        folder.write_predictions(predictions)
        stage.done = f"baseline: encoder as it came, token mean, logistic regression of strength {fitted.strength:g}"
        stage.shape_out = f"{fitted.weights.shape[1]} features × {len(training.classes)} classes"
        if len(training.train) > MAX_ROWS:
            stage.notes = [f"fitted on {MAX_ROWS:,} of {len(training.train):,} training rows, drawn at random"]
    release_memory()


def score_general(
    source: str, models: Mapping[str, str], folder: RunFolder, *, device: Device, max_length: int, seed: int, trace: Trace
) -> None:
    """Keep what each language model says about held-out rows of a general task, as predictions on the split ``general``.

    Each is asked as it is: a logistic regression over its vectors is fitted on the training rows of the task. The rows held
    out are those of its validation; its own test stays sealed.

    Args:
        source: The task: a table or catalogue name.
        models: By the source that their predictions get.
        folder: Where they are kept.
        device: Runs the encoders.
        max_length: Tokens a text.
        seed: Of the regression's hold-out.
        trace: Receives the stage.
    """
    task = prepare(source, ReadConfig(), SplitConfig()).training
    with trace.stage("general task", f"{len(task.train):,} + {len(task.validation):,} texts of {source}") as stage:
        said = []
        for name, model in models.items():
            try:
                _, predictions = _fit(model, task, device=device, max_length=max_length, seed=seed, trace=trace)
            except _LeftOut as error:
                stage.done, stage.shape_out = f"left out: {error}", "no figures"
                return
            said.append(replace(predictions, source=name, split="general"))
        for item in said:
            folder.write_predictions(item)
        stage.done = "a logistic regression over the vectors of each language model, asked about the held-out rows"
        stage.shape_out = f"{len(said)} × {len(task.validation):,} decisions"
    release_memory()


class _LeftOut(Exception):  # noqa: N818  # no error: the run goes on without
    """Why an encoder's vectors cannot be had."""


def _fit(
    name: str, training: TrainingData, *, device: Device, max_length: int, seed: int, trace: Trace
) -> tuple[EncoderLinear, Predictions]:
    """Return the regression over an encoder's vectors of the training rows, and what it says about validation."""
    try:
        encoder = open_encoder(name, max_length=max_length, device=device.kind, cache=TrunkCache())
    except (ModelLoadError, CatalogError) as error:
        raise _LeftOut(error.got) from error
    if encoder is None:
        raise _LeftOut("pretune has no adapter for this family, so its vectors cannot be read")
    told, rows = tell_progress(trace, "encoder linear"), drawn(training.train, seed)
    with device.autocast():  # split by split, as fine-tuning under a frozen trunk does: what it kept can be taken
        known, asked = (encoder.features([row.text for row in part], progress=told) for part in (rows, training.validation))
    if not (np.isfinite(known).all() and np.isfinite(asked).all()):  # fine-tuning itself then stops, and says more about why
        raise _LeftOut("the encoder's vectors are not finite")
    fitted = fit_encoder_linear(known, rows, encoder=name, max_length=max_length, seed=seed)
    return fitted, fitted.predict(asked, training.validation, split="validation", classes=training.classes)


def drawn(rows: tuple[Example, ...], seed: int) -> tuple[Example, ...]:
    """Return the rows, or ``MAX_ROWS`` of them in their order, drawn with this seed."""
    if len(rows) <= MAX_ROWS:
        return rows
    chosen = np.random.default_rng(seed % 2**32).choice(len(rows), MAX_ROWS, replace=False)
    return tuple(rows[index] for index in np.sort(chosen))


def open_encoder_linear(folder: RunFolder, device: Device, trace: Trace) -> OpenedEncoderLinear | None:
    """Open the baseline of a run for other rows; ``None`` where the run has none, or its encoder is not there any more.

    Raises:
        StorageError: It does not give the validation predictions that the run has.
    """
    described = folder.encoder_linear / "features.json"
    if not described.is_file():
        return None
    orders = orders_of(described)
    fitted = load_encoder_linear(folder.encoder_linear, order=orders[0])
    try:
        encoder = open_encoder(fitted.encoder, max_length=fitted.max_length, device=device.kind)
    except (ModelLoadError, CatalogError) as error:
        trace.note(f"the baseline encoder_linear is left out: {error.got}")
        return None
    if encoder is None:
        return None
    rows, known = folder.read_examples("validation")[:PROOF_ROWS], folder.read_predictions("validation", SOURCE)
    for order in orders:
        opened = OpenedEncoderLinear(load_encoder_linear(folder.encoder_linear, order=order), encoder, device)
        if _distance(opened.predict(rows, split="validation", classes=known.classes, trace=trace), known) <= MAX_DISTANCE:
            return opened
    raise StorageError(
        f"{folder.encoder_linear} is not the model that was scored on validation: it gives other predictions",
        expected="those of predictions/validation.encoder_linear.csv",
        fix="restore encoder_linear/ and the model that it names, or fit the run again",
    )


def _distance(found: Predictions, known: Predictions) -> float:
    """Return how far probabilities lie apart, from 0 to 1: the share that moves to another class, mean over the rows."""
    if found.ids != known.ids[: len(found.ids)] or found.probabilities is None or known.probabilities is None:
        return 1.0
    pairs = zip(found.probabilities, known.probabilities, strict=False)
    return float(np.mean([np.abs(np.subtract(a, b)).sum() / 2 for a, b in pairs]))
