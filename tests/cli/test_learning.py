"""The course at the command line: what is listed, where it continues, and how it ends."""

import pytest
from running import call, read_strictly
from typed_lines import Typed

from pretune.report.practice.question import EASY
from pretune.report.practice.template import Drawn, template
from pretune.tasks.learn import LESSONS
from pretune.tasks.learn.lesson import Found, Lesson, Step
from pretune.tasks.learn.progress import course_folder, read_progress


@template(
    "evaluation.sum",
    EASY,
    ask="{a} + {b}?",
    hint="Count.",
    steps=["{a} + {b} = {right}"],
    check="Yes.",
    terms=["recall"],
    no="No.",
)
def total(facts):
    """A sum."""
    return Drawn(facts.at("a") + facts.at("b"), {"no": facts.at("a")}, {"a": facts.at("a"), "b": facts.at("b")})


@pytest.fixture
def small(monkeypatch):
    """A course of one lesson that needs no download."""
    steps = (Step(name="sum", say="Think of `two` numbers.", do="work", ask=("evaluation.sum",)), Step(name="end", say="Over."))

    def work(_lab):
        return Found(facts={"a": 2, "b": 3})

    lesson = Lesson(
        name="small", title="A sum", minutes=1, needs=(), steps=steps, work={"work": work}, questions={"evaluation.sum": total}
    )
    for place in ("pretune.tasks.learn.course.LESSONS", "pretune.cli.learning.LESSONS"):
        monkeypatch.setattr(place, (lesson,))
    return lesson


def learn(monkeypatch, *lines, flags=(), **how):
    monkeypatch.setattr("sys.stdin", Typed(*lines, **how))
    return call("learn", *flags)


def test_all_lessons_are_listed_and_told_as_json(capsys):
    assert call("learn", "--list") == 0
    out = capsys.readouterr().out
    assert all(lesson.name in out for lesson in LESSONS)
    assert call("learn", "--json") == 0
    told = read_strictly(capsys.readouterr().out)
    assert [item["lesson"] for item in told["lessons"]] == [lesson.name for lesson in LESSONS]
    assert call("learn", "overfitting", "--json") == 0
    assert read_strictly(capsys.readouterr().out)["progress"]["done"] == []


def test_a_lesson_waits_for_enter_at_a_terminal(small, monkeypatch, capsys):
    assert learn(monkeypatch, "\n", "5\n", "\n") == 0
    out = capsys.readouterr().out
    assert "1 of 1 answers right" in out
    assert "The course is over" in out
    assert out.count("Enter continues") == 2
    assert read_progress("small").is_over(small)


@pytest.mark.usefixtures("small")
def test_a_term_that_is_typed_is_explained_and_the_prompt_comes_again(monkeypatch, capsys):
    assert learn(monkeypatch, "recall\n", "\n", "precision\n", "5\n", "nonsense\n") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Of the rows that belong to a class" in out
    assert "Of the rows that the model assigned to a class" in out
    assert out.count("Enter continues") == 3
    assert read_progress("small").num_right() == 1


@pytest.mark.usefixtures("small")
def test_a_step_counts_as_done_when_the_learner_stops_after_it(monkeypatch):
    assert learn(monkeypatch, "\n", "5\n", "q\n") == 0
    assert read_progress("small").done == ("sum",)


def test_answers_come_line_by_line_from_a_pipe_which_waits_for_nothing(small, monkeypatch, capsys):
    assert learn(monkeypatch, "5\n", is_terminal=False) == 0
    assert "The course is over" in capsys.readouterr().out
    assert read_progress("small").is_over(small)


@pytest.mark.parametrize("end", [KeyboardInterrupt, "", "q\n"], ids=["Ctrl-C", "end of input", "quit"])
def test_it_continues_where_it_was_left_however_it_ended(end, small, monkeypatch, capsys):
    assert learn(monkeypatch, end, is_terminal=False) == 0
    assert "`pretune learn small` continues here".replace("`", "") in " ".join(capsys.readouterr().out.split())
    assert read_progress("small").facts == {"a": 2, "b": 3}
    assert learn(monkeypatch, "4\n", is_terminal=False) == 0
    assert "0 of 1 answers right" in capsys.readouterr().out
    assert read_progress("small").is_over(small)


@pytest.mark.usefixtures("small")
def test_a_finished_lesson_says_so_and_begins_again_when_asked(monkeypatch, capsys):
    learn(monkeypatch, "5\n", is_terminal=False)
    assert learn(monkeypatch, flags=["small"]) == 0
    assert "--again begins it again" in " ".join(capsys.readouterr().out.split())
    assert learn(monkeypatch, "", flags=["small", "--again"], is_terminal=False) == 0
    assert read_progress("small").done == ()


@pytest.mark.usefixtures("small")
def test_the_page_shows_what_was_found_and_needs_nothing_from_elsewhere(monkeypatch):
    learn(monkeypatch, "5\n", is_terminal=False)
    page = (course_folder() / "course.html").read_text(encoding="utf-8")
    assert "A sum" in page
    assert "<code>two</code>" in page
    assert "2 + 3 = 5" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
