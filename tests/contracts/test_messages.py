"""Messages: written for the command line, and read by users of Python, who get arguments in place of flags."""

import ast
import re
from pathlib import Path

import pytest
import typer.main

from pretune.cli import app
from pretune.cli.settings import RUN
from pretune.data.dataset import load_data
from pretune.wording.flags import OF_RUNS, PLACES, SWITCHES, argument_of

SOURCE = Path(__file__).parents[2] / "src" / "pretune"
# What a shell runs: a message names it between backticks, which no rewriting enters.
COMMAND = re.compile(
    r"\b(?:pretune (?:run|check|finetune|judge|evaluate|predict|trace|compare|audit|pretrain|models|datasets|report|verify)\b"
    r"|pip (?:install|download)|torchrun -)"
)
# The command line speaks for itself, and pages show commands in blocks of their own.
OWN = ("cli", "report", "selftest")


def texts_of(tree: ast.AST):
    """Yield (line, text) of every string that is no docstring and no default; what is put into it stands as …."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (inside | docs):
            yield node.lineno, node.value


def bare_commands(text: str) -> list[str]:
    """Return the commands of a message that stand outside of backticks."""
    return COMMAND.findall(re.sub(r"`[^`]*`", "", text))


def test_every_command_in_a_message_stands_between_backticks():
    found = [
        f"{path.relative_to(SOURCE)}:{line} {text}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path.relative_to(SOURCE).parts[0] not in OWN
        for line, text in texts_of(ast.parse(path.read_text(encoding="utf-8")))
        if bare_commands(text) and not re.fullmatch(r"pretune \w+", text)  # alone it is data: the command of a record
    ]
    assert found == []


def test_the_flags_without_a_value_are_those_of_the_command_line():
    options = [option for command in typer.main.get_command(app.app).commands.values() for option in command.params]
    are_flags = {option.name.rstrip("_"): option.is_flag for option in options if option.param_type_name == "option"}
    assert {name for name in PLACES if are_flags[name]} == SWITCHES


def test_every_argument_that_a_message_names_is_one_of_python():
    """Of ``load_data``, of ``TextClassifier`` and ``fit``, of ``judge``, or a field of the config that is named."""
    arguments = {*load_data.__annotations__, "model", "epochs", "freeze", "seed", "positive"}
    for name in PLACES.keys() - OF_RUNS:
        said = str(argument_of(name, "1"))
        config = re.fullmatch(r"config=(\w+)Config\((\w+)=1\)", said)
        assert f"{config[1].lower()}.{config[2]}" in RUN.names() if config else said == f"{name}=1"
        assert config or name in arguments, name


# A fix that only points at what was expected, or that nobody can act on.
SAYS_NOTHING = re.compile(r"(?:pass|choose|name|give) (?:one of these(?: names)?|such a value)|check the name|leave one out")


def text_of(node: ast.AST | None) -> str:
    """Return the text of a string, its parts joined; empty for anything else."""
    return next((text for _, text in texts_of(node)), "") if isinstance(node, (ast.Constant, ast.JoinedStr)) else ""


def says_nothing(source: str) -> list[int]:
    """Return the lines of calls whose ``fix`` repeats their ``expected``, or says nothing."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    given = [(call.lineno, {item.arg: text_of(item.value) for item in call.keywords}) for call in calls]
    return [
        line
        for line, words in given
        if (fix := words.get("fix")) and (fix == words.get("expected") or SAYS_NOTHING.fullmatch(fix))
    ]


@pytest.mark.parametrize(
    ("call", "is_empty"),
    [
        ("Error('got', expected='a list', fix='a list')", True),
        ("Error('got', expected='one of a, b', fix='pass one of these')", True),
        ("Error('got', expected='a list', fix='leave --text out')", False),
        ("Error('got', expected='a list')", False),
    ],
)
def test_a_fix_that_says_nothing_is_found(call, is_empty):
    assert bool(says_nothing(call)) is is_empty


def test_no_fix_repeats_what_was_expected():
    found = {
        path.relative_to(SOURCE).as_posix(): says_nothing(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}
