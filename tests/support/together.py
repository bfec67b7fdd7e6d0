"""Several processes of one training, started as torchrun starts them, each exit code and output kept apart."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Fine-tunes like `python -m pretune`, but sleeps in every step; what happens at step 20 is put in for HERE.
SLOW = """
import os, signal, sys, time
import pretune.train.optimizer as optimizer
from pretune.errors import DataError
made, plain = [0], optimizer.Optimizer.step
def step(self, factor):
    made[0] += 1
    if made[0] == 20:
        HERE
    time.sleep(0.02)
    return plain(self, factor)
optimizer.Optimizer.step = step
from pretune.cli.app import main
main()
"""


@dataclass
class Ended:
    """How one process ended."""

    code: int
    out: str
    err: str


def start(*arguments: str | Path, size: int = 2, scripts: dict[int, str] | None = None, **environment: str) -> list[Any]:
    """Start ``python ARGUMENTS`` as processes 0 to ``size`` - 1; ``scripts`` are run in place of ``-m pretune`` by number."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    common |= {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "support")])}
    started = []
    for rank in range(size):
        script = (scripts or {}).get(rank)
        words = [str(item) for item in arguments]
        command = ["-c", script, *words[2:]] if script and words[:2] == ["-m", "pretune"] else words
        own = {**common, **environment, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        started.append(
            subprocess.Popen([sys.executable, *command], env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    return started


def finish(started: list[Any], timeout: float = 600) -> list[Ended]:
    """Wait for all, and kill them where that takes too long."""
    ended = []
    try:
        for process in started:
            out, err = process.communicate(timeout=timeout)
            ended.append(Ended(process.returncode, out, err))
    finally:
        for process in started:
            process.kill()
            process.communicate()  # closes its pipes
    return ended


def slow(happens: str = "pass") -> str:
    """Return a script that fine-tunes slowly; ``happens`` is what it does at step 20."""
    return SLOW.replace("HERE", happens)


def lines_of(ended: list[Ended]) -> list[str]:
    """Return what pretune itself said went wrong, of all processes."""
    return [line for item in ended for line in (item.out + item.err).splitlines() if line.startswith("pretune:")]
