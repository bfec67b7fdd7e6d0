"""Reporting: the page and the card of a run, by what it is a run of."""

from pathlib import Path

from pretune import storage
from pretune.records import RunRecord
from pretune.report.card import render_card
from pretune.report.html import render_html
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.runs import RunFolder


def write_report(folder: RunFolder, record: RunRecord) -> Path:
    """Draw ``report.html`` and the model card from the run folder; nothing is computed, no row is opened."""
    is_language = record.task == "pretrain"
    page = render_pretraining if is_language else render_html
    card = render_pretraining_card if is_language else render_card
    storage.replace(folder.report, page(record, folder.read_events()))
    storage.replace(folder.card, card(record))
    return folder.report
