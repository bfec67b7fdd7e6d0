"""A job: one piece of work on one run folder, as requested."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pretune.configs import Config
from pretune.hashing import digest_of_place
from pretune.run.folder import RunFolder
from pretune.run.trace import Trace

Settings = TypeVar("Settings", bound=Config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[Settings]):
    """What was asked for, where it goes, and who is told.

    Args:
        source: The data or the corpus, as named.
        config: Every setting.
        folder: Where the run lies, or will lie; work that was cut off there is resumed.
        trace: Receives the stages.
        command: Its name; a budget of ``run`` has to last for judging as well.
        typed: The command in full, where one was typed.
        inputs: What ``inputs_of`` returned, where that was asked before; files are not read again for it.
        sealed: Texts of a test whose like is kept out of what is learned from.
        start: When it was given, by ``time.perf_counter``.
    """

    source: Any
    config: Settings
    folder: RunFolder
    trace: Trace
    command: str = "run"
    typed: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    sealed: tuple[str, ...] = ()
    start: float = field(default_factory=time.perf_counter)

    @property
    def told(self) -> str:
        """The command for the record of the run: in full where it is known."""
        return self.typed or f"pretune {self.command}"


def inputs_of(command: str, source: Any, config: Config) -> dict[str, str]:
    """Return what makes two commands the same: the command, every setting, the data as named and what files hold.

    Args:
        command: Its name.
        source: The data or the corpus.
        config: Every setting; files that they name count by what they hold.
    """
    inputs = {"command": f"pretune {command}", "data": str(source)}
    for name in (source, *config.files):
        if name is not None and Path(str(name)).exists():
            inputs[f"contents of {name}"] = digest_of_place(Path(str(name)))[:16]
    for part, value in config.to_json().items():
        inputs |= (
            {f"{part}.{name}": str(item) for name, item in value.items()} if isinstance(value, dict) else {part: str(value)}
        )
    return inputs
