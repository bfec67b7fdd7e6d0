"""Shared by the commands that make, judge or recompute a run. Heavy imports wait until one of them runs."""

import os
import shlex
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pretune.cli.logs import open_logs
from pretune.cli.viewing import LIVE
from pretune.errors import UsageError

if TYPE_CHECKING:
    from pretune.configs import JudgeConfig, RunConfig
    from pretune.records import RunRecord

EXIT_CODES = {"ship": 0, "do_not_ship": 1, "not_enough_evidence": 3}
# The words of the command line, for the record of a run.
ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("arguments", default=())


def recompute_run(run: str, others: list[Any], *, json: bool) -> int:
    """Show the verdict recomputed from the run's files; return its exit code.

    Raises:
        UsageError: Another flag of judging was given.
        StorageError: The files do not give what is stored.
    """
    from pretune.tasks.places import require_run

    if any(item is not None for item in others):
        raise UsageError(
            "--recompute with another judging flag", expected="--recompute alone: it judges the run as it was judged before"
        )
    folder, known = require_run(run, chats=True)
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.text import draw_verdict

    found = _recompute(folder, known.task)
    found.check()
    verdict = found.assessment.verdict
    if json:
        shown = {"schema": 1, "run": found.record.run, "verdict": verdict.to_json(), "digest": found.found}
        show_json({**shown, "recomputed": True})
    else:
        show(draw_verdict(verdict, found.record.sample, first_known_look=bool(found.record.first_known_look)))
        typer.echo(f"recomputed from the files of {run}: same bytes as stored ({found.found[:12]})")
    return EXIT_CODES[verdict.outcome]


def _recompute(folder: Any, task: str) -> Any:
    if task == "converse":
        from pretune.tasks.converse.recompute import recompute as recompute_chat

        return recompute_chat(folder)
    from pretune.tasks.classify.recompute import recompute

    return recompute(folder)


def require_policy(config: "JudgeConfig") -> None:
    """Read the policy that the user named, if any: it is better refused before anything heavy is loaded.

    Raises:
        UsageError: It cannot be read.
    """
    from pretune.verdict.policy import load_policy

    if config.policy is not None:
        load_policy(config.policy)


def require_named(source: str, config: "RunConfig") -> None:
    """Refuse a column or a positive class that the data lacks before anything heavy is loaded.

    Raises:
        DataError: There is no such column.
        UsageError: No row has the positive class.
    """
    from pretune.data.read.glance import read_if_lacking

    positive = None if any(config.given.values()) else config.judge.positive
    table = read_if_lacking(source, config.read, label=positive)
    if table is not None and positive is not None:
        from pretune.evaluate.choose import choose_positive

        choose_positive([str(row.label) for row in table.examples], positive)


def lead(device: str, do: Callable[[], int]) -> int:
    """Give a command that trains; of the processes that ``torchrun`` started the first does so, and the others train with it.

    Args:
        device: As ``--device`` has it.
        do: The command.

    Returns:
        The exit code.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return do()
    from pretune.tasks.classify.together import fit_along
    from pretune.tasks.converse import together
    from pretune.tasks.pretrain.together import train_along
    from pretune.tasks.processes import assist, leading, meet

    company = meet(device)
    if company is not None and not company.world.is_first:
        return assist(company, {"finetune": fit_along, "replies": together.fit_along, "pretrain": train_along})
    with leading(company):
        return do()


def train_run(kind: str, source: str, config: "RunConfig", flags: Mapping[str, Any]) -> int:
    """Claim a folder, run or fine-tune, show what came out; return the exit code."""
    start = time.perf_counter()  # loading torch is time of the user as well
    from pretune.tasks.places import require_data, require_start

    require_data(source, *config.given.values(), config.general_task)
    require_start(config.model, for_classes=True)
    require_policy(config.judge)
    require_named(source, config)
    from pretune.tasks.classify import path

    record, folder = make_run(kind, source, config, flags, path, start=start)
    return show_run(record, folder, json=flags["json"])


def make_run(
    kind: str, source: str, config: Any, flags: Mapping[str, Any], path: Any, *, start: float
) -> tuple["RunRecord", Any]:
    """Claim a folder, and run or fine-tune there; return the record and the folder.

    Args:
        kind: ``run`` or ``finetune``.
        source: The data as named.
        config: Every setting, with the model.
        flags: Where the run goes, and what is shown.
        path: The module of the task that has ``run`` and ``finetune``.
        start: When the command was given, by ``time.perf_counter``.
    """
    from pretune.run import claim_folder
    from pretune.run.claim import default_name
    from pretune.run.job import Job, inputs_of

    inputs = inputs_of(kind, source, config)
    done = "judged" if kind == "run" else "trained"
    folder = claim_folder(default_name(source, config.model), inputs, **placed(flags), done=done)
    with open_terminal(flags["json"], flags["quiet"]) as terminal, open_logs(flags, folder, config, inputs) as logs:
        show_live(folder.path)
        job = Job(
            source=source,
            config=config,
            folder=folder,
            trace=open_trace(terminal, logs),
            command=kind,
            typed=shlex.join(ARGUMENTS.get()),
            inputs=inputs,
            start=start,
        )
        record = path.run(job) if kind == "run" else path.finetune(job)
        logs.finish(folder, record)
    return record, folder


def placed(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a run goes, as ``claim_folder`` takes it."""
    named = Path(flags["run"]) if flags["run"] else None
    return {"named": named, "overwrite": flags["overwrite"], "continue_changed": flags["continue_changed"]}


def show_run(record: "RunRecord", folder: Any, *, json: bool) -> int:
    """Show a run as it stands; return the exit code of its verdict, 0 where there is none."""
    from pretune.cli.show import show, show_json
    from pretune.report.terminal.pretraining import draw_language, draw_timeline
    from pretune.report.terminal.text import draw_run
    from pretune.report.terminal.traces import draw_pipeline, draw_training

    if json:
        show_json(summarize(record))
    else:
        training = [draw_training(record.history)] if record.history else []
        if record.pretraining is not None:
            training.append(draw_timeline(record.pretraining, record.history))
        training += filter(None, [draw_language(record.language)])
        show(draw_pipeline(folder.read_events()), *training, draw_run(record))
        typer.echo(f"Report: {folder.report}\n" if record.verdict else f"Test still sealed: pretune judge {folder.path}\n")
    return EXIT_CODES[record.verdict.outcome] if record.verdict else 0


def summarize(record: "RunRecord") -> dict[str, Any]:
    """Return what ``--json`` prints of a run."""
    unchecked = ("unknown", "not_applicable")
    full, main = record.to_json(), record.scores[0].source if record.scores else ""
    return {
        **{
            key: full[key]
            for key in ("schema", "run", "status", "verdict", "positive", "comparisons", "seconds", "look", "history")
        },
        "budget": full["budget"],
        "seeds": full["seeds"],
        "threshold": full["threshold"],
        "chosen": full["chosen"],
        "calibration": full["calibration"],
        "slices": full["slices"],
        "mistakes": full["mistakes"],
        "scores": [score for score in full["scores"] if score["source"] == main],
        "baselines": [score for score in full["scores"] if score["source"] != main],
        "findings": [finding for finding in full["findings"] if finding["severity"] not in unchecked],
        "not_checked": [finding for finding in full["findings"] if finding["severity"] in unchecked],
        "sample": full["sample"],
        "data": full["receipt"],
    }


def open_terminal(json: bool, quiet: bool) -> Any:
    """Return the listener that tells a person what happens; silent with ``--json`` or ``--quiet``."""
    from pretune.cli.show import Terminal

    return Terminal(quiet=json or quiet)


def open_trace(*listeners: Any) -> Any:
    """Return a trace that these listeners hear, and the live page if there is one."""
    from pretune.run.trace import Trace

    live = LIVE.get()
    return Trace(listeners=listeners if live is None else (*listeners, live.hear))


def show_live(folder: Path) -> None:
    """Tell the live page, if there is one, where the run is."""
    live = LIVE.get()
    if live is not None:
        live.at(folder)
