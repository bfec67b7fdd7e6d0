"""Messages: flags for the command line, arguments for Python."""

import pytest
from running import call

import pretune
from pretune.errors import UsageError
from pretune.wording.messages import addressed, command_line


@pytest.fixture(autouse=True)
def as_written():
    """Messages here are those of Python's users: this takes the place of the fixture that all other tests have."""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("pass --label COL", "pass label=..."),
        ("pass --text COL[,COL]", "pass text=..."),
        ("--keep-leaks leaves them", "keep_leaks=True leaves them"),
        (
            "--lr auto, or --lr 1e-4",
            "config=FinetuneConfig(learning_rate='auto'), or config=FinetuneConfig(learning_rate=1e-4)",
        ),
        ("pass --set finetune.shard=true", "pass config=FinetuneConfig(shard=True)"),
        ("--quoting none", "quoting='none'"),
        ("it is a--b", "it is a--b"),
        ("read '--label'", "read '--label'"),
        ("--goal f1", "config=JudgeConfig(goal='f1')"),
        ("--thorough", "config=JudgeConfig(thorough=True)"),
        ("--set judge.encoder_linear=false", "config=JudgeConfig(encoder_linear=False)"),
        ("--budget 5m is for a run", "--budget 5m is for a run"),
    ],
)
def test_python_reads_arguments(written, read):
    assert addressed(written) == read


@pytest.mark.parametrize(
    "command",
    [
        'pip install "pretune[lora]"',
        "pretune run DATA --model minilm --label COL",
        "torchrun --nproc-per-node 2 -m -- pretune run DATA --run runs/a",
        "pip download --no-deps --only-binary=:all: NAME==VERSION",
    ],
)
def test_a_command_is_never_rewritten(command):
    assert addressed(f"give `{command}`, or pass --label COL") == f"give `{command}`, or pass label=..."


@pytest.mark.parametrize("name", ["a --label COL.csv", "--label", "x --text y"])
def test_what_the_user_named_is_never_rewritten(name):
    assert addressed(f"there is no {name!r}; pass --label COL") == f"there is no {name!r}; pass label=..."


def test_the_command_line_reads_flags():
    with command_line():
        assert addressed("pass --label COL") == "pass --label COL"
        assert "--label COL" in str(UsageError("no label", fix="pass --label COL"))
    assert "label=..." in str(UsageError("no label", fix="pass --label COL"))


def test_the_same_refusal_names_what_its_reader_can_change(write_csv, capsys):
    path = write_csv([("a text", "x"), ("another text", "y")], columns=("body", "kind"))
    with pytest.raises(pretune.PretuneError) as caught:
        pretune.load_data(path, label="no such")
    assert "--" not in str(caught.value)
    assert call("check", path, "--label", "no such") == 2
    assert "--label" in capsys.readouterr().err
