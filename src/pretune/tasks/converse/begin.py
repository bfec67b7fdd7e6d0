"""What a run on conversations settles before training: its rows, the open settings, and the record of its start."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from pretune import storage
from pretune.configs import ConverseRunConfig
from pretune.data.conversations import ConversationSet, prepare
from pretune.data.seal.known import register_seal
from pretune.data.seal.learned import Learned, look_back
from pretune.errors import DataError
from pretune.evaluate.replies.domain import find_domain
from pretune.records import ChatFacts, Decoding, Past, RunRecord
from pretune.run import RunFolder, identity_of
from pretune.run.job import Job
from pretune.run.trace import Trace
from pretune.tokens.chat_date import now
from pretune.train import has_fast_bf16

PACKAGES = ("pretune", "torch", "transformers", "tokenizers", "numpy")
DEFAULT_MAX_LENGTH = 512  # tokens per conversation
# Peak rates of all or the last layers, and of low-rank adapters; docs/conversation.md has what they were chosen by.
RATE, LORA_RATE = 1e-4, 5e-4
# Epochs where neither the user nor a budget says.
EPOCHS = 3
MOMENT = "moment.json"  # beside the checkpoints: when a training began whose template prints the date


def load_rows(job: Job[ConverseRunConfig]) -> ConversationSet:
    """Read, clean, split and seal; a source that is refused leaves its receipt behind."""
    config, folder = job.config, job.folder
    try:
        return prepare(
            job.source, config.read, config.split, given=config.given, questions=config.chat.questions, trace=job.trace
        )
    except DataError as error:
        if error.files and not folder.is_begun:  # the receipt is the one thing that a refused file leaves behind
            receipt = {"error": error.to_json(), "files": [file.to_json() for file in error.files]}
            storage.replace_json(folder.data / "receipt.json", receipt)
        raise


def look_back_on(learned: Learned, data: ConversationSet, trace: Trace) -> Past:
    """Compare what the model had learned from with the sealed questions."""
    past = look_back(learned, data.seal.texts())
    if past.exact or past.near:
        trace.note(
            f"{len(past.exact) + len(past.near):,} of the {data.seal.num_rows:,} test questions, or nearly the same ones, were "
            "learned from before this training"
        )
    return past


def settle(config: ConverseRunConfig) -> ConverseRunConfig:
    """Return the config with everything decided that was left open, but for what a budget chooses."""
    own = config.finetune
    rate = own.learning_rate or (LORA_RATE if own.lora else RATE)
    finetune = replace(own, learning_rate=rate, max_length=own.max_length or DEFAULT_MAX_LENGTH)
    is_staged = any(sign in config.freeze for sign in ",:@")
    return replace(config, finetune=finetune, epochs=config.epochs or (None if is_staged else EPOCHS))


def decoding_of(config: ConverseRunConfig) -> Decoding:
    """Return how replies are made, as far as it is settled before validation chooses."""
    chat = config.chat
    return Decoding(
        max_tokens=chat.max_reply,
        temperature=chat.temperature,
        top_p=chat.top_p,
        repetition_penalty=chat.repetition_penalty or 1.0,
        no_repeat=chat.no_repeat,
        seed=config.seed,
        precision="fp32" if chat.precision == "bf16" and not has_fast_bf16() else chat.precision,
    )


def moment_of(folder: RunFolder) -> str:
    """Return when the training of a run began, also where it was cut off: the date that a template prints is that of then."""
    place, is_resumed = folder.checkpoints / MOMENT, folder.is_begun and not folder.is_to_be_replaced
    return str(storage.read_json(place)["moment"]) if is_resumed and place.is_file() else now()


def begin_run(
    data: ConversationSet,
    config: ConverseRunConfig,
    folder: RunFolder,
    licence: str | None,
    command: str,
    *,
    inputs: Mapping[str, str] | None = None,
) -> RunRecord:
    """Write the record first: whatever happens from here on, the folder is known as that of a run that was begun."""
    asked = [row.text for row in data.train] + list(data.seal.texts())
    record = RunRecord(
        run=folder.name,
        identity=identity_of(inputs) if inputs else "",
        inputs=dict(inputs or {}),
        status="started",
        task="converse",
        command=command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data_source=data.receipt.source,
        model_source=config.model,
        model_licence=licence,
        configs=config.to_json(),
        receipt=data.receipt,
        versions={name: importlib.metadata.version(name) for name in PACKAGES},
        chat=ChatFacts(decoding=decoding_of(config), data=data.counts, domain=find_domain(asked, asked=config.chat.domain)),
    )
    folder.clear(record, keep_checkpoints=folder.is_begun and not folder.is_to_be_replaced)
    storage.replace_json(folder.data / "receipt.json", data.receipt.to_json())
    folder.write_examples("train", [row.as_example() for row in data.train])
    folder.write_examples("validation", [row.as_example() for row in data.validation])
    data.seal.save(folder.sealed)
    folder.write_record(record)
    register_seal(data.seal, str(folder.path))
    return record
