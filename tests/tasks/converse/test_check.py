"""``pretune check`` of conversations: what was read, what was found, and one message where it cannot be."""

import json
import random

import pytest
from running import call

WORDS = "lamp river stone cloud paper glass horse violin garden window copper engine letter market bridge winter".split()


@pytest.fixture
def talks(tmp_path, monkeypatch):
    """Return ``write(rows, name)``, which writes JSON lines in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(rows, name="talks.jsonl"):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return name

    return write


def make_rows(num=120, seed=0):
    generator = random.Random(seed)
    questions = [" ".join(generator.choices(WORDS, k=11)) for _ in range(num)]
    return [{"prompt": question, "response": f"about {question}", "topic": question[:5]} for question in questions]


def checked(capsys, *arguments):
    code = call("check", *arguments, "--json")
    return code, json.loads(capsys.readouterr().out)


def severities(value):
    return {finding["check"]: finding["severity"] for finding in value["findings"]}


def test_clean_conversations_have_nothing_against_them(talks, capsys):
    code, value = checked(capsys, talks(make_rows()), "--group", "topic")
    assert code == 0
    assert set(severities(value).values()) == {"ok"}
    assert value["data"]["num_rows"] == value["data"]["num_used"] == 120
    assert value["conversations"]["form"] == "pairs: prompt 'prompt', reply 'response'"
    assert value["conversations"]["split_by"] == "group 'topic'"


def test_it_is_shown_without_classes(talks, capsys):
    assert call("check", talks(make_rows())) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "pairs: prompt 'prompt', reply 'response'" in shown
    assert "columns text “prompt” (guessed), reply “response” (guessed)" in shown
    assert "split seed 0" in shown
    assert "class" not in shown.lower()
    assert "stratified" not in shown


def test_planted_faults_are_found(talks, capsys):
    rows = make_rows()
    for row in rows[:30]:
        row["response"] = "I do not know.<|im_end|>"
    rows += [row | {"response": "another", "topic": "x"} for row in rows[:40]]
    rows[50]["prompt"] += " <|im_end|>"
    _, value = checked(capsys, talks(rows))
    found = severities(value)
    assert found["data.repeated_questions"] == found["data.repeated_replies"] == "warning"
    assert found["data.control_tokens"] == "note"
    assert value["conversations"]["control_tokens"] == {"<|im_end|>": 30}
    assert found["leakage.seen_questions"] == "ok", "equal questions stay together"


def test_leaks_across_given_files_are_found_where_they_are_kept(talks, capsys):
    rows = make_rows()
    test = talks([*make_rows(30, seed=1), *rows[:10]], "test.jsonl")
    _, value = checked(capsys, talks(rows), "--test", test)
    assert value["data"]["num_removed"] == 10
    assert severities(value)["leakage.seen_questions"] == "ok"
    _, value = checked(capsys, talks(rows), "--test", test, "--keep-leaks")
    assert severities(value)["leakage.seen_questions"] == "blocking"


def test_a_forced_task_reads_any_columns(talks, capsys):
    file = talks([{"frage": row["prompt"], "antwort": row["response"]} for row in make_rows()])
    code, value = checked(capsys, file, "--task", "converse", "--text", "frage", "--label", "antwort")
    assert (code, value["conversations"]["form"]) == (0, "pairs: prompt 'frage', reply 'antwort'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "chat"), "--task chat"),
        (("--merge-labels",), "--merge-labels with conversations"),
        (("--task", "converse", "--text", "nosuch"), "has no column 'nosuch'"),
        (("--group", "nosuch"), "has no column 'nosuch'"),
    ],
)
def test_what_does_not_fit_is_one_message(talks, capsys, arguments, message):
    assert call("check", talks(make_rows()), *arguments) == 2
    assert message in capsys.readouterr().err


def test_labelled_replies_ask_for_the_task(talks, capsys):
    file = talks([row | {"response": ("yes", "no")[place % 2]} for place, row in enumerate(make_rows())])
    assert call("check", file) == 2
    assert "--task converse or --task classify" in capsys.readouterr().err
    assert call("check", file, "--task", "converse", "--quiet") == 0
    assert call("check", file, "--task", "classify", "--text", "prompt", "--label", "response", "--quiet") == 0
