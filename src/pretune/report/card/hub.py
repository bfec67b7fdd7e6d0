"""The card of a model folder, ``model/README.md``: metadata for the hub, then the run's card without a text of the data."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pretune.records import Finding, Receipt, RunRecord, Verdict
from pretune.report.card.card import escape, render_card
from pretune.report.card.chat import render_chat_card
from pretune.report.card.metadata import Origin, front_matter, metadata_of
from pretune.report.card.use import Place
from pretune.report.pretraining import render_pretraining_card

CARDS: dict[str, Callable[[RunRecord, Place], str]] = {"pretrain": render_pretraining_card, "converse": render_chat_card}
# Checks whose findings quote words of the data, or values of its columns.
QUOTING = re.compile(r"signature|stamp|column|spelling|group|slice|labels\.kind")
ELSEWHERE = "; the report of the run has the words"


def render_model_card(record: RunRecord, origin: Origin, *, place: str = ".") -> str:
    """Return the card of a model folder as Markdown.

    Args:
        record: The run.
        origin: What else is known of where it comes from.
        place: Where the model is for who reads the card: ``.``, or its id on the hub.
    """
    shown = _without_texts(record)
    text = CARDS.get(record.task, render_card)(shown, Place(place))
    title = f"# {escape(origin.name or record.run)}"
    body = "\n".join([title, *text.split("\n")[1:]])
    return f"{front_matter(metadata_of(shown, origin))}\n{body}\n{_tell_licence(record, origin)}"


def _tell_licence(record: RunRecord, origin: Origin) -> str:
    """Say whose licence the metadata name, so that nobody takes it for more than it is."""
    if origin.licence:
        said = f"The licence of this model is {escape(origin.licence)}, as whoever shares it says."
    elif record.model_licence and record.model_source != "scratch":
        said = "The licence at the head of this card is that of the model that this one was made from, as its source states it."
    else:
        said = "Nobody has stated a licence for this model: ask whoever shares it before using it."
    return f"{said} What the licence of the data allows is for whoever shares the model to know.\n"


def _without_texts(record: RunRecord) -> RunRecord:
    """Return a record without what quotes the data: texts, ids, values of columns, guesses, and the folders of this machine."""
    source, history = Path(record.data_source).name or record.data_source, record.pretraining
    if history is not None:
        history = replace(history, milestones=tuple(replace(item, guesses=()) for item in history.milestones))
    model = record.model_source
    return replace(
        record,
        verdict=_unquoted_verdict(record.verdict) if record.verdict is not None else None,
        data_source=source if _is_path(record.data_source) else record.data_source,
        model_source=Path(model).name if _is_path(model) else model,
        receipt=_bare(record.receipt) if record.receipt is not None else None,
        pretraining=history,
        findings=tuple(map(_unquoted, record.findings)),
    )


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~", ".")) or text.count("/") > 1 or "\\" in text


def _bare(receipt: Receipt) -> Receipt:
    """Return a receipt without texts, ids or names of rejected files; the counts stay."""
    files = tuple(replace(file, file=Path(file.file).name, rejected=()) for file in receipt.files)
    repairs = tuple(replace(item, ids=()) for item in receipt.repairs)
    return replace(receipt, source=Path(receipt.source).name, files=files, conflicts=(), repairs=repairs, notes=())


def _unquoted_verdict(verdict: Verdict) -> Verdict:
    """Return a verdict whose reasons, and the sentence that repeats one of them, quote nothing."""
    is_quoting = [QUOTING.search(reason.name) is not None for reason in verdict.reasons]
    pairs = zip(verdict.reasons, is_quoting, strict=True)
    reasons = tuple(replace(reason, text=f"{reason.name}{ELSEWHERE}") if quotes else reason for reason, quotes in pairs)
    return replace(verdict, reasons=reasons, summary="" if any(is_quoting) else verdict.summary)


def _unquoted(finding: Finding) -> Finding:
    if QUOTING.search(finding.check):
        return replace(finding, summary=f"{finding.check}{ELSEWHERE}", examples=(), fix="")
    return replace(finding, examples=())
