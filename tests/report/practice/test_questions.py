"""Questions over many runs: is exactly one answer right, do figures agree with the record, does the arithmetic add up?"""

import ast
import json
import operator
import random
import re

import pytest
from practised import classified, conversed, pretrained

from pretune.errors import UsageError
from pretune.records import RunRecord
from pretune.report.practice import LEVELS, TEMPLATES, draw_questions, judge_reply, list_topics, render_quiz
from pretune.report.practice.draw import put_all
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import parse_number
from pretune.report.standing import read_at
from pretune.wording.glossary import TOPICS, load_terms

MAKERS = {
    "two classes": classified,
    "three classes": lambda seed: classified(seed, 3),
    "five classes": lambda seed: classified(seed, 5),
    "pre-training": pretrained,
    "chat": conversed,
}
FEW, MANY = (6, 11), range(20, 32)  # runs of each kind: ten; and sixty more in the slow tier
SEEDS = (0, 1)
BY_NAME = {item.name: item for item in TEMPLATES}


def ask_all(records):
    """Return every question of every run: pairs of record and question."""
    return [(record, question) for record in records for seed in SEEDS for question in put_all(record, TEMPLATES, seed)]


@pytest.fixture(scope="module")
def runs():
    return [make(seed) for make in MAKERS.values() for seed in FEW]


@pytest.fixture(scope="module")
def asked(runs):
    return ask_all(runs)


def test_there_are_at_least_sixty_templates_on_every_stage_and_level():
    assert len(TEMPLATES) >= 60
    assert len(BY_NAME) == len(TEMPLATES)
    assert {item.topic for item in TEMPLATES} == set(TOPICS)
    assert {item.level for item in TEMPLATES} == set(LEVELS)


def test_every_template_asks_something_of_one_of_the_runs(asked):
    assert {question.template for _, question in asked} == set(BY_NAME)


def exactly_one_option_is_right_and_no_two_look_alike(asked):
    for _, question in asked:
        if question.options:
            assert [option.is_right for option in question.options].count(True) == 1, question
            assert len(question.options) == 4
            assert len({option.text for option in question.options}) == 4
            assert next(option.text for option in question.options if option.is_right) == question.answer


def wrong_answers_come_from_named_mistakes_and_say_why(asked):
    for _, question in asked:
        wrong = [option for option in (*question.options, *question.slips) if not option.is_right]
        named = BY_NAME[question.template].mistakes
        assert all(option.mistake and option.why for option in wrong), question
        assert all(option.mistake in named or option.mistake.startswith(("takes ", "repairs ")) for option in wrong)


def no_mistake_comes_so_near_to_a_number_that_a_reply_could_be_both(asked):
    for _, question in asked:
        values = [item.value for item in (*question.slips, *question.options) if item.value is not None]
        number = question.number
        if number is not None:
            assert all(abs(value - number) > 2 * question.tolerance for value in values), question


def what_a_question_rests_on_stands_in_the_record_as_it_is_written(asked):
    written = {}
    for record, question in asked:
        if id(record) not in written:
            written[id(record)] = json.loads(json.dumps(record.to_json()))
        assert question.places, question.template
        for path, value in question.places.items():
            assert read_at(written[id(record)], path) == json.loads(json.dumps(value)), (question.template, path)


def every_question_has_a_hint_steps_and_a_check_and_nothing_is_left_to_fill_in(asked):
    for _, question in asked:
        texts = [question.text, question.hint, *question.steps, question.check]
        assert all(texts), question
        assert not any(re.search(r"\{[a-z_]+\}", text.replace("a {odd} name", "")) for text in texts), question
        assert question.answer in " ".join((*question.steps, question.check)), question
        assert set(question.terms) <= set(load_terms()), question


def the_arithmetic_of_every_solution_adds_up(asked):
    checked = 0
    for _, question in asked:
        for left, right in sums_of(" ; ".join((*question.steps, question.check))):
            found = value_of(left)
            assert found is None or abs(found - right) <= 0.006 + 0.02 * abs(right), (question.template, left, right)
            checked += found is not None
    assert checked > len(asked) / 4


CLAIMS = (
    exactly_one_option_is_right_and_no_two_look_alike,
    wrong_answers_come_from_named_mistakes_and_say_why,
    no_mistake_comes_so_near_to_a_number_that_a_reply_could_be_both,
    what_a_question_rests_on_stands_in_the_record_as_it_is_written,
    every_question_has_a_hint_steps_and_a_check_and_nothing_is_left_to_fill_in,
    the_arithmetic_of_every_solution_adds_up,
)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_of_ten_runs_every_claim_holds(claim, asked):
    claim(asked)


@pytest.mark.slow  # sixty runs take 15 seconds to judge
@pytest.mark.parametrize("kind", MAKERS)
def test_of_sixty_more_runs_every_claim_holds(kind):
    questions = ask_all(MAKERS[kind](seed) for seed in MANY)
    for claim in CLAIMS:
        claim(questions)


# Questions whose answer the judges had computed too: where the record states it.
STATED = {
    "evaluation.accuracy": ("accuracy", None),
    "evaluation.recall": ("recall", "name"),
    "evaluation.precision": ("precision", "name"),
    "evaluation.f1": ("f1", "name"),
    "evaluation.balanced": ("balanced_accuracy", None),
}


@pytest.mark.parametrize("template", STATED)
def test_an_answer_is_what_the_report_says(template, asked):
    metric, _ = STATED[template]
    found = [(record, question) for record, question in asked if question.template == template]
    assert found
    for record, question in found:
        stated = {f"{s.value:.3f}" for s in record.scores if (s.metric, s.split, s.source) == (metric, "test", "finetuned")}
        assert question.answer in stated


def test_a_milestone_has_the_perplexity_that_is_the_answer(asked):
    found = [(record, question) for record, question in asked if question.template == "pretraining.perplexity"]
    for record, question in found:
        stated = [item.perplexity for item in record.pretraining.milestones]
        assert any(abs(value - parse_number(question.answer)) <= 0.06 for value in stated)


def test_the_same_seed_gives_the_same_questions_and_another_one_others(runs):
    first, again = (draw_questions(runs[0], seed=4) for _ in range(2))
    assert first == again
    assert len(first) == 10
    assert draw_questions(runs[0], seed=5) != first


def test_questions_go_from_easy_to_hard_and_each_template_comes_once(runs):
    drawn = draw_questions(runs[0], number=100)
    levels = [LEVELS.index(question.level) for question in drawn]
    assert levels == sorted(levels)
    assert len({question.template for question in drawn}) == len(drawn) > 40


def test_level_and_topic_choose(runs):
    drawn = draw_questions(runs[0], levels=("hard",), topics=("verdict", "evaluation"))
    assert {question.level for question in drawn} == {"hard"}
    assert {question.topic for question in drawn} <= {"verdict", "evaluation"}


@pytest.mark.parametrize("choice", [{"levels": ("easier",)}, {"topics": ("cooking",)}])
def test_what_does_not_exist_is_named(choice, runs):
    with pytest.raises(UsageError, match="there is no"):
        draw_questions(runs[0], **choice)


def test_a_run_that_has_nothing_to_ask_about_is_refused():
    with pytest.raises(UsageError, match="nothing to ask about of topic conversation"):
        draw_questions(classified(0), topics=("conversation",))


def test_topics_are_counted_by_run(runs):
    assert list_topics(pretrained(0)).keys() >= {"data", "tokenizer", "pretraining"}
    assert "conversation" not in list_topics(runs[0])


def test_a_record_that_was_written_by_hand_is_asked_about_too(record):
    assert len(draw_questions(record, number=100)) > 25


def test_hostile_texts_are_shown_as_text(hostile_record):
    quiz = render_quiz(draw_questions(hostile_record, number=100))
    assert "<script" not in quiz
    assert "\x1b" not in quiz


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda item: item.name)
def test_a_template_asks_nothing_of_a_record_that_lacks_what_it_reads(template):
    empty = RunRecord(run="x", status="started")
    question = template.put(Facts(empty, random.Random(0)))
    assert question is None or question.places


def test_a_letter_is_judged():
    question = next(item for item in draw_questions(classified(1), number=100) if item.options)
    right = "abcd"[next(place for place, option in enumerate(question.options) if option.is_right)]
    assert judge_reply(question, f" {right.upper()}) ").is_right
    wrong = judge_reply(question, "abcd".replace(right, "")[0])
    assert not wrong.is_right
    assert wrong.mistake
    assert wrong.says
    assert judge_reply(question, f" {question.answer} ").is_right
    assert judge_reply(question, "e") is judge_reply(question, "") is judge_reply(question, "ab") is None


def test_a_number_is_judged_but_for_rounding():
    question = next(item for item in draw_questions(classified(1), number=100) if item.number and item.tolerance)
    assert judge_reply(question, f"{question.number + 0.4 * question.tolerance}").is_right
    assert judge_reply(question, f"{100 * question.number:.4f} %").is_right
    assert not judge_reply(question, f"{question.number + 5 * question.tolerance}").is_right
    assert judge_reply(question, "many") is None


def test_the_prompt_says_how_exact_a_number_has_to_be(asked):
    for _, question in asked:
        if question.number is not None and re.fullmatch(r"−?[\d,]+(\.\d+)?", question.answer):
            decimals = len(question.answer.partition(".")[2])
            assert question.reply_with.startswith(f"a number, to {decimals} " if decimals else "a whole number"), question


def test_the_value_of_a_common_mistake_is_recognized():
    question = next(item for item in draw_questions(classified(1), number=100) if item.slips)
    slip = question.slips[0]
    reply = judge_reply(question, str(slip.value))
    assert (reply.is_right, reply.mistake, reply.says) == (False, slip.mistake, slip.why)


def test_a_quiz_has_every_question_and_no_script():
    questions = draw_questions(classified(2))
    quiz = render_quiz(questions)
    assert quiz.count("<article") == len(questions)
    assert quiz.count("<summary>Answer</summary>") == len(questions)
    assert "<script" not in quiz


SUM = re.compile(r"([−√(\d][\d.,\s+−×÷()√²]*[\d)²])\s*=\s*([−+]?\d[\d,]*\.?\d*)")
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def sums_of(text):
    """Yield each ``left = right`` of a text that has an operator on its left."""
    for left, right in SUM.findall(text):
        if re.search(r"[+×÷]|[\d)]\s*−", left):
            yield left, float(right.replace(",", "").replace("−", "-"))


def value_of(text):
    """Compute a sum as it is written; ``None`` where it has figures so small that rounding decides."""
    text = re.sub(r"√(\([^)]*\)|[\d.,]+)", r"(\1)**0.5", text).replace("²", "**2")
    try:
        tree = ast.parse(text.replace(",", "").replace("−", "-").replace("×", "*").replace("÷", "/").strip(), mode="eval")
        return _compute(tree.body)
    except (SyntaxError, ZeroDivisionError, KeyError):
        return None


def _compute(node):
    if isinstance(node, ast.Constant):
        if isinstance(node.value, float) and 0 < node.value < 0.02:
            raise KeyError("too small")
        return node.value
    if isinstance(node, ast.UnaryOp):
        return -_compute(node.operand)
    if isinstance(node.op, ast.Pow):
        return _compute(node.left) ** node.right.value
    return OPERATORS[type(node.op)](_compute(node.left), _compute(node.right))


def test_a_planted_sum_that_is_wrong_is_seen():
    ((left, right),) = sums_of("so: 1 − 2,427 ÷ 21,504 = 0.5")
    assert abs(value_of(left) - right) > 0.1
    assert value_of("2 × 0.9 × 0.8") == pytest.approx(1.44)
    assert value_of("√(16 ÷ 4)") == 2
