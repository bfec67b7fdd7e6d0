"""`pretune chat` in the terminal: with lines that are piped in, and with commands among them."""

import io
import json
import sys

import pytest
from running import call
from speaking import make_speaker, save_talking

from pretune.cli import chatting
from pretune.tasks.converse.talk import Talk


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_talking(tmp_path_factory.mktemp("talking") / "model")


@pytest.fixture
def say(monkeypatch, capsys, model):
    """Return ``say(lines, *flags)``: exit code, what stands on standard output, and on standard error."""

    def said(text, *flags, name=model):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        code = call("chat", name, "--precision", "fp32", "--max-reply", "6", *flags)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return said


def test_every_line_is_answered(say):
    code, out, err = say("Who?\n\nAnd why?\n")
    assert code == 0
    assert err.count("tokens/s") + err.count("[1 tokens") == 2
    assert out.count("\n") >= 2


def test_json_is_one_object_per_reply_and_nothing_else(say):
    code, out, err = say("Who?\nAnd why?\n", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, [item["question"] for item in found]) == (0, ["Who?", "And why?"])
    assert all(0 < item["tokens"] <= 6 and item["nearest"] is None for item in found)
    assert "tokens" not in err


def test_commands_are_obeyed_and_not_asked(say):
    code, out, err = say("/help\n/system be kind\n/reset\n/what\n/quit\nWho?\n")
    assert (code, out) == (0, "")
    for part in ("/reset  ", "is told this", "is forgotten", "no command /what"):
        assert part in err


def test_a_line_that_begins_with_two_slashes_is_asked(say):
    assert json.loads(say("//home is a path\n", "--json")[1])["question"] == "/home is a path"


def test_the_conversation_goes_on_until_it_is_reset(say):
    found = [json.loads(line) for line in say("Who?\nWho?\n/reset\nWho?\n", "--json")[1].splitlines()]
    asked = [item["prompt_tokens"] for item in found]
    assert asked[0] == asked[2] < asked[1]


def test_the_system_s_text_is_told(say):
    plain, told = (json.loads(say("Who?\n", "--json", *flags)[1]) for flags in ((), ("--system", "be kind")))
    assert told["prompt_tokens"] > plain["prompt_tokens"]


def test_a_question_that_is_too_long_does_not_end_the_talk(say):
    code, out, _ = say("the train " * 300 + "\nWho?\n", "--json")
    first, second = map(json.loads, out.splitlines())
    assert (code, first["error"]["code"], second["question"]) == (0, "usage", "Who?")


def test_no_question_is_no_fault(say):
    assert say("")[:2] == (0, "")


@pytest.mark.parametrize("flags", [("--int8", "--int4"), ("--int4", "--precision", "bf16")])
def test_two_precisions_are_refused(capsys, model, flags):
    assert call("chat", model, *flags) == 2
    assert "two precisions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        ("runs/nothing", (), "no folder"),
        ("smollm", (), "did you mean 'smollm2'"),
        (None, ("--temperature", "-1"), "temperature"),
        (None, ("--top-p", "2"), "top_p"),
        (None, ("--precision", "fp8"), "precision"),
        (None, ("--web", "--json"), "--web and --json"),
        (None, ("--web", "--port", "99999999"), "port"),
    ],
)
def test_what_does_not_fit_is_told_in_one_message(say, model, name, flags, words):
    code, out, err = say("Who?\n", *flags, name=name or model)
    assert (code, words in err + out) == (2, True), err + out


def test_weights_of_four_bits_talk(model, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Who?\n"))
    assert call("chat", model, "--int4", "--max-reply", "3") == 0


def test_ctrl_c_stops_a_reply_and_not_the_talk(monkeypatch, capsys):
    speaker, calls = make_speaker(), []
    original = speaker.stream

    def interrupted(prompt, wishes):
        for number, piece in enumerate(original(prompt, wishes)):
            if number == 2 and not calls:
                calls.append(number)
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(speaker, "stream", interrupted)
    monkeypatch.setattr(sys, "stdin", io.StringIO("Who?\nAnd why?\n"))
    assert chatting.talk(speaker, None, json=False, quiet=False) == 0
    err = capsys.readouterr().err
    assert err.count("stopped") == 1
    assert err.count("tokens/s") == 2


def test_what_a_reply_copies_is_told():
    conversation = Talk(make_speaker(remembers=True))
    list(conversation.ask("Where does the train go?"))
    told = chatting._say(conversation.said)
    assert "nearest in training (1.00): Where does the train go?" in told
    assert "0% copied" in told or "0 % copied" in told


def test_a_classifier_cannot_be_talked_with(capsys, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "pretune.json").write_text("{}")
    assert call("chat", tmp_path / "model") == 2
    assert "is a classifier" in capsys.readouterr().err
