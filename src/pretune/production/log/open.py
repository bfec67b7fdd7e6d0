"""Opening: which loggers a command was given, whether they are installed, and one listener that tells them all."""

import importlib.util
import logging
import os
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from pretune.errors import MissingPackageError, UsageError, require
from pretune.production.log.background import SECONDS_PATIENT, Background
from pretune.production.log.points import About, Ending, Logger, facts_of, figures_of, flat, point_of, points_of, settled
from pretune.records import RunRecord
from pretune.run import RunFolder

# Name → its class in the module of the same name.
LOGGERS = {"tensorboard": "TensorBoard", "mlflow": "MlFlow", "trackio": "Trackio", "wandb": "WandB"}
# What their packages would send by themselves, each unless the user's own setting says otherwise.
UNASKED = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
TALKATIVE = ("mlflow", "alembic", "wandb", "trackio", "tensorboard")  # names of Python's own logging
SECONDS_AFTER_FAILURE = 10.0  # that Ctrl-C or an error waits for the logs


def require_loggers(asked: Iterable[str] | None) -> tuple[str, ...]:
    """Return the loggers that were asked for, each once.

    Args:
        asked: Values of ``--log``; each may name several, with commas.

    Raises:
        UsageError: There is no such logger.
        MissingPackageError: Its package is not installed.
    """
    names = tuple(dict.fromkeys(name.strip() for value in asked or () for name in value.split(",")))
    for name in names:
        if name not in LOGGERS:
            raise UsageError(f"--log {name!r}", expected=f"one of {', '.join(LOGGERS)}, or several with commas")
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise MissingPackageError(
                f"--log {name} needs the package {name!r}, which is not installed", fix=f'`pip install "pretune[{name}]"`'
            )
    return names


class Logs:
    """The open logs of one run: a listener for ``Trace``, used as a context manager.

    Args:
        names: Which.
        about: The run.
        begin: Opens one of them.
    """

    def __init__(self, names: Iterable[str], about: About, begin: Callable[[str, About], Logger]) -> None:
        self._training, self._about = "", about
        self._logs = [Background(name, partial(begin, name, about)) for name in names]

    def __call__(self, event: dict[str, Any]) -> None:
        """Hear one event of the trace."""
        if event["event"] == "training":
            self._training = event["name"]
        point = point_of(event, self._training) if self._logs else None
        if point is not None:
            for log in self._logs:
                log.tell(point)

    def finish(self, folder: RunFolder, record: RunRecord) -> None:
        """Send the figures, the verdict, the card and the report of a run that has them, and close the logs."""
        pages = tuple(file.resolve() for file in (folder.report, folder.card) if file.is_file())
        card = folder.card.read_text(encoding="utf-8") if folder.card.is_file() else ""
        self._close(
            Ending(
                status=record.status,
                parameters=settled(self._about.parameters, flat(record.configs)),
                facts=facts_of(record),
                figures=figures_of(record),
                points=tuple(points_of(record)),
                text=card,
                files=pages,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            was_stopped = issubclass(kind, KeyboardInterrupt)
            why = {} if was_stopped else {"failure": " ".join(str(error).split())}
            self._close(Ending(status="interrupted" if was_stopped else "failed", facts=why))

    def _close(self, ending: Ending) -> None:
        logs, self._logs = self._logs, []
        for log in logs:
            log.end(ending)
        for log in logs:
            log.wait(SECONDS_PATIENT if ending.is_complete else SECONDS_AFTER_FAILURE)


def open_logs(names: Iterable[str], folder: RunFolder, parameters: dict[str, Any], *, is_resumed: bool) -> Logs:
    """Return the logs of a run, which are opened in the background.

    Args:
        names: What ``require_loggers`` returned.
        folder: The run's.
        parameters: Nested settings, and whatever else tells runs apart.
        is_resumed: Whether the log that was begun for this folder is continued.

    Raises:
        MissingPackageError: The package of one cannot be imported.
    """
    names = tuple(names)
    _prepare(names)
    about = About(run=folder.name, path=folder.path, parameters=flat(parameters), is_resumed=is_resumed)
    return Logs(names, about, _begin)


def _prepare(names: Iterable[str]) -> None:
    """Import the packages before threads do, and keep them from telling others, or the user, what nobody asked for.

    Raises:
        MissingPackageError: One cannot be imported.
    """
    for name, value in UNASKED.items():
        os.environ.setdefault(name, value)
    for name in names:
        require("torch.utils.tensorboard" if name == "tensorboard" else name, extra=name)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)


def _begin(name: str, about: About) -> Logger:
    made: Logger = getattr(import_module(f"pretune.production.log.{name}"), LOGGERS[name])(about)
    return made
