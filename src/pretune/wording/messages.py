"""How messages name what a reader can change: flags on the command line, arguments in Python. They are written with flags."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pretune.wording.flags import FLAG_OF, SWITCHES, argument_of

_FROM_COMMAND_LINE = ContextVar("from_command_line", default=False)

# What is left as it is: a command for a shell, and what the user named, such as a file. Or a flag, then what stands for its
# value (COL[,COL], FILE) or is one (last-2, answer=accept, latin-1, '…').
_FLAG = re.compile(
    r"""(?P<kept>`[^`]*` | (?<!\w)'[^'\n]*'(?!\w) | (?<!\w)"[^"\n]*"(?!\w))
    | --set\ (?P<section>[a-z_]+)\.(?P<field>\w+)(?:=(?P<set>\w[\w.-]*|…))?
    | (?<![\w'"-])--(?P<flag>[a-z][a-z-]*[a-z])
    (?:\ (?P<value>
        '[^']*' | "[^"]*"
        | [A-Z][A-Z_]*(?:\[,[A-Z]+\])?(?![a-z])
        | [\w.+-]*[=\d](?:[\w=.,+@:-]*\w)?
        | minilm | none | all | auto | minimal | native | mlp | cpu
    )(?!\w))?""",
    re.VERBOSE,
)


@contextmanager
def command_line() -> Iterator[None]:
    """Let messages name flags, as long as a command of the command line runs."""
    token = _FROM_COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _FROM_COMMAND_LINE.reset(token)


def addressed(text: str) -> str:
    """Return a message as its reader needs it: unchanged on the command line, with Python's arguments elsewhere.

    Commands between backticks are for a shell and stay, as do flags that Python has no name for.

    Example:
        >>> addressed("name the column of the class with --label COL, or pass --allow-rejects")
        'name the column of the class with label=..., or pass allow_rejects=True'
        >>> addressed("pass --set finetune.class_weights=true, or another --lr")
        'pass config=FinetuneConfig(class_weights=True), or another config=FinetuneConfig(learning_rate=...)'
        >>> addressed("there is no file 'a --label.csv'; try --max-length 64 with --encoding latin-1 or --group")
        "there is no file 'a --label.csv'; try config=FinetuneConfig(max_length=64) with encoding='latin-1' or group=..."
        >>> addressed("fine-tune it: `pretune run DATA --model minilm --label COL`")
        'fine-tune it: `pretune run DATA --model minilm --label COL`'
    """
    return text if _FROM_COMMAND_LINE.get() or "--" not in text else _FLAG.sub(_argument, text)


def named(field: str) -> str:
    """Return a setting's name as its reader writes it: its flag on the command line, where it has one.

    Example:
        >>> named("learning_rate")
        'learning_rate'
        >>> with command_line():
        ...     named("learning_rate"), named("weight_decay")
        ('--lr (learning_rate)', 'weight_decay')
    """
    if not _FROM_COMMAND_LINE.get() or field not in FLAG_OF:
        return field
    flag = FLAG_OF[field]
    return f"--{flag}" if flag.replace("-", "_") == field else f"--{flag} ({field})"


def _argument(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    if found["section"]:
        value = _literal(found["set"]) if found["set"] and found["set"] != "…" else "..."
        return f"config={found['section'].capitalize()}Config({found['field']}={value})"
    flag, value = found["flag"], found["value"]
    if flag.replace("-", "_") in SWITCHES:
        said, after = argument_of(flag, "True"), f" {value}" if value else ""
        return found[0] if said is None else f"{said}{after}"
    said = argument_of(flag, "..." if value is None or value[0].isupper() else _literal(value))
    return found[0] if said is None else said


def _literal(value: str) -> str:
    """Return a value of the command line as Python writes it."""
    if value in ("true", "false"):
        return value.capitalize()
    try:
        float(value)
    except ValueError:
        return repr(value.strip("'\""))
    return value
