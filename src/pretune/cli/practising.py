"""Practising in the terminal: a question, a reply, the worked solution; every answer is kept at once."""

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pretune.cli.show import show
from pretune.errors import UsageError
from pretune.records import RunRecord
from pretune.report.practice.question import Question, Reply, judge_reply
from pretune.report.practice.results import by_topic, keep_answer, read_answers
from pretune.report.terminal.practice import draw_question, draw_results, draw_solution, draw_term
from pretune.wording.glossary import find_term

HINT, SKIP, QUIT = "h", "s", "q"


def practise(record: RunRecord, questions: Sequence[Question], *, seed: int) -> list[bool]:
    """Ask until all is answered, input ends, or Ctrl-C; return which answers were right."""
    given: list[bool] = []
    try:
        for is_right in _ask_all(record, questions, seed):
            given.append(is_right)
    except KeyboardInterrupt:
        print()  # noqa: T201
    show(draw_results(given, by_topic(read_answers(record)), seed=seed))
    return given


def _ask_all(record: RunRecord, questions: Sequence[Question], seed: int) -> Iterator[bool]:
    for place, question in enumerate(questions, start=1):
        show(draw_question(question, place, len(questions)))
        asked = ask_question(question)
        if asked.is_over:
            return
        if asked.reply is not None:
            keep_answer(record, question, asked.reply, seed=seed, is_hinted=asked.is_hinted)
            yield asked.reply.is_right
        show(draw_solution(question, asked.reply))


class Asked(NamedTuple):
    """What came of one question; no reply means that it was skipped."""

    reply: Reply | None = None
    is_hinted: bool = False
    is_over: bool = False


def ask_question(question: Question) -> Asked:
    """Ask until there is a reply, or none is wanted."""
    is_hinted = False
    while True:
        line = read_line(f"{question.reply_with} (h hint, s skip, q quit) > ")
        typed = QUIT if line is None else line.strip().lower()
        if typed in (QUIT, SKIP):
            return Asked(is_over=typed == QUIT)
        if typed == HINT:
            is_hinted = True
            print(question.hint)  # noqa: T201
            continue
        reply = judge_reply(question, typed)
        if reply is not None:
            return Asked(reply, is_hinted)
        if not explain_typed(typed):
            print(f"Expected: {question.reply_with}, h, s, q, or a term to explain it.")  # noqa: T201


def explain_typed(typed: str) -> bool:
    """Explain the term of the glossary that was typed; whether it was one."""
    try:
        term = find_term(typed)
    except UsageError:
        return False
    show(draw_term(term))
    return True


def read_line(prompt: str) -> str | None:
    """Read one line; ``None`` where input ends."""
    is_typed = sys.stdin.isatty()
    print(prompt, end="" if is_typed else "\n", flush=True)  # noqa: T201
    line = sys.stdin.readline()
    if not line:
        print()  # noqa: T201
        return None
    return line.rstrip("\r\n")
