"""Playing a lesson: what is kept, where it continues, and how it ends."""

import pytest

from pretune import storage
from pretune.report.practice.question import EASY
from pretune.report.practice.template import Drawn, template
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Found, Left, Table
from pretune.tasks.learn.play import play
from pretune.tasks.learn.progress import forget, lesson_folder, read_progress

TABLE = Table(title="Sizes", columns=("", "size"), rows=(("a", "7"),))


@template(
    "evaluation.size",
    EASY,
    ask="How large is {size}?",
    hint="Look.",
    steps=["{size}"],
    check="Yes.",
    terms=["recall"],
    more="No.",
)
def size(facts):
    """The size itself."""
    return Drawn(facts.at("size"), {"more": facts.at("size") + 1}, {"size": facts.at("size")})


@pytest.fixture
def worked():
    """How often the work was done."""
    return []


@pytest.fixture
def lesson(lesson_of, worked):
    def work(lab):
        assert lab.folder.is_dir()
        worked.append(1)
        return Found(facts={"size": 7}, tables=(TABLE,))

    return lesson_of(work, size)


def test_a_lesson_is_told_from_start_to_end(lesson, pupil):
    teacher = pupil("7")
    progress = play(lesson, teacher, Trace())
    assert teacher.said == ["Before.", "It is 7.", "After 7."]
    assert teacher.tables == [TABLE]
    assert progress.is_over(lesson)
    assert [answer.is_right for answer in progress.answers] == [True]
    assert read_progress("small") == progress


@pytest.mark.parametrize("end", [Left, KeyboardInterrupt])
def test_work_that_is_done_is_not_done_again(end, lesson, pupil, worked):
    with pytest.raises(end):
        play(lesson, pupil(end), Trace())
    progress = read_progress("small")
    assert (progress.done, progress.facts) == ((), {"size": 7})
    teacher = pupil("8")
    assert play(lesson, teacher, Trace()).is_over(lesson)
    assert worked == [1]
    assert teacher.tables == [TABLE]


def test_an_answer_is_asked_for_once(lesson, pupil):
    play(lesson, pupil("8"), Trace())
    known = read_progress("small")
    assert [(answer.is_right, answer.mistake) for answer in known.answers] == [(False, "more")]
    again = pupil()
    play(lesson, again, Trace())
    assert (again.asked, again.said) == ([], [])


def test_a_lesson_that_is_forgotten_begins_again(lesson, pupil, worked):
    play(lesson, pupil("7"), Trace())
    forget("small")
    assert not lesson_folder("small").exists()
    play(lesson, pupil("7"), Trace())
    assert worked == [1, 1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lesson": 3}'])
def test_damaged_progress_begins_again(text, lesson, pupil):
    storage.make_folder(lesson_folder("small"))
    (lesson_folder("small") / "progress.json").write_text(text)
    assert read_progress("small").done == ()
    assert play(lesson, pupil("7"), Trace()).is_over(lesson)


def test_work_that_is_interrupted_leaves_the_step_open(lesson_of, pupil):
    def work(_lab):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(lesson_of(work, size), pupil(), Trace())
    assert read_progress("small").found == {}
