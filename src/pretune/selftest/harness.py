"""The harness: for each kind an unbroken training, then many that are killed or refused a write; all must end alike.

A warm process imports torch once and forks a child for every life. It never computes anything itself, so it has one thread and
is safe to fork.
"""

import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import StorageError, UsageError
from pretune.hashing import digest_of, digest_of_file
from pretune.selftest.kinds import KINDS, Kind
from pretune.selftest.life import MODULES, PLACES, Board, Fault, live, speak_into
from pretune.selftest.material import write_material
from pretune.selftest.talks import write_talks

# Families of modules that a training imports late; imported here once, so that no life has to.
LATE = (
    "numpy", "scipy", "sklearn", "torch", "transformers", "tokenizers", "safetensors", "pretune", "rich", "typer", "jinja2",
    "peft", "accelerate",
)  # fmt: skip
# Lives after which a training that is not done is given up: none needs so many unless it makes no progress.
MAX_LIVES = 1_000
DONE = 1 << 30  # newer than any checkpoint: the training has ended


@dataclass(slots=True)
class KillTally:
    """What has happened so far."""

    kills: Counter[str] = field(default_factory=Counter)  # by where they hit
    num_counted: int = 0  # kills at a counted operation
    num_refused: Counter[str] = field(default_factory=Counter)  # by kind
    trainings: Counter[str] = field(default_factory=Counter)  # by kind of training
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Unbroken:
    """A training that nothing befell.

    Args:
        kind: Of training.
        seconds: That it took.
        num_writes: Its writing operations.
        wanted: What it left, as ``outcome_of`` tells: every other training of this kind must leave the same.
    """

    kind: Kind
    seconds: float = 0.0
    num_writes: int = 0
    wanted: dict[str, str] = field(default_factory=dict)


class Harness:
    """Lives and deaths of small trainings, whose kinds take turns.

    Args:
        folder: An empty folder, used for everything.
        seed: Of the kills.
        kinds: Of trainings; those whose package is not installed are left out, and the report says so.
    """

    def __init__(self, folder: Path, *, seed: int = 0, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.folder, self.run, self._draw, self._board = (
            folder.resolve(),
            folder.resolve() / "run",
            random.Random(seed),
            Board(),
        )
        self.tally, self.unbroken = KillTally(), [Unbroken(kind=kind) for kind in kinds if kind.is_possible]
        self.left_out = [f"{kind.name}: {kind.needs} is not installed" for kind in kinds if not kind.is_possible]
        # A few kills do not reach every kind: each seed has its own order.
        self._turns = cycle(self._draw.sample(self.unbroken, k=len(self.unbroken)))
        self._now = self.unbroken[0]  # the kind whose turn it is
        self._lives: list[str] = []

    def begin(self) -> None:
        """Make the material and the unbroken trainings.

        Raises:
            UsageError: This process has more than one thread.
            StorageError: An unbroken training did not end well.
        """
        os.environ.update(PRETUNE_HOME=str(self.folder / "home"), PRETUNE_CACHE=str(self.folder / "cache"))
        os.environ["PRETUNE_SAVE_SECONDS"] = "0"
        _import_late(LATE)
        self._fork(self._write_material)
        for unbroken in self.unbroken:
            self._now = unbroken
            self._train_unbroken()
            _import_late((self.folder / MODULES).read_text(encoding="utf-8").split())
            self._train_unbroken()

    def _train_unbroken(self) -> None:
        """Train and measure; the second time, when all that it imports is loaded, also compare."""
        now, start = self._now, time.perf_counter()
        code = self._live(Fault())
        if code != 0:
            raise StorageError(f"{now.kind.name}, unbroken, ended with {code}: {self._said()}", fix="please report it")
        now.seconds, now.num_writes = time.perf_counter() - start, self._board.num_writes
        found = outcome_of(self.run)
        self._compare(found, f"{now.kind.name}: the same command, unbroken, in another process")
        now.wanted = found
        self._clear()

    def _write_material(self) -> None:
        speak_into(self.folder)
        write_material(self.folder)
        write_talks(self.folder)

    def torture(self, *, kills: int, refusals: int = 0) -> None:
        """Go on until so many kills and refusals have hit."""
        faults = ["kill"] * kills + ["full", "read-only"] * (refusals // 2) + ["full"] * (refusals % 2)
        self._draw.shuffle(faults)
        while faults:
            self._now = next(self._turns)
            self._train(faults)

    def report(self) -> dict[str, Any]:
        """Return the tally as JSON."""
        tally = self.tally
        return {
            "schema": 1,
            "selftest": "kill",
            "kills": tally.kills.total(),
            "counted": tally.num_counted,
            "timed": tally.kills.total() - tally.num_counted,
            "where": {name: tally.kills[name] for name in PLACES},
            "refused": dict(tally.num_refused),
            "trainings": tally.trainings.total(),
            "kinds": {unbroken.kind.name: self._tell(unbroken) for unbroken in self.unbroken},
            "left_out": self.left_out,
            "differences": len(tally.differences),
            "details": tally.differences[:20],
            "processor_seconds": round(sum(os.times()[:4]), 1),
        }

    def _tell(self, unbroken: Unbroken) -> dict[str, Any]:
        num_trainings = self.tally.trainings[unbroken.kind.name]
        return {"trainings": num_trainings, "writes": unbroken.num_writes, "seconds_unbroken": round(unbroken.seconds, 3)}

    def _train(self, faults: list[str]) -> None:
        """Make one training, with a fault in every life as long as there are some left, and compare what comes out."""
        self._lives = []
        self.tally.trainings[self._now.kind.name] += 1
        for _ in range(MAX_LIVES):
            fault = self._choose(faults[-1]) if faults else Fault()
            newest, start = _newest(self.run), time.perf_counter()
            code = self._live(fault)
            if code == 0:
                self._now.seconds = time.perf_counter() - start  # as fast as the machine is now, for kills by the clock
                break
            if fault.kind == "kill" and code == -signal.SIGKILL:
                self.tally.kills[PLACES[self._board.place]] += 1
                self.tally.num_counted += fault.at > 0
                faults.pop()
            elif fault.kind in ("full", "read-only") and code == 4:
                self._check_refusal(fault, newest)
                faults.pop()
            else:
                self.tally.differences.append(f"{self._story()}: ended with {code}: {self._said()}")
                break
            if _newest(self.run) == DONE:  # the fault hit after the record said so
                code = 0
                break
        else:
            self.tally.differences.append(f"{self._story()}: not done after {MAX_LIVES} lives")
        if code == 0:
            self._compare(outcome_of(self.run), self._story())
        self._clear()

    def _choose(self, kind: str) -> Fault:
        is_timed = 2 * self.tally.num_counted > self.tally.kills.total()
        if kind == "kill" and is_timed:
            return Fault(kind=kind, after=self._draw.uniform(0, self._now.seconds))
        return Fault(kind=kind, at=self._draw.randint(1, self._now.num_writes))

    def _check_refusal(self, fault: Fault, newest: int) -> None:
        """A refused write must end in one message, and leave the newest whole checkpoint, or a newer one."""
        self.tally.num_refused[fault.kind] += 1
        said = self._said()
        if '"code": "storage"' not in said or "Traceback" in said:
            self.tally.differences.append(f"{self._story()}: said {said}")
        if _newest(self.run) < newest:
            self.tally.differences.append(f"{self._story()}: the checkpoint after step {newest} is gone")

    def _live(self, fault: Fault) -> int:
        """Let one child run the command; return its exit code, or minus the signal that ended it."""
        self._board.clear()
        command = self._now.kind.command(self.folder, self.run)
        self._lives.append(f"{fault.kind} at {fault.at}" if fault.at else f"{fault.kind} after {fault.after:.3f} s")
        return self._fork(
            lambda: live(command, fault, self._board, self.folder),
            seconds=fault.after if fault.kind == "kill" and not fault.at else None,
        )

    def _fork(self, work: Callable[[], object], *, seconds: float | None = None) -> int:
        others = _other_threads()
        if others:
            raise UsageError(
                f"the process that forks has more than one thread: {', '.join(others)}",
                expected="one",
                fix="run it as `pretune selftest`",
            )
        child = os.fork()
        if child == 0:
            try:
                work()
            finally:
                os._exit(0)
        deadline = time.monotonic() + (seconds or 0.0)
        while seconds is not None:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() >= deadline:
                os.kill(child, signal.SIGKILL)
                break
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _clear(self) -> None:
        """Remove what a training left, and what it kept for others: the next one writes it again, and is killed meanwhile."""
        for name in ("run", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _compare(self, found: dict[str, str], what: str) -> None:
        wanted = self._now.wanted
        wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        if wanted and wrong:
            self.tally.differences.append(f"{what}: {', '.join(wrong)} differ")

    def _story(self) -> str:
        return f"training {self.tally.trainings.total()}, {self._now.kind.name} ({', '.join(self._lives)})"

    def _said(self) -> str:
        return " ".join(((self.folder / "out").read_text() + (self.folder / "err").read_text()).split())[-600:]


def outcome_of(run: Path) -> dict[str, str]:
    """Return digests of all that a training leaves and that must not depend on how often it was cut off.

    Times do, and the card in the model folder, which names the run.
    """
    parts = [path for name in ("model", "linear", "predictions", "data") for path in sorted((run / name).rglob("*"))]
    known = {path.relative_to(run).as_posix(): path for path in parts if path.is_file()}
    found = {name: digest_of_file(path) for name, path in known.items() if name != "model/README.md"}
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    for validation in record["history"]["validations"]:
        del validation["seconds"]
    for name in ("history", "scores", "comparisons", "threshold", "calibration", "receipt", "token_counts", "chat"):
        found[f"run.json: {name}"] = digest_of(record[name])
    return found


def _newest(run: Path) -> int:
    """Return the number of the newest whole checkpoint, 0 without one, ``DONE`` where the training has ended."""
    numbers = [0]
    for folder in (run / "checkpoints").glob("step-*"):
        with contextlib.suppress(StorageError):
            storage.check_digests(folder)
            numbers.append(int(folder.name.removeprefix("step-")))
    is_done = (run / "run.json").is_file() and json.loads((run / "run.json").read_text(encoding="utf-8"))["status"] == "trained"
    return DONE if is_done else max(numbers)


def _other_threads() -> list[str]:
    """Return the names of threads besides this one that a fork would lose; the allocator of Arrow takes care of its own."""
    tasks = Path("/proc/self/task")
    own = str(threading.get_native_id())
    found = [(task / "comm").read_text().strip() for task in tasks.iterdir() if task.name != own] if tasks.is_dir() else []
    return [name for name in found if not name.startswith("jemalloc")]


def _import_late(names: Iterable[str]) -> None:
    for name in names:
        if name.partition(".")[0] in LATE:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
