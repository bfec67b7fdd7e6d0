"""The untuned encoder as a baseline: what the language model knew before it was fine-tuned, on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pretune.data import TrainingData
from pretune.errors import CatalogError, ModelLoadError
from pretune.evaluate.encoder_linear import EncoderLinear, fit_encoder_linear, load_encoder_linear
from pretune.fitting import tell_progress
from pretune.models import Encoder, TrunkCache, open_encoder
from pretune.records import Example, Predictions
from pretune.runs import RunFolder
from pretune.trace import Trace
from pretune.train import Device, release_memory


@dataclass(frozen=True, slots=True, eq=False)
class Untuned:
    """The encoder as it came, and the logistic regression over its vectors."""

    fitted: EncoderLinear
    encoder: Encoder
    device: Device

    def predict(self, rows: Sequence[Example], *, split: str, classes: tuple[str, ...], trace: Trace) -> Predictions:
        """Return what the baseline says about rows; their labels are passed through and not read."""
        with self.device.autocast():
            features = self.encoder.features([row.text for row in rows], progress=tell_progress(trace, f"encoding {split}"))
        return self.fitted.predict(features, rows, split=split, classes=classes)


def fit_untuned(
    name: str, training: TrainingData, folder: RunFolder, *, device: Device, max_length: int, seed: int, trace: Trace
) -> None:
    """Fit the baseline on the training rows, and keep it and its validation predictions in the run.

    Its cost is one pass of the encoder over training and validation texts; the stage states the seconds. A family without
    an adapter is passed over, and so is an encoder that is not there any more; the stage says so.
    """
    parts = (training.train, training.validation)
    with trace.stage("untuned", f"{sum(map(len, parts)):,} texts") as stage:
        stage.shape_out = "no features"
        try:
            encoder = open_encoder(name, max_length=max_length, device=device.kind, cache=TrunkCache())
        except (ModelLoadError, CatalogError) as error:
            stage.done = f"left out: {error.got}"
            return
        if encoder is None:
            stage.done = "left out: pretune has no adapter for this family, so its vectors cannot be read"
            return
        told = tell_progress(trace, "untuned encoder")
        with device.autocast():  # split by split, as fine-tuning under a frozen trunk does: what it kept can be taken
            known, asked = (encoder.features([row.text for row in part], progress=told) for part in parts)
        if not (
            np.isfinite(known).all() and np.isfinite(asked).all()
        ):  # fine-tuning itself then stops, and says more about why
            stage.done = "left out: the encoder's vectors are not finite"
            return
        fitted = fit_encoder_linear(known, training.train, encoder=name, max_length=max_length, seed=seed)
        fitted.save(folder.encoder_linear)
        folder.write_predictions(fitted.predict(asked, training.validation, split="validation", classes=training.classes))
        stage.done = f"baseline: encoder as it came, token mean, logistic regression of strength {fitted.strength:g}"
        stage.shape_out = f"{known.shape[1]} features × {len(training.classes)} classes"
    release_memory()


def open_untuned(folder: RunFolder, device: Device, trace: Trace) -> Untuned | None:
    """Open the baseline of a run for other rows; ``None`` where the run has none, or its encoder is not there any more."""
    if not (folder.encoder_linear / "features.json").is_file():
        return None
    fitted = load_encoder_linear(folder.encoder_linear)
    try:
        encoder = open_encoder(fitted.encoder, max_length=fitted.max_length, device=device.kind)
    except (ModelLoadError, CatalogError) as error:
        trace.note(f"the baseline encoder_linear is left out: {error.got}")
        return None
    return None if encoder is None else Untuned(fitted, encoder, device)
