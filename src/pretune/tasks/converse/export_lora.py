"""Exporting the adapters of a chat model for peft, and loading them on top of the model that training began with."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pretune import storage
from pretune.errors import UsageError, require
from pretune.models import PEFT, Checkpoint, check_parity, load_language_model, load_tokenizer
from pretune.models.formats import adapter, plain
from pretune.models.formats.chat import ADAPTERS
from pretune.models.formats.language_model import folder_of
from pretune.models.parity import MAX_SHARE_DIFFERENCE
from pretune.records import Conversation
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.converse.ask import open_model
from pretune.tasks.converse.estimator import ChatModel
from pretune.tasks.converse.export import ask_both, describe, require_trained, rows_of

# Validation conversations at whose every token the probabilities are compared.
NUM_COMPARED = 4


def export_lora(folder: RunFolder, *, trace: Trace) -> dict[str, Any]:
    """Write ``export/lora`` of a run that trained adapters, load it as peft does, and compare it with the judged model.

    Args:
        folder: A run on conversations.
        trace: Receives the stages.

    Returns:
        What ``export.json`` has: what that of GGUF has, the model that the adapters belong to, and how far the logits differ
        while nothing is merged.

    Raises:
        MissingPackageError: The ``lora`` extra is not installed.
        UsageError: The run has no model, or no adapters.
        ParityError: With peft it is another model.
    """
    record = require_trained(folder)
    _require_adapters(folder)
    peft, start, place = require(**PEFT), record.chat_settings.model, folder.path / "export" / "lora"
    model, rows, plainly = open_model(str(folder.path)), rows_of(folder), load_language_model(start).network.model
    base, length = folder_of(start), record.chat_settings.finetune.max_length or 0
    with trace.stage("export", "LoRA, for peft") as stage:

        def fill(aside: Path) -> None:
            adapter.copy(folder.model / ADAPTERS, aside, base=base)
            plain.write_tokenizer(aside, model.tokenizer_, max_length=length)

        storage.replace(place, fill)
        file = place / adapter.WEIGHTS
        stage.done, stage.shape_out = "adapters, tokenizer, template", storage.say_bytes(file.stat().st_size)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of what peft 0.21 calls in transformers 5
        on_top = peft.PeftModel.from_pretrained(plainly, str(place)).eval()
    difference = _compare_logits(model, on_top, rows[:NUM_COMPARED])
    tokenizer = load_tokenizer(Checkpoint(name=str(place), path=str(place), is_local=True, model_type=""))
    found = ask_both(model, on_top.merge_and_unload(), tokenizer, rows, trace)
    return describe(file, {"form": "lora", "base": base, "logit_difference": difference, **found})


def _require_adapters(folder: RunFolder) -> None:
    if not (folder.model / ADAPTERS / adapter.WEIGHTS).is_file():
        raise UsageError(
            f"{folder.path} has no adapters: its layers were trained themselves",
            expected="a run that was trained with --lora RANK",
            fix="pass --to gguf, or use RUN/model, which plain transformers loads",
        )


@torch.inference_mode()
def _compare_logits(model: ChatModel, on_top: Any, rows: Sequence[Conversation]) -> float:
    """Return the largest difference of a logit between the judged model and its adapters on top of the starting model."""
    own, found = model.network_.eval().cpu().model, 0.0
    for row in rows:
        ids = torch.from_numpy(model.template_.encode(row.turns).ids.astype("int64"))[None]
        ours, theirs = own(input_ids=ids).logits[0].float(), on_top(input_ids=ids).logits[0].float()
        what = "the exported adapters, loaded with peft, guess other words"
        check_parity(ours.softmax(dim=1), theirs.softmax(dim=1), what, limit=MAX_SHARE_DIFFERENCE)
        found = max(found, float((ours - theirs).abs().max()))
    return found
