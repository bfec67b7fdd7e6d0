"""Exporting a chat model for other tools, and asking what was exported again: does it still reply as the judged model does?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import UsageError
from pretune.hashing import digest_of_file
from pretune.models.formats import gguf, gguf_write
from pretune.models.heads import LanguageNetwork
from pretune.records import SCHEMA, Conversation, Decoding, RunRecord
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker
from pretune.tasks.converse.ask import open_model
from pretune.tasks.converse.estimator import ChatModel
from pretune.tokens.chat import ChatTemplate

# Validation questions that both forms are asked.
NUM_ASKED = 32
ABOUT = "export.json"


def export_gguf(folder: RunFolder, *, form: str, trace: Trace) -> dict[str, Any]:
    """Write ``export/gguf-FORM/model.gguf`` of a run, read it back, and compare it with the judged model.

    No look is counted: both are asked about validation rows, and what is compared is whether they reply alike.

    Args:
        folder: A run on conversations.
        form: ``f16``, ``f32`` or ``q8_0``.
        trace: Receives the stages.

    Returns:
        What ``export.json`` has: size, digest, share of the replies that are the same (in fp32), and the loss of the
        references to both.

    Raises:
        MissingPackageError: The ``gguf`` extra is not installed.
        UsageError: The run has no model, or it cannot be written so.
    """
    require_trained(folder)
    model, place = open_model(str(folder.path)), folder.path / "export" / f"gguf-{form}"
    file = place / "model.gguf"
    with trace.stage("export", f"GGUF, {form}") as stage:
        network, stop_id = model.network_, model.template_.stop_id
        gguf_write.write(file, network, model.tokenizer_, form=form, stop_id=stop_id, name=folder.name)
        stage.done, stage.shape_out = "weights, vocabulary, template", storage.say_bytes(file.stat().st_size)
    read, tokenizer = gguf.read(file, folder.name)
    found = ask_both(model, read, tokenizer, rows_of(folder), trace)
    return describe(file, {"form": f"gguf-{form}", **found})


def require_trained(folder: RunFolder) -> RunRecord:
    """Return the record of a run that has a model.

    Raises:
        UsageError: It has none yet.
    """
    record = folder.read_record()
    if record.status not in ("trained", "judged"):
        raise UsageError(f"{folder.path} has no model yet", expected="a run that is trained", fix="run its command again")
    return record


def rows_of(folder: RunFolder) -> list[Conversation]:
    """Return the conversations of validation that are asked."""
    return [Conversation.from_example(row) for row in folder.read_examples("validation")[:NUM_ASKED]]


def ask_both(model: ChatModel, exported: Any, tokenizer: Any, rows: list[Conversation], trace: Trace) -> dict[str, Any]:
    """Ask the judged model and what was exported of it the same questions, in fp32.

    Args:
        model: The judged one.
        exported: Of transformers.
        tokenizer: That was exported with it.
        rows: What is asked.
        trace: Receives the stage.
    """
    with trace.stage("compare", f"{len(rows)} validation questions, asked of both") as stage:
        network, template = LanguageNetwork(exported), ChatTemplate(tokenizer)
        again = Asker(network=network, tokenizer=tokenizer, template=template, source="exported", trace=trace)
        found = _compare(model.asker(trace), again, rows, replace(model.decoding_, precision="fp32"))
        stage.done = f"{found['same_replies']:.0%} of the replies are the same to the letter"
        stage.shape_out = f"loss {found['loss']:.4f}, {found['loss_exported']:.4f} exported"
    return {"questions": len(rows), **found}


def describe(file: Path, found: dict[str, Any]) -> dict[str, Any]:
    """Write ``export.json`` beside the exported weights, and return what it has."""
    size, digest = file.stat().st_size, digest_of_file(file)
    about = {"schema": SCHEMA, "file": str(file), "bytes": size, "sha256": digest, **found}
    storage.replace_json(file.parent / ABOUT, about)
    return about


def _compare(own: Asker, exported: Asker, rows: list[Conversation], decoding: Decoding) -> dict[str, float]:
    first, second = (asker.reply(rows, "validation", decoding).texts for asker in (own, exported))
    losses = []
    for asker in (own, exported):
        scores = asker.score(rows, precision="fp32")
        losses.append(sum(item.nats for item in scores) / max(1, sum(item.tokens for item in scores)))
    same = sum(a == b for a, b in zip(first, second, strict=True)) / max(1, len(rows))
    return {"same_replies": same, "loss": losses[0], "loss_exported": losses[1]}
