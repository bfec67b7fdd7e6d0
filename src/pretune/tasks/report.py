"""Reporting: the page and the card of a run, whatever its task."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pretune import storage
from pretune.records import Finding, RunRecord
from pretune.report.card.card import render_card
from pretune.report.card.chat import render_chat_card
from pretune.report.page.html import render_chat, render_html
from pretune.report.pretraining import render_pretraining, render_pretraining_card
from pretune.run import RunFolder
from pretune.run.exports import read_exports

# Task → how its page and its card are drawn; those of tables of labels otherwise.
PAGES = {"pretrain": (render_pretraining, render_pretraining_card), "converse": (render_chat, render_chat_card)}


def write_report(folder: RunFolder, record: RunRecord, *, above: Sequence[Finding] = ()) -> Path:
    """Draw ``report.html`` and the model card from the run folder; nothing is computed, no row is opened.

    Args:
        folder: The run's.
        record: The run's.
        above: Findings about the record itself, shown before its own.
    """
    page, card = PAGES.get(record.task, (partial(render_html, exports=read_exports(folder.path)), render_card))
    record = replace(record, findings=(*above, *record.findings))
    events = folder.read_events(head=record.heads.get("trace.jsonl", ""))
    storage.replace(folder.report, storage.sign(page(record, events)))
    storage.replace(folder.card, storage.sign(card(record)))
    return folder.report
