"""The command line: its commands, and how each way of ending is reported."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import typer.main

from pretune.cli import commands, running
from pretune.cli.streams import is_unread, protect_streams, refusal_of
from pretune.cli.usage import explain_usage
from pretune.cli.visible import inert_output
from pretune.errors import StorageError, UnforeseenError, UsageError, explain_unforeseen
from pretune.wording.messages import command_line

INTERRUPTED = 130
ANSWERS = frozenset({0, *running.EXIT_CODES.values()})  # exit codes of a command that gave its answer
# Base of the errors that typer raises about usage; typer carries a click of its own, or uses the package, by version.
ClickError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

# Rich draws the flags of a command in groups; the list of commands does without, because loading it takes as long as
# everything else together, and `pretune --help` must answer at once.
LOOKS: Literal["rich"] | None = "rich" if any(not word.startswith("-") for word in sys.argv[1:]) else None

app = typer.Typer(
    rich_markup_mode=LOOKS,
    name="pretune",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        print(f"pretune {version('pretune')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take a language model from general text to your task, and prove the result."""


for command in commands.COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)


def main() -> None:
    """Run the command line and leave with its exit code."""
    protect_streams()
    sys.exit(0 if _is_silenced() else settle(_run(sys.argv[1:])))


def _is_silenced() -> bool:
    """Silence a process that helps another; return whether there is nothing for it to do."""
    if not _is_helper():
        return False
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    return sys.argv[1:2] not in (["run"], ["finetune"], ["pretrain"])  # nothing to share: a second look, a second answer


def settle(code: int) -> int:
    """Return the final exit code: that of a storage error where standard output refused the answer, since it is lost."""
    refusal = refusal_of(sys.stdout)
    if refusal is None or is_unread(refusal) or code not in ANSWERS:
        return code
    found = StorageError(
        f"cannot write to standard output: {refusal.strerror or refusal}",
        fix="free space at the destination, or redirect the output",
    )
    print(f"pretune: {found}", file=sys.stderr)  # noqa: T201
    return found.exit_code


def _is_helper() -> bool:
    """Whether ``torchrun`` started this process besides the first one, which does all the telling and writing."""
    size = os.environ.get("WORLD_SIZE", "1")
    return size.isdigit() and int(size) > 1 and os.environ.get("RANK", "0") != "0"


@inert_output(sys)
@command_line()
def _run(arguments: list[str]) -> int:
    """Run one command; return its exit code. Whatever ends it ends in one message: a crash must not look like a verdict."""
    flags = frozenset(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    running.ARGUMENTS.set(("pretune", *arguments))
    try:
        code = _give(arguments, flags)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except SystemExit as error:  # typer's end of a broken pipe, whichever it was: the streams themselves never break
        return _tell_error(error.__context__ if isinstance(error.__context__, OSError) else error, flags)
    except BaseException as error:
        return _tell_error(error, flags)
    if code == INTERRUPTED:  # typer turns Ctrl-C into this code as well
        text = "interrupted; the same command resumes a run that was saved, and starts anything else over"
        return _tell({"code": "interrupted", "got": text, "expected": "", "fix": ""}, text, code, None, flags)
    return int(code or 0)


def _give(arguments: list[str], flags: frozenset[str]) -> int | None:
    """Give the command that was typed; wrong usage is told here."""
    _check_company()
    try:
        code: int | None = app(arguments, prog_name="pretune", standalone_mode=False)
    except ClickError as error:
        return _tell_usage(error, arguments, flags)
    return code


def _check_company() -> None:
    size = os.environ.get("WORLD_SIZE", "1")
    if not size.isdigit():
        raise UsageError(
            f"WORLD_SIZE is {size!r}", expected="the number of processes, as torchrun sets it", fix="unset WORLD_SIZE"
        )


def _tell_usage(error: Any, arguments: list[str], flags: frozenset[str]) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())  # noqa: T201 - empty where rich has drawn the help by now
        return 2
    found = explain_usage(error, arguments, typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    return _tell(found.to_json(), str(found), found.exit_code, error, flags)


def _tell_error(error: BaseException, flags: frozenset[str]) -> int:
    found = explain_unforeseen(error)
    if isinstance(error, OSError) and type(found) is UnforeseenError:  # a place that nobody may read or write
        found = StorageError(str(error), fix="check that the path exists and that you may read and write it")
    return _tell(found.to_json(), str(found), found.exit_code, error, flags)


def _tell(fields: dict[str, str], text: str, exit_code: int, error: BaseException | None, flags: frozenset[str]) -> int:
    """Print one message, and nothing else; with ``--json`` one object, with ``--debug`` the traceback as well."""
    from pretune.cli.show import show_json

    if "--debug" in flags and error is not None:
        import traceback

        traceback.print_exception(error)
    is_told = "--json" in flags
    if is_told:
        show_json({"schema": 1, "error": fields})
        refusal = refusal_of(sys.stdout)
        is_told = refusal is None or is_unread(refusal)
    if not is_told:
        print(f"pretune: {text}", file=sys.stderr)  # noqa: T201
    return exit_code
