"""What a run settles before training: its rows, the open settings, what the model knew, and the record of its start."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pretune import storage
from pretune.configs import AUTO, DEFAULT_MAX_LENGTH, FinetuneConfig, RunConfig
from pretune.data.dataset import Dataset, prepare
from pretune.data.seal.known import register_seal
from pretune.data.seal.learned import Learned, look_back
from pretune.errors import DataError
from pretune.models import find_checkpoint
from pretune.models.mean_layer import says_mean
from pretune.records import BudgetChoice, Example, Past, RunRecord
from pretune.run import RunFolder, identity_of
from pretune.run.job import Job
from pretune.run.origin import origin_of
from pretune.run.trace import Trace
from pretune.tasks.classify.boundary import ALL_LAYERS, EPOCHS, MOST_CUT, choose_length, resolve_freeze
from pretune.train import Device

# At most this many epochs on a processor where `auto` chose what is trained and the user named no number.
EPOCHS_ON_CPU = {"none": EPOCHS, "last": 4}
# Updates below which a table gets more epochs than these: 16 rows would otherwise be learned from three times.
LEAST_UPDATES = 60
# Rates of layers and head for such a table where the head reads the mean (docs/decisions/0039).
FEW_ROWS_RATE, FEW_ROWS_HEAD_RATE = 5e-5, 1e-4
PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "scikit-learn", "numpy")


def load_rows(job: Job[RunConfig]) -> Dataset:
    """Read, clean, split and seal; a source that is refused leaves its receipt behind."""
    config, folder = job.config, job.folder
    try:
        return prepare(job.source, config.read, config.split, given=config.given, trace=job.trace)
    except DataError as error:
        if error.files and not folder.is_begun:  # the receipt is the one thing that a refused file leaves behind
            receipt = {"error": error.to_json(), "files": [file.to_json() for file in error.files]}
            storage.replace_json(folder.data / "receipt.json", receipt)
        raise


def look_back_on(learned: Learned, data: Dataset, trace: Trace) -> Past:
    """Compare what the model had learned from with the sealed texts; say now what will block the verdict."""
    past = look_back(learned, data.seal.texts())
    found = len(past.exact) + len(past.near)
    if found:
        trace.note(
            f"{found:,} of the {data.seal.num_rows:,} test texts, or nearly the same ones, were learned from before this "
            "training: no figure on them shows what the model does with new texts"
        )
    for reason in past.unknown:
        trace.note(f"it is not known whether the test was learned from before: {reason}")
    return past


def begin_run(
    data: Dataset,
    config: RunConfig,
    folder: RunFolder,
    command: str,
    *,
    inputs: Mapping[str, str] | None = None,
    budget: BudgetChoice | None = None,
) -> RunRecord:
    """Write the record first: whatever happens from here on, the folder is known as that of a run that was begun."""
    record = RunRecord(
        run=folder.name,
        identity=identity_of(inputs) if inputs else "",
        inputs=dict(inputs or {}),
        budget=budget,
        status="started",
        command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_source=data.receipt.source,
        model_source=config.model,
        configs=config.to_json(),
        receipt=data.receipt,
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
        classes=data.classes,
    )
    origin = origin_of(config.model)
    if origin is not None:  # one timeline spans both trainings
        language = origin.scores if origin.pretraining is not None and origin.pretraining.started_from else ()
        record = replace(
            record, pretraining=origin.pretraining, tokenizer=origin.tokenizer, corpus=origin.corpus, language=language
        )
    folder.clear(record, keep_checkpoints=folder.is_begun and not folder.is_to_be_replaced)
    storage.replace_json(folder.data / "receipt.json", data.receipt.to_json())
    folder.write_examples("train", data.train)
    folder.write_examples("validation", data.validation)
    data.seal.save(folder.sealed)
    folder.write_record(record)
    register_seal(data.seal, str(folder.path))
    return record


def settle(config: RunConfig, device: Device, rows: Sequence[Example], trace: Trace) -> RunConfig:
    """Return the config with everything decided that was left to the processor and to the training rows."""
    num_rows, is_short = len(rows), config.freeze == AUTO and config.epochs is None and device.kind == "cpu"
    updates = -(-num_rows // (config.finetune.batch_size * config.finetune.accumulate))  # of an epoch
    least = -(-LEAST_UPDATES // updates)
    length = config.finetune.max_length or DEFAULT_MAX_LENGTH
    if is_short and config.finetune.max_length is None and config.budget is None:
        length = choose_length(config.model, rows, max(EPOCHS, least))
    freeze = resolve_freeze(config.freeze, device.kind, config.model, rows, length)
    usual = EPOCHS_ON_CPU[freeze.partition("-")[0]] if is_short else 0
    epochs = max(usual, least) if is_short else config.epochs
    if freeze != config.freeze:
        is_small = config.finetune.precision == AUTO and device.precision == "fp32" and freeze == ALL_LAYERS
        why = device.why + (", and the table is small enough for all layers" if is_small else "")
        trace.note(f"--freeze {freeze}" + (f" --epochs {epochs}" if is_short else "") + f": {why}")
    if length > DEFAULT_MAX_LENGTH and config.finetune.max_length is None:
        why = f"over {MOST_CUT:.0%} of the texts are longer than {DEFAULT_MAX_LENGTH} tokens, and the table is small"
        trace.note(f"--max-length {length}: {why}")
    finetune = replace(config.finetune, max_length=length)
    if is_short and epochs is not None and epochs > usual:
        finetune = replace(finetune, patience=max(finetune.patience, epochs))  # three epochs without a gain are a few updates
        says = f"{num_rows:,} training rows: {epochs} epochs in place of {usual}, for at least {LEAST_UPDATES} updates"
        if freeze == "none" and _is_open(finetune) and says_mean(Path(find_checkpoint(config.model).path)):
            finetune = replace(finetune, learning_rate=FEW_ROWS_RATE, head_learning_rate=FEW_ROWS_HEAD_RATE)
            says += f", at {FEW_ROWS_RATE:g} (head {FEW_ROWS_HEAD_RATE:g})"
        trace.note(says)
    return replace(config, freeze=freeze, epochs=epochs, finetune=finetune)


def _is_open(config: FinetuneConfig) -> bool:
    """Whether the rates of a head that reads the mean were left to pretune."""
    is_usual = config.head == "native" and config.pooling == AUTO and config.lora is None
    return is_usual and config.learning_rate is None and config.head_learning_rate is None


def recorded_budget(folder: RunFolder) -> BudgetChoice | None:
    """Return what was chosen when this run was begun, if it was cut off: another choice would be another training."""
    known = folder.read_record().budget if folder.is_begun and not folder.is_to_be_replaced else None
    return None if known is None else replace(known, was_resumed=True)
