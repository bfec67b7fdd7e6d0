"""``report.html``: one file, no network, every text in it escaped, and no script but ours."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pretune.records import JudgedExport, ProbabilityView, RunRecord
from pretune.report.asked_of_tuning import answer_questions
from pretune.report.choices import describe_budget, make_range_plot, say_optimism
from pretune.report.conversation import describe_chat
from pretune.report.corpus import describe_corpus
from pretune.report.exports import export_rows
from pretune.report.language import language_rows
from pretune.report.next_step import say_next
from pretune.report.page import bars
from pretune.report.page.first_screen import make_first_screen, say_metric
from pretune.report.page.parts import Part, evidence_links, list_chat_parts, list_parts
from pretune.report.page.sections import Sections, build_sections
from pretune.report.page.terms import Terms
from pretune.report.practice import LEVELS, TEMPLATES, render_quiz
from pretune.report.practice.draw import put_all
from pretune.report.proof import proof_rows
from pretune.report.receipts import describe_needed, describe_sample
from pretune.report.rows import list_rows, short_row
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
from pretune.wording.tokens import legend_of, show_example, show_pieces

_BREAKS = re.compile(r"([_/\\-]|\.(?=[A-Za-z])|[^\W_]{20})(?=\w)")  # where a name may break
MAX_TEXT = 2_000  # characters of any one text; a 10 MB cell belongs in the table, not in the report


def render_html(
    record: RunRecord,
    events: Sequence[Mapping[str, Any]] = (),
    exports: Sequence[JudgedExport] = (),
    view: ProbabilityView | None = None,
) -> str:
    """Return the report of a run as one HTML document.

    Args:
        record: The run.
        events: The lines of ``trace.jsonl``, decoded.
        exports: Forms that its model was exported in.
        view: What the judged model's predictions on validation show.
    """
    sections = build_sections(record, events, view)
    parts = list_parts(record, sections, len(exports))
    return render_page("report.html.jinja", record, sections, parts, exports=export_rows(exports))


def render_chat(record: RunRecord, events: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the report of a run on conversations as one HTML document; arguments as for ``render_html``."""
    sections = build_sections(replace(record, scores=(), comparisons=()), events)
    asked, chat = answer_questions(record), describe_chat(record)
    parts = list_chat_parts(record, sections, chat, len(asked))
    return render_page("chat.html.jinja", record, sections, parts, chat=chat, chat_questions=asked)


def render_page(template: str, record: RunRecord, sections: Sections, parts: Sequence[Part], **more: Any) -> str:
    """Return a page whose style and script are in it, and allowed by their digests alone.

    Args:
        template: Its name.
        record: The run.
        sections: What it shows.
        parts: In which order.
        more: What else the template needs.
    """
    style, questions = read_part("report.css"), put_all(record, TEMPLATES, seed=0)
    asked = sorted(questions, key=lambda question: LEVELS.index(question.level))
    if asked:
        parts = (*parts, Part("practice", "Practice", f"{counted(len(asked), 'question')} about this run, with solutions"))
    parts = (*parts, Part("glossary", "Glossary", "the words of this page, and what they are in this run"))
    first = make_first_screen(record, evidence_links(record, sections, parts))
    script = "\n".join(map(read_part, ("report.js", "quiz.js") if asked else ("report.js",)))
    return (
        make_environment()
        .get_template(template)
        .render(
            record=record,
            sections=sections,
            parts=parts,
            first=first,
            linked={item.link for item in first.deciders} | {item.link for item in first.reasons},
            next_step=say_next(record),
            style=Markup(style),  # files of ours, without a value from elsewhere
            script=Markup(script),
            terms=Terms(record.to_json(), record.judged_source),
            quiz=Markup(render_quiz(asked)),  # escapes every text
            policy=policy_of(style, script),
            **more,
        )
    )


def read_part(name: str) -> str:
    """Return a file that lies beside the templates."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8").strip()


def policy_of(style: str, script: str = "") -> str:
    """Return a content policy that allows nothing but this style and this script, by their digests."""
    scripts = f"script-src {digest_in_policy(script)}; require-trusted-types-for 'script'; " if script else ""
    return f"default-src 'none'; style-src {digest_in_policy(style)}; {scripts}base-uri 'none'; form-action 'none'"


def digest_in_policy(text: str) -> str:
    """Name a text as a content policy does."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


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
        breakable=_breakable,
        commands=mark_commands,
        pieces=show_pieces,
    )
    environment.globals.update(first_known=FIRST_KNOWN, bars=bars, list_rows=list_rows, short_row=short_row)
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
        say_metric=say_metric,
        describe_corpus=describe_corpus,
        proof_rows=proof_rows,
        language_rows=language_rows,
        show_example=show_example,
        legend_of=legend_of,
    )
    return environment


def _fit(value: Any) -> Any:
    return one_line(value, MAX_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _shorten(text: str, limit: int = 80) -> str:
    return one_line(text, limit)


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _breakable(text: str) -> Markup:
    """Let a name break after an underline, a stop or a slash, and inside a word only where it is longer than words are."""
    return Markup(_BREAKS.sub(r"\1<wbr>", str(escape(one_line(text, MAX_TEXT)))))


def mark_commands(text: str) -> Markup:
    """Set what stands between backticks as code."""
    parts = one_line(text, MAX_TEXT).split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts))
