"""Usage errors, worded like every other error: got, expected, fix."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pretune.errors import UsageError
from pretune.wording.flags import FLAG_OF

# Words of the parser, which has others in each of its versions, and ours.
KINDS = {"integer": "a whole number", "float": "a number", "number": "a number"}
LEAST = re.compile(r"(?:greater than or equal to|>=) ?(-?\d+)")
# What other tools call it.
OTHER_NAMES = {
    "train": "finetune",
    "fit": "finetune",
    "eval": "evaluate",
    "test": "judge",
    "infer": "predict",
    "classify": "predict",
    "download": "models",
    "list": "models",
    "validate": "check",
    "verdict": "judge",
}


def explain_usage(error: Any, arguments: Sequence[str], commands: dict[str, Any]) -> UsageError:
    """Return the error that says what is wrong with a command line.

    Args:
        error: What the parser raised.
        arguments: What was typed behind ``pretune``.
        commands: By name, as the parser knows them.
    """
    name = next((word for word in arguments if not word.startswith("-")), "")
    page = f"see `pretune {name} --help`" if name in commands else "see `pretune --help`"
    kind, param = type(error).__name__, getattr(error, "param", None)
    if name and name not in commands:
        return _no_command(name, list(commands), page)
    if kind == "NoSuchOption" and name in commands:
        return _no_option(str(error.option_name), name, commands[name], page)
    if kind == "MissingParameter" and param is not None:
        return UsageError(f"{param.metavar or param.name} is missing", expected=_help_of(param), fix=page)
    if kind == "BadParameter" and param is not None and param.opts:
        value = _value_of(param, arguments)
        if value is not None:
            return UsageError(f"{param.opts[0]} is {value!r:.80}", expected=_wanted(str(error.message)), fix=page)
    option = str(getattr(error, "option_name", ""))
    if kind == "BadOptionUsage" and "requires" in str(error) and name in commands:
        shown = next((item.metavar for item in commands[name].params if option in item.opts), None)
        return UsageError(f"{option} has no value", expected=f"{option} {shown or 'VALUE'}", fix=page)
    return UsageError(error.format_message().rstrip("."), fix=page)


def _no_command(name: str, commands: list[str], page: str) -> UsageError:
    near = [OTHER_NAMES[name]] if name in OTHER_NAMES else get_close_matches(name, commands, n=2)
    fix = f"did you mean {' or '.join(map(repr, near))}? Or {page}" if near else page
    return UsageError(f"there is no command {name!r}", expected=f"one of {', '.join(commands)}", fix=fix)


def _no_option(option: str, name: str, command: Any, page: str) -> UsageError:
    known = [flag for item in command.params for flag in item.opts if flag.startswith("--")]
    setting = FLAG_OF.get(option.removeprefix("--").replace("-", "_"), "")  # --learning-rate is --lr
    near = [f"--{setting}"] if f"--{setting}" in known else get_close_matches(option, known, n=1)
    fix = f"did you mean {near[0]}? Or {page}" if near else page
    return UsageError(f"{name} has no option {option}", expected=f"an option of `pretune {name}`", fix=fix)


def _wanted(message: str) -> str:
    """Return what the parser expected of a value."""
    least = LEAST.search(message)
    if least is not None:
        return f"at least {least[1]}"
    return next((ours for word, ours in KINDS.items() if word in message), message.rstrip("."))


def _help_of(param: Any) -> str:
    text = str(getattr(param, "help", "") or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _value_of(param: Any, arguments: Sequence[str]) -> str | None:
    """Return what was typed as the value of an option."""
    for place, word in enumerate(arguments):
        option, sign, value = word.partition("=")
        if option in param.opts:
            return value if sign else next(iter(arguments[place + 1 :]), None)
    return None
