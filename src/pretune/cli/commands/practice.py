"""Commands to learn with: questions about a run, and the words that they are about. Heavy imports wait until they run."""

from typing import TYPE_CHECKING

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags

if TYPE_CHECKING:
    from pretune.records import RunRecord


@takes_flags
def learn(lesson: a.Lesson = None, *, flags: Flags) -> int:
    """Take a course made from real runs on this machine: pre-training, fine-tuning, overfitting, evaluation, domains, chat.

    Progress is kept after every step and answer: Ctrl-C loses at most the work under way, and the same command continues.
    With --json it tells what lessons there are, or what one has found so far, and teaches nothing.
    """
    from pretune.cli.learning import learn_lesson, show_lessons, tell_lessons
    from pretune.tasks.learn import find_lesson

    chosen = None if lesson is None else find_lesson(lesson)
    if flags["json"]:
        return tell_lessons(chosen)
    if flags["list_"]:
        return show_lessons()
    return learn_lesson(chosen, is_again=flags["again"])


@takes_flags
def practice(run: a.Run, flags: Flags) -> int:
    """Ask questions about a run: what its terms mean, what its figures say, what to do next.

    Every answer is computed from the record of the run; no row is opened. h shows a hint, s skips, q or Ctrl-C stops: each
    answer is kept at once. Without a terminal, answers are read line by line from standard input.
    """
    from pretune.tasks.places import require_run

    _, record = require_run(run, languages=True, chats=True)
    from pretune.report.practice import draw_questions
    from pretune.report.practice.results import next_seed, read_answers, results_file

    seed = next_seed(read_answers(record)) if flags["seed"] is None else flags["seed"]
    levels, topics = (_names(flags[name]) for name in ("level", "topic"))
    questions = draw_questions(record, number=flags["number"], seed=seed, levels=levels, topics=topics)
    if flags["json"]:
        from pretune.cli.show import show_json

        listed = [question.to_json() for question in questions]
        show_json({"schema": 1, "run": record.run, "seed": seed, "questions": listed, "results": str(results_file())})
        return 0
    from pretune.cli.practising import practise

    practise(record, questions, seed=seed)
    return 0


@takes_flags
def explain(term: a.Term = None, run: a.Told = None, *, flags: Flags) -> int:
    """Explain a term: one sentence, the formula, and where it stands in a run. Lists all terms if none is named."""
    from pretune.cli.show import show, show_json
    from pretune.report.standing import stands_at
    from pretune.report.terminal.practice import draw_glossary, draw_term
    from pretune.wording.glossary import find_term, load_terms

    if term is None:
        terms = tuple(load_terms().values())
        if flags["json"]:
            show_json({"schema": 1, "terms": [{"term": item.name, "topic": item.topic, "means": item.means} for item in terms]})
        else:
            show(draw_glossary(terms))
        return 0
    term, run = _parted(term, run)
    found = find_term(term)
    record = _record_of(run)
    held = None if record is None else record.to_json()
    judged = "finetuned" if record is None else record.judged_source
    if flags["json"]:
        stands = None if held is None else stands_at(held, found, judged=judged)
        value = {name: getattr(found, name) for name in ("topic", "means", "formula", "source")}
        place = {} if stands is None else {"place": stands[0], "value": stands[1]}
        show_json({"schema": 1, "term": found.name, **value, "places": list(found.places), "run": run, **place})
    else:
        show(draw_term(found, held, run=run or "", judged=judged))
    return 0


def _record_of(run: str | None) -> "RunRecord | None":
    from pretune.tasks.places import require_run

    return None if run is None else require_run(run, languages=True, chats=True)[1]


def _parted(term: str, run: str | None) -> tuple[str, str | None]:
    """Return term and run; a term of two words may come without quotes."""
    from pathlib import Path

    from pretune.wording.glossary import load_terms

    if run is not None and not Path(run).exists() and f"{term} {run}".lower() in load_terms():
        return f"{term} {run}", None
    return term, run


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
