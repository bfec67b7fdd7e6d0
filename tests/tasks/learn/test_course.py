"""The course: every lesson is whole, and can be told from what its work finds."""

import re
from dataclasses import replace

import pytest

from pretune.errors import CatalogError, UsageError
from pretune.run.trace import Trace
from pretune.tasks.learn import LESSONS, find_lesson, next_lesson
from pretune.tasks.learn.lesson import Curve, Found, Table, fill, read_lesson
from pretune.tasks.learn.needs import require_needs
from pretune.tasks.learn.page import render_course
from pretune.tasks.learn.progress import Answer, Progress, keep_progress
from pretune.wording.glossary import load_terms


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda item: item.name)
def test_a_lesson_names_only_terms_that_can_be_explained(lesson):
    assert [term for step in lesson.steps for term in step.terms if term not in load_terms()] == []
    assert [term for item in lesson.questions.values() for term in item.terms if term not in load_terms()] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda item: item.name)
def test_every_question_and_all_work_has_its_step(lesson):
    assert {name for step in lesson.steps for name in step.ask} == set(lesson.questions)
    assert {step.do for step in lesson.steps if step.do} == set(lesson.work)


def test_names_of_steps_and_questions_are_unique():
    asked = [name for lesson in LESSONS for name in lesson.questions]
    assert len(asked) == len(set(asked))
    assert all(len({step.name for step in lesson.steps}) == len(lesson.steps) for lesson in LESSONS)


def test_a_lesson_is_found_by_name_and_number():
    assert find_lesson("Overfitting ") is find_lesson("3") is LESSONS[2]


@pytest.mark.parametrize("name", ["", "0", "99", "nosuch"])
def test_an_unknown_lesson_is_refused_with_those_there_are(name):
    with pytest.raises(UsageError, match="overfitting"):
        find_lesson(name)


def test_the_course_continues_with_the_first_lesson_that_is_open():
    assert next_lesson() is LESSONS[0]
    for lesson in LESSONS:
        keep_progress(Progress(lesson=lesson.name, done=tuple(step.name for step in lesson.steps)))
    assert next_lesson() is None


def test_a_step_that_names_what_is_not_there_is_seen():
    with pytest.raises(UsageError, match="count_rows"):
        read_lesson("overfitting")


def test_a_machine_without_network_gets_one_message_with_all_that_is_missing(monkeypatch):
    def refuse(entry):
        raise CatalogError(f"{entry.name} could not be downloaded: no connection")

    monkeypatch.setattr("pretune.data.catalogue.fetch.fetch", refuse)
    with pytest.raises(CatalogError) as caught:
        require_needs(find_lesson("overfitting"), Trace())
    assert "minilm and movie-reviews" in caught.value.got
    assert "pretune models minilm" in caught.value.fix


def test_a_page_of_a_course_that_is_not_begun_gives_no_answer_away():
    page = render_course(LESSONS, [Progress(lesson=lesson.name) for lesson in LESSONS])
    assert all(lesson.title in page for lesson in LESSONS)
    assert not re.search(r"<(article|table|script)", page)


def test_a_page_has_the_tables_and_the_curve_of_a_step_and_every_header_has_a_name():
    lesson = find_lesson("overfitting")
    curves = (
        Curve(title="long", training=(0.8, 0.9), validation=(0.7, 0.8)),
        Curve(title="one", training=(0.8,), validation=(0.7,)),
    )
    found = Found(
        facts={"num_train": 5, "num_validation": 3},
        tables=(Table(title="T<", columns=("", "a"), rows=(("x", "<1>"),)),),
        curves=curves,
    )
    page = render_course([lesson], [Progress(lesson=lesson.name, done=("question",), found={"question": found})])
    assert "T&lt;" in page
    assert "&lt;1&gt;" in page
    assert page.count("<figure") == 1
    assert '<th scope="col"></th>' not in page
    assert 'href="#term-overfitting"' in page
    assert 'id="term-overfitting"' in page


def test_a_sentence_that_a_text_names_is_told_to_its_end():
    reasons = "the model sees each sentence less often; " * 20
    assert fill("It took two tries. {reasons} Next.", {"reasons": reasons}).endswith("less often; Next.")


def test_the_questions_of_each_step_are_a_landmark_of_their_own():
    lesson = find_lesson("overfitting")
    facts = {"num_train": 5, "num_validation": 3, "over_epochs": "it fell.", "over_training": 1.0, "over_validation": 0.9}
    steps = [replace(step, ask=("diagnosis.learn_gap",), then="", say="") for step in lesson.steps[:2]]
    answer = Answer(question="diagnosis.learn_gap", given="1", is_right=False)
    known = Progress(lesson=lesson.name, found={step.name: Found(facts=facts) for step in steps}, answers=(answer,))
    page = render_course([replace(lesson, steps=tuple(steps))], [known])
    labels = re.findall(r'<section class="quiz" aria-label="([^"]+)"', page)
    assert len(set(labels)) == len(labels) == 2
