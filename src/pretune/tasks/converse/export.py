"""Exporting a chat model for other tools, and asking what was exported again: does it still reply as the judged model does?"""

from dataclasses import replace
from typing import Any

from pretune import storage
from pretune.errors import UsageError
from pretune.hashing import digest_of_file
from pretune.models.formats import gguf, gguf_write
from pretune.models.heads import LanguageNetwork
from pretune.records import SCHEMA, Conversation, Decoding
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker
from pretune.tasks.converse.ask import open_model
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
        What ``export.json`` has: size, digest, share of the replies that are the same (greedy, fp32), and the loss of the
        references to both.

    Raises:
        MissingPackageError: The ``gguf`` extra is not installed.
        UsageError: The run has no model, or it cannot be written so.
    """
    if folder.read_record().status not in ("trained", "judged"):
        raise UsageError(f"{folder.path} has no model yet", expected="a run that is trained", fix="run its command again")
    model, place = open_model(str(folder.path)), folder.path / "export" / f"gguf-{form}"
    file = place / "model.gguf"
    with trace.stage("export", f"GGUF, {form}") as stage:
        network, stop_id = model.network_, model.template_.stop_id
        gguf_write.write(file, network, model.tokenizer_, form=form, stop_id=stop_id, name=folder.name)
        stage.done, stage.shape_out = "weights, vocabulary, template", storage.say_bytes(file.stat().st_size)
    rows = [Conversation.from_example(row) for row in folder.read_examples("validation")][:NUM_ASKED]
    with trace.stage("compare", f"{len(rows)} validation questions, asked of both") as stage:
        read, tokenizer = gguf.read(file, folder.name)
        again = Asker(
            network=LanguageNetwork(read), tokenizer=tokenizer, template=ChatTemplate(tokenizer), source="gguf", trace=trace
        )
        exactly = replace(model.decoding_, precision="fp32")
        found = _compare(model.asker(trace), again, rows, exactly)
        stage.done = f"{found['same_replies']:.0%} of the replies are the same to the letter"
        stage.shape_out = f"loss {found['loss']:.4f}, {found['loss_exported']:.4f} exported"
    about = {
        "schema": SCHEMA, "form": f"gguf-{form}", "file": str(file), "bytes": file.stat().st_size,
        "sha256": digest_of_file(file), "questions": len(rows), **found,
    }  # fmt: skip
    storage.replace_json(place / ABOUT, about)
    return about


def _compare(own: Asker, exported: Asker, rows: list[Conversation], decoding: Decoding) -> dict[str, float]:
    first, second = (asker.reply(rows, "validation", decoding).texts for asker in (own, exported))
    losses = []
    for asker in (own, exported):
        scores = asker.score(rows)
        losses.append(sum(item.nats for item in scores) / max(1, sum(item.tokens for item in scores)))
    same = sum(a == b for a, b in zip(first, second, strict=True)) / max(1, len(rows))
    return {"same_replies": same, "loss": losses[0], "loss_exported": losses[1]}
