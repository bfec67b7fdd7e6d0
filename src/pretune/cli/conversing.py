"""Shared by the commands that make or judge a run on conversations. Heavy imports wait until one of them runs."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from pretune.cli.logs import reopen_logs
from pretune.cli.running import EXIT_CODES, make_run, open_terminal, open_trace
from pretune.cli.settings import Settings, given
from pretune.configs import ChatConfig, Config, ConverseRunConfig, ReadConfig, ReplyConfig, SplitConfig
from pretune.errors import UsageError
from pretune.wording.flags import CHAT_PLACES, SWITCHES

if TYPE_CHECKING:
    from pretune.records import RunRecord

SECTIONS: dict[str, type[Config]] = {"read": ReadConfig, "split": SplitConfig, "finetune": ReplyConfig, "chat": ChatConfig}
CONVERSE = Settings(ConverseRunConfig, SECTIONS, example="chat.max_reply=300")
TASKS = ("classify", "converse")


def is_conversation(source: str, flags: Mapping[str, Any]) -> bool:
    """Whether a run is on conversations: as the user says, or as the columns of the data do.

    Raises:
        UsageError: There is no such task.
        DataError: The data could be either.
    """
    task = flags["task"]
    if task is not None:
        if task not in TASKS:
            raise UsageError(f"--task {task}", expected=" or ".join(TASKS))
        return bool(task == "converse")
    from pretune.data.conversations import looks_like_conversations
    from pretune.tasks.places import require_data

    require_data(source)
    named: dict[str, Any] = {name: flags[name] for name in ("label", "encoding", "group") if flags[name] is not None}
    read = ReadConfig(text=tuple(flags["text"].split(",")) if flags["text"] else (), **named)
    return looks_like_conversations(source, read) is not None


def build_chat_config(flags: Mapping[str, Any], *, file: str | None = None, settings: Iterable[str] = ()) -> ConverseRunConfig:
    """Return the settings of a run on conversations: defaults, then file, flags and ``--set``, the later winning.

    Raises:
        UsageError: A name is not known, a value does not fit, or a flag is about classes.
    """
    asked, known = given(flags, CHAT_PLACES), set(CONVERSE.names())
    unfit = [name for name in flags if name in CHAT_PLACES and CHAT_PLACES[name] not in known and _is_given(name, flags[name])]
    unfit += [name for name in ("recipe", "pretrain", "size", "tokens", "pretrain_budget") if flags.get(name) is not None]
    if unfit:
        flag = unfit[0].rstrip("_").replace("_", "-")
        raise UsageError(
            f"--{flag} with conversations",
            expected="flags of a chat model",
            fix="leave it out, or pass --task classify if the table has classes",
        )
    asked = {place: value for place, value in asked.items() if place in known}
    config: ConverseRunConfig = CONVERSE.build(CONVERSE.read_file(file) | asked | CONVERSE.read_items(settings))
    return config


def train_chat(kind: str, source: str, config: ConverseRunConfig, flags: Mapping[str, Any]) -> int:
    """Claim a folder, run or fine-tune on conversations, show what came out; return the exit code."""
    start = time.perf_counter()  # loading torch is time of the user as well
    from pretune.tasks.places import require_data, require_start

    require_data(source, *config.given.values())
    require_start(config.model)
    from pretune.data.safety import read_safety
    from pretune.verdict.reply_policy import load_reply_policy

    load_reply_policy(config.policy)
    read_safety(config.chat.safety)
    from pretune.tasks.converse import path

    record, folder = make_run(kind, source, config, flags, path, start=start)
    return show_chat(record, folder, json=flags["json"])


def judge_chat(folder: Any, flags: Mapping[str, Any]) -> int:
    """Judge a run on conversations; return the exit code of its verdict."""
    unfit = [name for name, value in flags.items() if name.startswith(("min_", "max_")) and _is_given(name, value)]
    unfit += [
        name for name in ("positive", "goal", "keep", "cost", "choose", "thorough", "more") if _is_given(name, flags[name])
    ]
    if unfit:
        raise UsageError(f"--{unfit[0].replace('_', '-')} with a chat model", expected="--policy alone")
    from pretune.tasks.converse.path import judge_run

    logs = reopen_logs(flags, folder, folder.read_record().configs)
    with open_terminal(flags["json"], flags["quiet"]) as terminal, logs:
        record = judge_run(folder, flags["policy"], open_trace(terminal, logs))
        logs.finish(folder, record)
    return show_chat(record, folder, json=flags["json"])


def show_chat(record: "RunRecord", folder: Any, *, json: bool) -> int:
    """Show a run as it stands; return the exit code of its verdict, 0 where there is none."""
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.conversation import draw_chat
    from pretune.report.terminal.traces import draw_pipeline, draw_training

    if json:
        show_json(summarize_chat(record))
    else:
        training = [draw_training(record.history)] if record.history else []
        show(draw_pipeline(folder.read_events()), *training, *draw_chat(record))
        ending = f"Report: {folder.report}\nTalk:   pretune chat {folder.path}\n"
        typer.echo(ending if record.verdict else f"Test still sealed: pretune judge {folder.path}\n")
    return EXIT_CODES[record.verdict.outcome] if record.verdict else 0


def summarize_chat(record: "RunRecord") -> dict[str, Any]:
    """Return what ``--json`` prints of a run on conversations."""
    full = record.to_json()
    names = ("schema", "run", "task", "status", "verdict", "scores", "comparisons", "findings", "sample", "seconds", "look")
    return {**{name: full[name] for name in names}, "chat": full["chat"], "history": full["history"], "data": full["receipt"]}


def is_about_chat(flags: Mapping[str, Any]) -> bool:
    """Whether the flags alone say that it is about conversations, whatever the data are."""
    return flags["task"] == "converse" or bool(_chat_flags(flags))


def refuse_chat_flags(flags: Mapping[str, Any]) -> UsageError:
    """Return the error of flags of conversations where the data has classes."""
    return UsageError(
        f"{_chat_flags(flags)[0]} with texts that have classes",
        expected="a table of conversations",
        fix="leave it out, or pass --task converse",
    )


def _chat_flags(flags: Mapping[str, Any]) -> list[str]:
    """Return the flags that only conversations have, as they are typed."""
    found = [
        f"--{name.replace('_', '-')}"
        for name, place in CHAT_PLACES.items()
        if place.startswith("chat.") and _is_given(name, flags[name])
    ]
    return found + [f"--set {item}" for item in flags["set_"] or () if item.startswith("chat.")]


def _is_given(name: str, value: Any) -> bool:
    return value is not None and value != [] and not (name in SWITCHES and value is False)
