"""How a message names what its reader can change: flags on the command line, arguments in Python. It is written with flags."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FROM_COMMAND_LINE = ContextVar("from_command_line", default=False)

# Flags that Python has under another name, or as a field of the config that the constructor takes.
FINETUNE_FIELDS = {
    "lr": "learning_rate", "batch-size": "batch_size", "max-length": "max_length", "dropout": "dropout", "lora": "lora",
    "monitor": "monitor", "head": "head", "device": "device", "threads": "threads",
}  # fmt: skip
SWITCHES = frozenset(
    "allow-rejects keep-leaks merge-labels repair overwrite thorough logits sealed whole-words prove-pretraining "
    "continue-changed accept-loss json".split()
)
# A flag, then what stands for its value (COL[,COL], FILE) or is one (last-2, answer=accept, latin-1, '…').
_FLAG = re.compile(
    r"""(?<![\w'"-])--(?P<flag>[a-z][a-z-]*[a-z])
    (?:\ (?P<value>
        '[^']*' | "[^"]*"
        | [A-Z][A-Z_]*(?:\[,[A-Z]+\])?(?![a-z])
        | [\w.+-]*[=\d](?:[\w=.,+@:-]*\w)?
        | minilm | none | all | auto | minimal | native | mlp | cpu
    )(?!\w))?""",
    re.VERBOSE,
)
_SETTING = re.compile(r"--set (?P<section>[a-z_]+)\.(?P<field>\w+)(?:=(?P<value>\w[\w.-]*|…))?")


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

    Example:
        >>> addressed("name the column of the class with --label COL, or pass --allow-rejects")
        'name the column of the class with label=..., or pass allow_rejects=True'
        >>> addressed("pass --set finetune.class_weights=true, or another --lr")
        'pass config=FinetuneConfig(class_weights=True), or another config=FinetuneConfig(learning_rate=...)'
    >>> addressed("there is no file 'a--b.csv'; try --max-length 64 with --encoding latin-1 or --group")
    "there is no file 'a--b.csv'; try config=FinetuneConfig(max_length=64) with encoding='latin-1' or group=..."
    """
    return text if _FROM_COMMAND_LINE.get() or "--" not in text else _FLAG.sub(_argument, _SETTING.sub(_setting, text))


def _argument(found: re.Match[str]) -> str:
    flag, value = found["flag"], found["value"]
    if flag in SWITCHES:
        return f"{flag.replace('-', '_')}=True" + (f" {value}" if value else "")
    shown = "..." if value is None or value[0].isupper() else _literal(value)
    if flag in FINETUNE_FIELDS:
        return f"config=FinetuneConfig({FINETUNE_FIELDS[flag]}={shown})"
    return f"{flag.replace('-', '_')}={shown}"


def _setting(found: re.Match[str]) -> str:
    value = _literal(found["value"]) if found["value"] and found["value"] != "…" else "..."
    return f"config={found['section'].capitalize()}Config({found['field']}={value})"


def _literal(value: str) -> str:
    """Return a value of the command line as Python writes it."""
    if value in ("true", "false"):
        return value.capitalize()
    try:
        float(value)
    except ValueError:
        return repr(value.strip("'\""))
    return value
