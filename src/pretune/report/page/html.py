"""``report.html``: one file, no script, no network, and every text in it escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pretune.records import JudgedExport, RunRecord
from pretune.report import threshold as tradeoff
from pretune.report.asked_of_tuning import answer_questions
from pretune.report.choices import describe_budget, make_range_plot, say_optimism
from pretune.report.conversation import describe_chat
from pretune.report.corpus import describe_corpus
from pretune.report.exports import export_rows
from pretune.report.language import language_rows
from pretune.report.page import charts
from pretune.report.page.sections import build_sections
from pretune.report.proof import proof_rows
from pretune.report.receipts import describe_needed, describe_sample
from pretune.report.terminal.weak_spots import say_slices
from pretune.report.words import (
    FIRST_KNOWN,
    MARK_WORDS,
    MARKS,
    OUTCOMES,
    SEVERITY_MARKS,
    chance,
    describe_changes,
    describe_epoch,
    duration,
    number,
    one_line,
    percent,
    span,
)
from pretune.wording.counts import counted

MAX_TEXT = 2_000  # characters of any one text; a 10 MB cell belongs in the table, not in the report


def render_html(record: RunRecord, events: Sequence[Mapping[str, Any]] = (), exports: Sequence[JudgedExport] = ()) -> str:
    """Return the report of a run as one HTML document.

    Args:
        record: The run.
        events: The lines of ``trace.jsonl``, decoded.
        exports: Forms that its model was exported in.
    """
    template, sections = make_environment().get_template("report.html.jinja"), build_sections(record, events)
    return template.render(record=record, sections=sections, charts=charts, tradeoff=tradeoff, exports=export_rows(exports))


def render_chat(record: RunRecord, events: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the report of a run on conversations as one HTML document; arguments as for ``render_html``."""
    sections = build_sections(replace(record, scores=(), comparisons=()), events)
    template = make_environment().get_template("chat.html.jinja")
    asked = answer_questions(record)
    return template.render(record=record, sections=sections, charts=charts, chat=describe_chat(record), chat_questions=asked)


def make_environment() -> Environment:
    """Return an environment in which every value is escaped, made one line and cut, unless a template made it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
    )
    environment.filters.update(
        describe_needed=describe_needed,
        describe_sample=describe_sample,
        number=number,
        chance=chance,
        counted=counted,
        percent=percent,
        duration=duration,
        capitalize_first=_capitalize_first,
    )
    environment.globals["first_known"] = FIRST_KNOWN
    environment.globals.update(
        span=span, OUTCOMES=OUTCOMES, MARKS=MARKS, MARK_WORDS=MARK_WORDS, SEVERITY_MARKS=SEVERITY_MARKS, short=_shorten
    )
    environment.globals.update(
        say_slices=say_slices,
        describe_budget=describe_budget,
        make_range_plot=make_range_plot,
        say_optimism=say_optimism,
        describe_changes=describe_changes,
        describe_epoch=describe_epoch,
        describe_corpus=describe_corpus,
        proof_rows=proof_rows,
        language_rows=language_rows,
    )
    return environment


def _fit(value: Any) -> Any:
    return one_line(value, MAX_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _shorten(text: str, limit: int = 80) -> str:
    return one_line(text, limit)


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]
