"""Output of `pretune predict`: answers as they arrive, or one line about a file of them. Heavy imports wait until it runs."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from json import dumps
from typing import TYPE_CHECKING

from pretune.cli.running import open_terminal, open_trace
from pretune.cli.show import show_json
from pretune.cli.streams import refusal_of
from pretune.errors import UsageError
from pretune.report.words import duration, one_line

if TYPE_CHECKING:
    from pretune.configs import ReadConfig
    from pretune.tasks.classify.predict import Answer, Answered, Answering

SHOWN_TEXT = 80
MOST_CLASSES = 6  # of an answer on one line; of more, the likeliest are shown
SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to do with a file.

    Args:
        file: The table.
        keep: Columns that go with the answers.
        output: The file that is written, or ``None`` for standard output.
        overwrite: Whether it may be replaced.
    """

    file: str
    keep: tuple[str, ...]
    output: str | None
    overwrite: bool


def predict_texts(run: str, texts: list[str] | None, unused: list[str], *, json: bool) -> int:
    """Answer arguments, or the lines of standard input as they come; return the exit code.

    Raises:
        UsageError: There is no text, or a flag of ``--file`` was given without it.
    """
    from pretune.tasks.classify.predict import answer_lines, open_answering, read_lines

    if unused:
        raise UsageError(f"{unused[0]} without --file", expected="both, or neither", fix="add --file FILE")
    lines = iter(texts) if texts else read_lines(sys.stdin)
    held: list[str] = []  # blank so far: where nothing else comes, there was no text
    for line in lines:
        held.append(line)
        if line.strip():
            break
    else:
        raise UsageError("no text: every line is empty", expected="at least one text", fix='`pretune predict RUN "a text"`')

    def all_lines() -> Iterator[str]:
        yield from held
        yield from lines

    answering = open_answering(run)
    for answers in answer_lines(answering, all_lines()):
        if not _show(answers, answering, (), json=json):
            break
    return 0


def predict_file(run: str, request: Request, config: "ReadConfig", *, json: bool, quiet: bool) -> int:
    """Answer every row of a table; return the exit code.

    Raises:
        UsageError: Flags do not fit each other.
    """
    from pretune.tasks.classify.predict import (
        Answered,
        answer_file,
        check_output,
        open_answering,
        open_questions,
        warn_of_tests,
        write_answers,
    )

    if request.output is not None:
        check_output(request.output)
    elif request.overwrite:
        raise UsageError("--overwrite without --output", expected="--output FILE, the file to replace")
    elif request.keep and not json:
        raise UsageError(
            "--keep without --output or --json", expected="an output that has columns", fix="add --output FILE.csv"
        )
    answering = open_answering(run)
    # Progress on the screen that shows the answers would stand between them.
    is_mixed = request.output is None and sys.stdout.isatty()
    with open_terminal(False, quiet or is_mixed) as terminal:
        trace = open_trace(terminal)
        questions = open_questions(answering, request.file, config, request.keep)
        for note in (*questions.notes, *warn_of_tests(questions)):
            trace.note(note)
        if request.output is not None:
            tally = write_answers(answering, questions, request.output, trace, overwrite=request.overwrite)
        else:
            tally, kept = Answered(), tuple(name for name, _ in questions.kept)
            for answers in answer_file(answering, questions, tally, trace):
                if not _show(answers, answering, kept, json=json):
                    return 0
            if tally.num_empty:
                trace.note(_summarize(tally))
    if request.output is not None and json:
        show_json({"schema": 1, "run": run, "output": request.output, **tally.to_json()})
    elif request.output is not None:
        print(f"wrote {one_line(request.output)}: {_summarize(tally)}")  # noqa: T201
    return 0


def _show(answers: list["Answer"], answering: "Answering", kept: tuple[str, ...], *, json: bool) -> bool:
    """Write answers to standard output; return whether it takes more of them."""
    from pretune.tasks.classify.predict import describe

    for answer in answers:
        line = dumps(describe(answer, answering.classes, kept)) if json else _draw(answer, answering)
        sys.stdout.write(f"{line}\n")
    return refusal_of(sys.stdout) is None


def _draw(answer: "Answer", answering: "Answering") -> str:
    named = list(zip(answering.classes, answer.shares, strict=False))
    rest = len(named) - MOST_CLASSES
    if rest > 0:  # a line is read by a person; --json and --output have all of them
        named = sorted(named, key=lambda item: -item[1])[:MOST_CLASSES]
    shares = "  ".join(f"{one_line(name)} {share:.3f}" for name, share in named)
    shares += f"  … {rest} more" if rest > 0 else ""
    text = one_line(answer.text, SHOWN_TEXT) if not answer.reason else f"({one_line(answer.reason)})"
    return f"{one_line(answer.predicted or '')}\t{shares}\t{text}"


def _summarize(tally: "Answered") -> str:
    """Say in one line what became of the rows."""
    resumed = f", {tally.resumed_at:,} of them before this command" if tally.resumed_at else ""
    common = ", ".join(f"{one_line(reason, 60)}: {count:,}" for reason, count in tally.reasons.most_common(SHOWN_REASONS))
    more = f" and {len(tally.reasons) - SHOWN_REASONS} more reasons" if len(tally.reasons) > SHOWN_REASONS else ""
    empty = f"; {tally.num_empty:,} without an answer ({common}{more})" if tally.num_empty else ""
    classes = ", ".join(f"{one_line(name, 40)} {count:,}" for name, count in tally.classes.most_common(5))
    seconds = f" in {duration(tally.seconds)}"
    return f"{tally.num_rows:,} rows{resumed}{seconds}: {classes}{empty}"
