"""What a run keeps from training: thresholds, the saved model, and its figures on validation."""

import time
from dataclasses import replace

from pretune import storage
from pretune.data.alike.units import find_copies, with_units
from pretune.data.seal.seal import TrainingData
from pretune.data.split.divide import digest_of_rows
from pretune.errors import StorageError
from pretune.evaluate import evaluate_sources
from pretune.evaluate.aims import Aim
from pretune.evaluate.encoder_linear import SOURCE
from pretune.records import Example, RunRecord, Terms
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.budget import tell_end
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.thresholds import choose_thresholds, decided_by, store_thresholds, tell_choice
from pretune.tasks.report import write_model_card

# Seconds of training from which a process of its own, which takes five, asks plain transformers about the saved model.
LONG_TRAINING = 60.0


def read_split(folder: RunFolder, record: RunRecord, split: str) -> tuple[Example, ...]:
    """Return the rows of a split, which must be those that the receipt counted."""
    rows = folder.read_examples(split)
    known = [item.digest for item in record.receipt.splits if item.name == split] if record.receipt else []
    if known and known != [digest_of_rows(rows)]:
        raise StorageError(
            f"{folder.data / f'{split}.jsonl'} is not what was written",
            expected="the rows that the receipt counts",
            fix="restore the file, or repeat the run",
        )
    return rows


def keep_trained(
    model: TextClassifier, training: TrainingData, aim: Aim, record: RunRecord, folder: RunFolder, trace: Trace, *, start: float
) -> RunRecord:
    """Choose the threshold, save the model and its validation figures; only then does the record say ``trained``."""
    sources = [model.predict_validation(training), *model.baselines(training, training.validation, "validation")]
    if folder.has_predictions("validation", SOURCE):
        sources.append(folder.read_predictions("validation", SOURCE))
    terms = with_units(Terms(), training.validation, find_copies(training.validation, record.receipt))
    choices = choose_thresholds(sources, aim, terms.groups)
    store_thresholds(model, choices, folder)
    tell_choice(choices, trace)
    with trace.stage("save", "weights, tokenizer, settings") as stage:
        model.save(folder.model, apart=time.perf_counter() - start > LONG_TRAINING)
        stage.done, stage.shape_out = f"read back: logits differ by at most {model.parity_:.1g}", "model/"
    with trace.stage("validate", f"{len(training.validation):,} validation texts") as stage:
        sources = decided_by(sources, choices)
        for item in sources:
            folder.write_predictions(item)
        found = evaluate_sources(sources, replace(terms, positive=model.card_.positive), main="finetuned")
        stage.done = f"accuracy {found.value('accuracy'):.3f}, the test still sealed"
        stage.shape_out = f"{len(training.validation):,} × {len(training.classes)} probabilities"
    record = replace(
        record,
        status="trained",
        device=str(model.device_),
        positive=model.card_.positive,
        history=getattr(model, "history_", None),
        changes=getattr(model, "changes_", ()),
        calibration=getattr(model, "calibration_", None),
        threshold=choices["finetuned"],
        has_folded_threshold=model.scorer.has_folded_threshold,
        model_licence=model.card_.licence,
        token_counts=getattr(model, "token_counts_", ()),
        scores=found.scores,
        comparisons=found.comparisons,
        confusions=found.confusions,
        seconds={"training": round(time.perf_counter() - start, 1)},
    )
    record = folder.write_record(tell_end(record, "finetune", trace))
    write_model_card(folder, record)
    storage.discard(folder.checkpoints)
    return record
