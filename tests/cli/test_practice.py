"""Practice and the glossary at the command line: what is asked, what is kept, and how it ends."""

import json

import pytest
from running import call, read_strictly
from typed_lines import Typed

from pretune.report.practice.results import read_answers


@pytest.fixture
def questions(judged, capsys):
    """What is asked with seed 3, with its answers."""
    assert call("practice", judged, "--seed", "3", "--number", "4", "--json") == 0
    return read_strictly(capsys.readouterr().out)["questions"]


def replies(questions):
    """Return right replies."""
    for question in questions:
        right = [place for place, option in enumerate(question["options"]) if option["is_right"]]
        yield f"{'abcd'[right[0]] if right else question['number']}\n"


def practise(monkeypatch, judged, *lines, **how):
    monkeypatch.setattr("sys.stdin", Typed(*lines, **how))
    return call("practice", judged, "--seed", "3", "--number", "4")


def test_json_has_the_questions_with_their_answers_and_keeps_nothing(questions):
    assert len(questions) == 4
    assert all(item["answer"] and item["steps"] and item["hint"] and item["check"] for item in questions)
    assert read_answers() == ()


def test_right_replies_are_right(questions, judged, monkeypatch, capsys):
    assert practise(monkeypatch, judged, *replies(questions)) == 0
    assert "4 of 4 right" in capsys.readouterr().out
    assert [item.is_right for item in read_answers()] == [True] * 4
    assert {item.seed for item in read_answers()} == {3}


def test_replies_come_line_by_line_from_a_pipe(questions, judged, monkeypatch, capsys):
    assert practise(monkeypatch, judged, *replies(questions), is_terminal=False) == 0
    assert "4 of 4 right" in capsys.readouterr().out


@pytest.mark.parametrize("end", [KeyboardInterrupt, "", "q\n"], ids=["Ctrl-C", "end of input", "quit"])
def test_what_was_answered_is_kept_however_it_ends(end, questions, judged, monkeypatch, capsys):
    first = next(replies(questions))
    assert practise(monkeypatch, judged, first, end) == 0
    assert "1 of 1 right" in capsys.readouterr().out
    assert len(read_answers()) == 1


def test_a_hint_is_shown_and_counted_and_a_skipped_question_is_not(questions, judged, monkeypatch, capsys):
    lines = list(replies(questions))
    assert practise(monkeypatch, judged, "h\n", lines[0], "s\n", "what?\n", lines[2], "q\n") == 0
    out = capsys.readouterr().out
    assert " ".join(questions[0]["hint"].split()) in " ".join(out.split())
    assert "2 of 2 right" in out
    assert "Expected: " in out
    assert [item.is_hinted for item in read_answers()] == [True, False]


def test_a_wrong_reply_shows_the_answer_and_the_steps(questions, judged, monkeypatch, capsys):
    question = questions[0]
    wrong = [place for place, option in enumerate(question["options"]) if not option["is_right"]]
    assert practise(monkeypatch, judged, f"{'abcd'[wrong[0]] if wrong else '-99'}\n", "q\n") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "not right" in out
    assert all(" ".join(step.split()) in out for step in question["steps"])


def test_without_a_seed_the_next_questions_are_others(judged, monkeypatch, capsys):
    for expected in (0, 1):
        assert call("practice", judged, "--json") == 0
        told = read_strictly(capsys.readouterr().out)
        assert told["seed"] == expected
        monkeypatch.setattr("sys.stdin", Typed("a\n", "1\n", "1\n"))
        assert call("practice", judged) == 0
        capsys.readouterr()


@pytest.mark.parametrize(
    ("flags", "said"), [(["--level", "silly"], "there is no level 'silly'"), (["--topic", "data,x"], "there is no topic 'x'")]
)
def test_what_does_not_exist_is_one_message(flags, said, judged, capsys):
    assert call("practice", judged, *flags) == 2
    assert said in capsys.readouterr().err


def test_a_term_is_explained_with_its_place_in_the_run(judged, capsys):
    assert call("explain", "recall", judged) == 0
    out = capsys.readouterr().out
    assert "true positives / (true positives + false negatives)" in out
    assert "scores[split=test,source=finetuned,metric=recall].value" in "".join(out.split())


def test_a_term_of_two_words_needs_no_quotes(capsys):
    assert call("explain", "rows", "needed") == 0
    assert "would probably settle" in " ".join(capsys.readouterr().out.split())


def test_all_terms_are_listed(capsys):
    assert call("explain", "--json") == 0
    terms = json.loads(capsys.readouterr().out)["terms"]
    assert len(terms) >= 80
    assert call("explain") == 0
    assert "calibration temperature" in " ".join(capsys.readouterr().out.split())


def test_a_term_without_a_run_is_explained_with_a_place_that_can_be_looked_up(capsys):
    assert call("explain", "accuracy") == 0
    said = capsys.readouterr().out
    assert "source=finetuned" in said
    assert "$" not in said
