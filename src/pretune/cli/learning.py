"""The course in the terminal: lessons are shown paragraph by paragraph, and answers are read line by line."""

import contextlib
import sys
from dataclasses import asdict

from pretune.cli.practising import QUIT, ask_question, explain_typed, read_line
from pretune.cli.running import open_terminal, open_trace
from pretune.cli.show import show, show_json
from pretune.report.practice.question import Question, Reply
from pretune.report.terminal.learning import draw_lessons, draw_table, draw_text, draw_title
from pretune.report.terminal.practice import draw_question, draw_solution
from pretune.report.words import one_line
from pretune.tasks.learn import LESSONS, next_lesson
from pretune.tasks.learn.lesson import Left, Lesson, Table
from pretune.tasks.learn.page import write_page
from pretune.tasks.learn.play import play
from pretune.tasks.learn.progress import course_folder, forget, read_progress

ENTER = "Enter continues, q stops > "


class Terminal:
    """Speaks with the learner at the terminal; without one, answers are read line by line, and nothing waits for Enter."""

    def __init__(self) -> None:
        self._waits = sys.stdin.isatty()
        self._is_fresh = False

    def say(self, text: str) -> None:
        """Show paragraphs."""
        show(draw_text(text))
        self._is_fresh = True

    def show(self, table: Table) -> None:
        """Show a table."""
        show(draw_table(table.title, table.columns, table.rows, table.note))
        self._is_fresh = True

    def ask(self, question: Question, place: int, total: int) -> Reply | None:
        """Ask a question, and show its solution."""
        show(draw_question(question, place, total))
        asked = ask_question(question)
        if asked.is_over:
            raise Left
        show(draw_solution(question, asked.reply))
        self._is_fresh = True
        return asked.reply

    def read(self, prompt: str) -> str:
        """Read one line."""
        line = read_line(prompt)
        if line is None or line.strip().lower() == QUIT:
            raise Left
        return line.strip()

    def wait(self) -> None:
        """Wait for Enter where something was shown since the last time; a term that is typed is explained."""
        while self._waits and self._is_fresh and explain_typed(self.read(ENTER)):
            pass
        self._is_fresh = False


def learn_lesson(lesson: Lesson | None, *, is_again: bool) -> int:
    """Teach a lesson, by default the first that is not over, until its end or until the learner stops."""
    chosen = lesson or next_lesson()
    if chosen is None:
        show(draw_text("All lessons are done. `pretune learn LESSON --again` begins one again."))
        return show_lessons()
    if is_again:
        forget(chosen.name)
    elif read_progress(chosen.name).is_over(chosen):
        show(draw_text(f"This lesson is done. `pretune learn {chosen.name} --again` begins it again."))
    known = read_progress(chosen.name)
    show(draw_title(chosen.title, chosen.minutes, len(known.done), len(chosen.steps)))
    try:
        with contextlib.suppress(Left), open_terminal(json=False, quiet=False) as shown:
            play(chosen, Terminal(), open_trace(shown))
    except KeyboardInterrupt:
        print()  # noqa: T201 - behind the ^C that a terminal shows
    _say_goodbye(chosen)
    return 0


def _say_goodbye(lesson: Lesson) -> None:
    progress, page = read_progress(lesson.name), write_page(LESSONS)
    right = f"{progress.num_right()} of {len(progress.answers)} answers right. " if progress.answers else ""
    following = next_lesson()
    if not progress.is_over(lesson):
        said = f"`pretune learn {lesson.name}` continues here."
    elif following is not None:
        said = f"The lesson is over. Next: `pretune learn {following.name}` ({following.title})."
    else:
        said = "The course is over."
    show(draw_text(f"{right}{said}"))
    print(f"As a page: {one_line(str(page))}")  # noqa: T201 - in one piece, so that it can be clicked or copied


def show_lessons() -> int:
    """List the lessons."""
    rows = []
    for number, lesson in enumerate(LESSONS, start=1):
        known = read_progress(lesson.name)
        done = f"{len(known.done)} of {len(lesson.steps)} steps" if known.done else ""
        rows.append((str(number), lesson.name, lesson.title, str(lesson.minutes), "✓" if known.is_over(lesson) else done))
    show(draw_lessons(rows))
    return 0


def tell_lessons(lesson: Lesson | None) -> int:
    """Print the lessons as JSON, or all that one has: texts, what was found, answers."""
    if lesson is not None:
        shown = {"name": lesson.name, "title": lesson.title, "steps": [asdict(step) for step in lesson.steps]}
        show_json({"schema": 1, **shown, "progress": read_progress(lesson.name).to_json()})
        return 0
    listed = []
    for item in LESSONS:
        known = read_progress(item.name)
        about: dict[str, object] = {"lesson": item.name, "title": item.title, "minutes": item.minutes}
        about |= {"steps": len(item.steps), "done": len(known.done), "is_over": known.is_over(item)}
        listed.append(about | {"answers": len(known.answers), "right": known.num_right()})
    show_json({"schema": 1, "lessons": listed, "folder": str(course_folder())})
    return 0
