"""Writes a classifier in a form: the graph first, whatever is made from it, then tokenizer and card."""

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pretune.models import ClassNetwork, ModelCard
from pretune.models.exported import ExportCard, write_export_card
from pretune.models.formats import onnx_graph, torch_program
from pretune.models.formats.graph import reading_of, whole
from pretune.models.formats.onnx_int8 import Batch
from pretune.models.formats.plain import write_tokenizer
from pretune.tokens import encode, pad, plan_scoring

# Packages that a form is made with; the last one runs it.
PACKAGES = {
    "onnx": ("torch", "transformers", "onnx", "onnxscript", "onnxruntime"),
    "openvino": ("torch", "transformers", "onnx", "onnxscript", "openvino"),
    "torch": ("transformers", "torch"),
}
NUM_CALIBRATED = 512  # texts of training


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is exported.

    Args:
        network: On the processor, in evaluation.
        tokenizer: Its own, of transformers.
        card: Of the saved model.
        run: Its name.
        texts: Clean ones of training, for calibration.
    """

    network: ClassNetwork
    tokenizer: Any
    card: ModelCard
    run: str
    texts: tuple[str, ...]


def write_graph(folder: Path, source: Source, form: str) -> tuple[float, ...] | None:
    """Write the graph that a form is, or is made from, and return what its output layer adds for the threshold."""
    is_torch = form == "torch"
    with whole(source.network, source.card, plainly=not is_torch) as (module, shift):
        (torch_program if is_torch else onnx_graph).write(folder, module, max_length=source.card.max_length)
    return shift


def calibration(source: Source) -> list[Batch]:
    """Return texts of training as they are served: ids and mask, each (batch, time)."""
    encoded = encode(source.texts[:NUM_CALIBRATED], source.tokenizer, max_length=source.card.max_length)
    return [pad(encoded, rows) for rows in plan_scoring(encoded.lengths)]


def finish(folder: Path, source: Source, form: str, shift: tuple[float, ...] | None, how: dict[str, str]) -> ExportCard:
    """Write tokenizer and card beside a graph."""
    write_tokenizer(folder, source.tokenizer, max_length=source.card.max_length)
    _let_cut(folder / "tokenizer.json", source)
    card = ExportCard(
        form=form,
        run=source.run,
        card=replace(source.card, digests={}, digest="", unfolded_bias=None),
        shift=shift,
        reading=reading_of(source.tokenizer),
        how=how,
        versions={name: version(name) for name in PACKAGES[form.partition("-")[0]]},
    )
    write_export_card(folder, card)
    return card


def _let_cut(file: Path, source: Source) -> None:
    """Let the tokenizer's file cut and pad by itself, for whoever reads it without pretune."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(source.card.max_length)
    tokenizer.enable_padding(
        pad_id=reading_of(source.tokenizer).padding_id, pad_token=str(source.tokenizer.pad_token or "[PAD]")
    )
    tokenizer.save(str(file))
