"""What is typed wrongly gets one message: got, expected, fix."""

import json

import pytest
from running import call

from pretune import __version__
from pretune.cli import app
from pretune.cli.commands import COMMANDS

COMMAND_NAMES = ", ".join(command.__name__ for command in COMMANDS)
TYPED = {
    "rnu x.csv": ("there is no command 'rnu'", f"one of {COMMAND_NAMES}", "did you mean 'run'?"),
    "train x.csv": ("there is no command 'train'", f"one of {COMMAND_NAMES}", "did you mean 'finetune'?"),
    "run": ("DATA is missing", "catalogue name, file", "see `pretune run --help`"),
    "run x.csv --epoch 2": ("run has no option --epoch", "an option of `pretune run`", "did you mean --epochs?"),
    "run x.csv --epochs two": ("--epochs is 'two'", "a whole number", "see `pretune run --help`"),
    "run x.csv --epochs=two": ("--epochs is 'two'", "a whole number", "see `pretune run --help`"),
    "run x.csv --dropout much": ("--dropout is 'much'", "a number", "see `pretune run --help`"),
    "selftest --kill -1": ("--kill is '-1'", "at least 0", "see `pretune selftest --help`"),
    "run x.csv --model": ("--model has no value", "--model NAME", "see `pretune run --help`"),
    "run x.csv y.csv": ("Got unexpected extra argument(s) (y.csv)", "", "see `pretune run --help`"),
    "run x.csv --lr fast": ("--lr (learning_rate) is 'fast'", "a positive rate", ""),
    "run x.csv --seeds 0": ("--seeds is 0", "a whole number from 1", ""),
    "pretrain x.csv --window 1": ("--window is 1", "8 to 8,192 tokens", ""),
}


@pytest.mark.parametrize("words", TYPED)
def test_a_slip_is_named_with_what_was_expected_and_what_to_do(words, capsys):
    got, expected, fix = TYPED[words]
    command, *rest = words.split()
    assert call(command, "--json", *rest) == 2
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert (error["code"], error["got"], err) == ("usage", got, "")
    assert error["expected"].startswith(expected)
    assert error["fix"].startswith(fix)


def test_a_fault_while_usage_is_explained_is_a_crash_and_no_verdict(monkeypatch, capsys):
    monkeypatch.setattr(app, "explain_usage", lambda *_: 1 / 0)
    assert call("rnu") == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_version_is_shown(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"pretune {__version__}\n"
