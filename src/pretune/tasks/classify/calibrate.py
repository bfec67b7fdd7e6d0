"""Calibrate: a temperature for the output layer, where validation asks for one."""

from dataclasses import dataclass, replace

import torch

from pretune.data.seal.seal import TrainingData
from pretune.evaluate.temperature import calibrate
from pretune.models import ModelCard, fold_temperature
from pretune.predict import Scorer, answer
from pretune.records import Calibration, Predictions
from pretune.run.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """How far probabilities were from shares, and what the network says since."""

    calibration: Calibration
    card: ModelCard
    validation: Predictions


def calibrate_network(
    scorer: Scorer, training: TrainingData, logits: torch.Tensor, *, is_wanted: bool, trace: Trace
) -> Calibrated:
    """Put the temperature that fits the validation logits (num_texts, num_classes) into the network's output layer."""
    network, card = scorer.network, scorer.card
    before = answer(training.validation, "validation", logits, card)
    with trace.stage("calibrate", f"{len(before.ids):,} validation probabilities") as stage:
        found = calibrate(before, is_wanted=is_wanted)
        stage.done, stage.shape_out = found.why, "temperature 1"
        if found.is_scaled and not fold_temperature(network, found.temperature):
            found = replace(found, is_scaled=False, why=f"{found.why}; not done: there is no adapter for this family")
            stage.done = found.why
        if not found.is_scaled:
            return Calibrated(calibration=found, card=card, validation=before)
        stage.shape_out = f"temperature {found.temperature:.3f}, in the weights of the output layer"
    card = replace(card, folded_temperature=found.temperature)
    after = answer(training.validation, "validation", logits / found.temperature, card)
    return Calibrated(calibration=found, card=card, validation=after)
