"""Questions, solutions and results of practice, and the glossary, drawn for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.report.practice.question import LETTERS, Question, Reply
from pretune.report.practice.quiz import answer_of
from pretune.report.standing import say_value, stands_at
from pretune.report.terminal.drawing import bar, columns, heading, indent, pairs, plain
from pretune.wording.glossary import TOPICS, Term

BAR_WIDTH = 20
LEVEL_STYLES = {"easy": "green", "medium": "yellow", "hard": "red"}


def draw_question(question: Question, place: int, total: int) -> Group:
    """Draw what is asked, and the options where there are some."""
    title = Text(f"{place} of {total}   ", "bold").append(TOPICS[question.topic], "bold cyan").append(" · ")
    title.append(question.level, LEVEL_STYLES[question.level])
    options: list[RenderableType] = [
        _option(letter, option.text) for letter, option in zip(LETTERS, question.options, strict=False)
    ]
    return Group(title, Text(question.text), *([Text()] if options else []), *options)


def _option(letter: str, text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=4)
    grid.add_column(overflow="fold")
    grid.add_row(Text(f"  {letter})", "bold"), Text(text))
    return grid


def draw_solution(question: Question, reply: Reply | None) -> Group:
    """Draw whether a reply is right, what is wrong with it, and the worked solution; ``None`` shows the solution alone."""
    parts: list[RenderableType] = []
    if reply is not None and reply.is_right:
        parts.append(Text("✓ right", "bold green"))
    elif reply is not None:
        parts.append(Text("✗ not right", "bold red").append(f"   {reply.says}" if reply.says else "", "not bold"))
    if reply is None or not reply.is_right:
        parts.append(Text("The answer: ").append(answer_of(question), "bold"))
    parts += [indent(Text(step)) for step in question.steps]
    parts.append(indent(Text(f"Check: {question.check}", "dim")))
    if question.terms:
        parts.append(indent(Text(f"Terms: {', '.join(question.terms)} (pretune explain TERM)", "dim")))
    return Group(*parts)


def draw_results(now: Sequence[bool], topics: Mapping[str, tuple[int, int]], *, seed: int) -> Group:
    """Draw how many answers were right, now and over all answers about this run."""
    said = f"{sum(now)} of {len(now)} right" if now else "nothing was answered"
    table = columns("topic", "right so far", "", right=("right so far",))
    for topic, (right, total) in sorted(topics.items(), key=lambda item: item[1][0] / item[1][1]):
        table.add_row(plain(TOPICS.get(topic, topic)), f"{right} of {total}", bar(right / total, BAR_WIDTH))
    return Group(heading(said, f"seed {seed}; without --seed the next questions are others"), *([table] if topics else []))


def draw_glossary(terms: Sequence[Term]) -> Group:
    """Draw all terms by topic."""
    listed = {title: [term.name for term in terms if term.topic == topic] for topic, title in TOPICS.items()}
    rows: list[tuple[str | Text, RenderableType]] = [(title, ", ".join(names)) for title, names in listed.items() if names]
    return Group(heading("Glossary", f"{len(terms)} terms; pretune explain TERM [RUN]"), pairs(rows))


def draw_terms(terms: Sequence[Term]) -> Group:
    """Draw the terms of an output, each with its sentence."""
    return Group(heading("Terms", "pretune explain TERM [RUN] says more"), pairs([(term.name, term.means) for term in terms]))


def draw_term(term: Term, record: Mapping[str, Any] | None = None, *, run: str = "", judged: str = "finetuned") -> Group:
    """Draw one term: its sentence, formula, source, and where it stands in a run."""
    found = None if record is None else stands_at(record, term, judged=judged)
    rows: list[tuple[str | Text, RenderableType]] = [("means", term.means)]
    rows += [(name, value) for name, value in (("formula", term.formula), ("source", term.source)) if value]
    if found is not None:
        rows.append((f"in {run}", f"{say_value(found[1])}   ({found[0]} in run.json)"))
    elif record is not None:
        rows.append((f"in {run}", "no figure of this run is about it"))
    elif term.places:
        rows.append(("in a run", f"{term.places[0].replace('$judged', judged)} in run.json"))
    if term.apart:
        rows.append(("not", f"{', '.join(term.apart)}: these are other things"))
    if term.avoided:
        rows.append(("also called", term.avoided))
    return Group(heading(term.name, TOPICS[term.topic]), pairs(rows))
