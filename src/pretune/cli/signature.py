"""Signatures: what a command takes, from the table of flags."""

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer

from pretune.cli.explaining import explaining
from pretune.wording.flag import Flag
from pretune.wording.flags import FLAGS

Flags = dict[str, Any]


def takes_flags(command: Callable[..., int]) -> Callable[..., int]:
    """Decorate a command: its own parameters are arguments, and ``flags`` are those that the table gives to its name.

    The parser reads the signature, so it is made of both.
    """
    name = command.__name__
    own = [item for item in inspect.signature(command, eval_str=True).parameters.values() if item.name != "flags"]

    def given(**values: Any) -> int:
        arguments = {item.name: values.pop(item.name) for item in own}
        with explaining(is_asked=bool(values.pop("explain", False))):
            return command(**arguments, flags=values)

    given.__name__, given.__doc__, given.__module__ = name, command.__doc__, command.__module__
    given.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # what inspect looks for
        [*(item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own), *map(_parameter, flags_of(name))]
    )
    return given


def flags_of(command: str) -> Iterator[Flag]:
    """Yield the flags that a command takes."""
    return (flag for flag in FLAGS if command in flag.commands.split())


def _parameter(flag: Flag) -> inspect.Parameter:
    kind: Any = bool if flag.kind is bool else list[str] | None if flag.kind is list else flag.kind | None
    option = typer.Option(
        flag.typed, help=flag.text, metavar=flag.metavar, min=flag.least, rich_help_panel=flag.about or None, show_default=False
    )
    default = False if flag.kind is bool else flag.default
    return inspect.Parameter(flag.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
