"""Kills over all commands that write: each is killed at a counted file operation, given again, and must end as if unbroken.

Compared are all files that do not depend on time or on how often the test was looked at; a run must also be whole by ``pretune
verify``, and nothing may be left aside. ``python benchmarks/kills.py --kills 500 --state kills.jsonl --out
benchmarks/results/kills.json``: with a state file, a bench that is stopped goes on where it was. No network; a process that
imported everything forks a child a life, so a kill takes about as long as the command.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", PRETUNE_BF16="0", PRETUNE_SAVE_SECONDS="0")

import argparse
import atexit
import json
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pretune.data.catalogue.entries import ENTRIES, Entry
from pretune.data.catalogue.fetch import fetch
from pretune.hashing import digest_of_file
from pretune.selftest.harness import LATE, _import_late
from pretune.selftest.life import MODULES, Board, Fault, _count_writes, speak_into
from pretune.selftest.material import make_rows, write_material

TRAINING = (
    "--freeze", "none", "--epochs", "2", "--lr", "3e-3", "--batch-size", "8", "--threads", "1", "--seed", "1", "--set",
    "finetune.precision=fp32", "--quiet",
)  # fmt: skip
PRETRAINING = (
    "--architecture", "hidden_size=16,num_hidden_layers=1,num_attention_heads=2", "--vocab-size", "512", "--window", "16",
    "--batch-tokens", "128", "--threads", "1", "--set", "pretrain.precision=fp32", "--tokens", "8k", "--quiet",
)  # fmt: skip
# By command: what it is given, what must be there before, and which exit codes are those of an unbroken one.
COMMANDS: dict[str, tuple[str, ...]] = {
    "finetune": ("finetune", "{p}/rows.csv", "--model", "{p}/tiny", *TRAINING, "--run", "{p}/run"),
    "run": ("run", "{p}/rows.csv", "--model", "{p}/tiny", *TRAINING, "--run", "{p}/run"),
    "judge": ("judge", "{p}/run", "--goal", "recall", "--quiet"),
    "report": ("report", "{p}/run"),
    "predict": ("predict", "{p}/run", "--file", "{p}/asked.csv", "--output", "{p}/answers.csv"),
    "pretrain": ("pretrain", "{p}/raw.txt", *PRETRAINING, "--run", "{p}/run"),
    "overwrite": ("pretrain", "{p}/raw.txt", *PRETRAINING, "--run", "{p}/run", "--overwrite"),
    "fetch": (),
    # Two processes that train as one, as torchrun starts them: the first one, which writes, is killed.
    "together": ("finetune", "{p}/rows.csv", "--model", "{p}/tiny", *TRAINING, "--run", "{p}/run"),
}
TOGETHER = "together"
OTHER = "other.pid"
PATIENCE = 60  # seconds in which the other process has to notice, and end
BEFORE = {"judge": ("run",), "report": ("run",), "predict": ("run",), "overwrite": ("pretrain",)}
FINISHED = (0, 1, 3)
# Where nothing may be left, and what differs between two unbroken commands.
# What a command says that is given again after it was done.
DONE = ("finished run", "that this same command started")
LEFT = (".aside", ".before", ".download.", ".previous")
VARYING = (
    "run.json",
    "trace.jsonl",
    "report.html",
    "README.md",
    "openings.jsonl",
    "receipt.json",
    "ledger",
    "locks",
    "sealed.",
)


class Bench:
    """What each command starts from and ends with.

    Args:
        place: An empty folder.
    """

    def __init__(self, place: Path) -> None:
        self.root, self.place, self.board = place, place / "now", Board()
        self.start, self.wanted, self.writes = dict[str, Path](), dict[str, dict[str, str]](), dict[str, int]()
        os.environ.update(PRETUNE_HOME=str(self.place / "home"), PRETUNE_CACHE=str(self.place / "cache"))
        _import_late(LATE)
        bare = place / "bare"
        bare.mkdir()
        self._fork(lambda: _write(bare))
        for name in COMMANDS:
            self.start[name] = bare
            for step in BEFORE.get(name, ()):
                self.start[name] = place / f"before-{step}"
                if not self.start[name].exists():
                    self._begin(bare)
                    self._expect(step)
                    shutil.copytree(self.place, self.start[name], symlinks=True)
            for attempt in range(2):  # the first loads what it needs, so that the second's writes can be counted
                self._begin(self.start[name])
                self._expect(name)
                modules = self.place / MODULES
                if attempt == 0 and modules.is_file():
                    _import_late(modules.read_text(encoding="utf-8").split())
            self.wanted[name], self.writes[name] = self._outcome(), self.board.num_writes

    def kill(self, number: int, seed: int) -> dict[str, Any]:
        """Kill one command at one of its writes, give it again, and say what is not as it should be."""
        draw, name = random.Random(f"{seed} {number}"), list(COMMANDS)[number % len(COMMANDS)]
        self._begin(self.start[name])
        at = draw.randint(1, max(1, self.writes[name]))
        code = self._live(name, Fault(kind="kill", at=at))
        found: dict[str, Any] = {"number": number, "command": name, "at": at, "killed": code == -signal.SIGKILL, "wrong": []}
        again = self._live(name, Fault())
        taken = any(words in self._said() for words in DONE)  # the kill came when all was written
        if again not in FINISHED and not taken:
            found["wrong"].append(f"given again it ended with {again}: {self._said()}")
        outcome = self._outcome()
        wrong = sorted(
            key for key in outcome.keys() | self.wanted[name].keys() if outcome.get(key) != self.wanted[name].get(key)
        )
        found["wrong"] += [f"differ: {', '.join(wrong[:6])}"] if wrong else []
        left = [
            item.relative_to(self.place).as_posix() for item in self.place.rglob("*") if any(mark in item.name for mark in LEFT)
        ]
        found["wrong"] += [f"left over: {', '.join(left[:6])}"] if left else []
        if (self.place / "run" / "run.json").is_file() and self._fork(lambda: self._call(("verify", str(self.place / "run")))):
            found["wrong"].append(f"verify: {self._said()}")
        return found

    def _begin(self, state: Path) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(state, self.place, symlinks=True)

    def _expect(self, name: str) -> None:
        code = self._live(name, Fault())
        if code not in FINISHED:
            raise SystemExit(f"{name}, unbroken, ended with {code}: {self._said()}")

    def _live(self, name: str, fault: Fault) -> int:
        self.board.clear()
        words = tuple(word.format(p=self.place) for word in COMMANDS[name])

        def life() -> int:
            speak_into(self.place)
            other = self._accompany(words) if name == TOGETHER else 0
            _count_writes(fault, self.board, str(self.place))
            code = self._call(words) if words else self._fetch()
            if fault.kind == "none":
                self.board_modules()
            if other:
                atexit._run_exitfuncs()  # tells the other process that this one is done; a fork does not run them by itself
                os.waitpid(other, 0)
            return code

        code = self._fork(life)
        if name == TOGETHER:
            self._end_others()
        return code

    def _accompany(self, words: tuple[str, ...]) -> int:
        """Start the second of two processes; this one becomes the first. Return the other's number."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        os.environ.update(WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=port, RANK="0", LOCAL_RANK="0")
        other = os.fork()
        if other:
            (self.root / OTHER).write_text(str(other), encoding="utf-8")
            return other
        os.environ.update(RANK="1", LOCAL_RANK="1")
        code = 70
        try:
            code = self._call(words)
        finally:
            os._exit(code)

    def _end_others(self) -> None:
        """Wait until the second process has ended by itself.

        Raises:
            SystemExit: It did not: a lost process must end all.
        """
        number, end = int((self.root / OTHER).read_text(encoding="utf-8")), time.monotonic() + PATIENCE
        while _is_running(number):
            if time.monotonic() > end:
                os.kill(number, signal.SIGKILL)
                raise SystemExit(f"the other process did not end within {PATIENCE} s after the first was killed")
            time.sleep(0.05)

    def board_modules(self) -> None:
        """Leave the names of what this life has loaded, for the process that forks."""
        (self.place / MODULES).write_text("\n".join(sorted(sys.modules)), encoding="utf-8")

    def _call(self, words: tuple[str, ...]) -> int:
        from pretune.cli.app import _run

        speak_into(self.place)
        code = _run(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def _fetch(self) -> int:
        wheel = self.place / "things-1.0-py3-none-any.whl"
        fetch(_entry(wheel), wheel=wheel)
        return 0

    def _fork(self, work: Callable[[], Any]) -> int:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = int(work() or 0)
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _outcome(self) -> dict[str, str]:
        files = (file for file in sorted(self.place.rglob("*")) if file.is_file())
        kept = {file.relative_to(self.place).as_posix(): file for file in files}
        return {
            name: digest_of_file(file)
            for name, file in kept.items()
            if name not in ("out", "err", MODULES) and not any(part in name for part in (*VARYING, *LEFT, "cache/trunk"))
        }

    def _said(self) -> str:
        return " ".join("".join((self.place / name).read_text() for name in ("out", "err")).split())[-500:]


def _is_running(number: int) -> bool:
    """Whether a process is there and has not ended; one that nobody waits for counts as ended."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def _write(place: Path) -> None:
    speak_into(place)
    table, _ = write_material(place)
    rows = make_rows(150)
    table.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    (place / "asked.csv").write_text("text\n" + "".join(f"{text}\n" for text, _ in rows[:90]), encoding="utf-8")
    documents = ("\n".join(text for text, _ in make_rows(12, seed=seed)) for seed in range(60))
    (place / "raw.txt").write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    with zipfile.ZipFile(place / "things-1.0-py3-none-any.whl", "w") as archive:
        for number in range(4):
            archive.writestr(f"things/data/{number}.txt", "a b c\n" * 1_000)


def _entry(wheel: Path) -> Entry:
    known = next(entry for entry in ENTRIES if entry.kind == "data")
    return replace(
        known, name="things", package="things", version="1.0", sha256=digest_of_file(wheel), members=("things/data/",)
    )


def measure(
    num_kills: int, seed: int, state: Path | None = None, *, tell: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Kill so many times; return the counts as JSON."""
    start, place = time.perf_counter(), Path(tempfile.mkdtemp(prefix="pretune-kills-"))
    lines = state.read_text(encoding="utf-8").splitlines() if state is not None and state.exists() else []
    done = {found["number"]: found for found in map(json.loads, lines)}
    try:
        bench = Bench(place)
        for number in range(num_kills):
            if number in done:
                continue
            found = done[number] = bench.kill(number, seed)
            if state is not None:
                with state.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
            if found["wrong"] or number % 20 == 19:
                tell(f"{number + 1} kills; {json.dumps(found)}")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    all_found = [done[number] for number in range(num_kills)]
    killed = Counter(found["command"] for found in all_found if found["killed"])
    wrong = [found for found in all_found if found["wrong"]]
    return {
        "schema": 1, "seed": seed, "commands_given": len(all_found), "kills": killed.total(), "by_command": dict(killed),
        "writes": bench.writes, "wrong": len(wrong), "details": wrong[:30], "seconds": round(time.perf_counter() - start, 1),
    }  # fmt: skip


def main() -> int:
    """Measure, print, and write the result; return 1 where anything differs or is left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measure(given.kills, given.seed, given.state, tell=lambda line: print(line, file=sys.stderr, flush=True))
    text = json.dumps(found, indent=1)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return int(bool(found["wrong"]))


if __name__ == "__main__":
    sys.exit(main())
