"""Reporting: the page and the card of a run, whatever its task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import PretuneError
from pretune.evaluate.probability_view import view_probabilities
from pretune.records import Finding, ProbabilityView, RunRecord
from pretune.report.card.card import render_card
from pretune.report.card.chat import render_chat_card
from pretune.report.card.hub import render_model_card
from pretune.report.page.html import render_chat, render_html
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.run import RunFolder
from pretune.run.exports import read_exports
from pretune.tasks.origins import find_origin

Draw = Callable[[RunRecord, Sequence[Mapping[str, Any]]], str]

# Task → how its page and its card are drawn; those of tables of labels otherwise.
PAGES: dict[str, tuple[Draw, Callable[[RunRecord], str]]] = {
    "pretrain": (render_pretraining, render_pretraining_card),
    "converse": (render_chat, render_chat_card),
}


def write_report(folder: RunFolder, record: RunRecord, *, above: Sequence[Finding] = ()) -> Path:
    """Draw ``report.html`` and the model card from the run folder; no figure of a verdict is computed, no row is opened.

    Args:
        folder: The run's.
        record: The run's.
        above: Findings about the record itself, shown before its own.
    """
    page, card = PAGES.get(record.task) or (_page_of_labels(folder, record), render_card)
    record = replace(record, findings=(*above, *record.findings))
    events = folder.read_events(head=record.heads.get("trace.jsonl", ""))
    storage.replace(folder.report, storage.sign(page(record, events)))
    storage.replace(folder.card, storage.sign(card(record)))
    write_model_card(folder, record)
    return folder.report


def _page_of_labels(folder: RunFolder, record: RunRecord) -> Draw:
    return partial(render_html, view=view_validation(folder, record), exports=read_exports(folder.path))


def view_validation(folder: RunFolder, record: RunRecord) -> ProbabilityView | None:
    """Return what the judged model's predictions on validation show; ``None`` where the run has none that can be read.

    That a file of the run is damaged is said by the findings about the record, not here.
    """
    try:
        return view_probabilities(folder.read_predictions("validation", record.judged_source), record.positive)
    except PretuneError:
        return None


def write_model_card(folder: RunFolder, record: RunRecord) -> None:
    """Draw the card that travels with the model, ``model/README.md``: metadata for the hub, and no text of the data."""
    if folder.model.is_dir():
        storage.replace(folder.model_card, storage.sign(render_model_card(record, find_origin(record))))
