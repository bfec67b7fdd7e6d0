"""Workers: other processes work on blocks of documents, in order; the result does not depend on how many there are.

A worker is ``worker.py`` run by the same Python: it reads messages from its standard input and answers on its standard output.
A message is a line of JSON (values, and name, type and shape of each array) followed by the arrays' bytes. So nothing is
pickled, nothing is forked out of a process that has threads, and a script that calls us needs no ``if __name__ == "__main__"``.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Self

import numpy as np

from pretune.data.corpus.blocks import TASKS, Message
from pretune.errors import StorageError

# Blocks that are done here before it is worth starting processes, which takes about half a second.
FEW = 4


@dataclass(frozen=True, slots=True)
class _Worker:
    """One process and the two pipes to it."""

    process: subprocess.Popen[bytes]
    source: IO[bytes]
    target: IO[bytes]

    def ask(self, message: Message) -> Message:
        """Send a message and wait for the answer."""
        try:
            send(self.target, message)
            answer = receive(self.source)
        except (OSError, ValueError) as error:
            raise self._lost() from error
        if answer is None:
            raise self._lost()
        if "error" in answer.values:
            raise RuntimeError(f"a worker failed:\n{answer.values['error']}")
        return answer

    def end(self, *, at_once: bool) -> None:
        """Let the process finish, or end it."""
        if at_once:
            self.process.kill()
        with contextlib.suppress(OSError):
            self.target.close()
        self.process.wait()
        self.source.close()

    def _lost(self) -> StorageError:
        return StorageError(
            f"a process that prepares the corpus ended early (code {self.process.poll()})",
            expected="an answer from every process",
            fix="check that there is enough memory, or use one process: --set corpus.workers=1",
        )


class Workers:
    """Processes that are started when there is enough to do, and end with the block.

    Args:
        count: How many; 1 does everything in this process, ``None`` is one a core.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = num_cores() if count is None else count
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        self._running: list[_Worker] = []
        self._threads = ThreadPoolExecutor(self._count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        for worker in self._running:
            worker.end(at_once=kind is not None)
        self._threads.shutdown(cancel_futures=True)

    def map(self, task: str, messages: Iterable[Message]) -> Iterator[Message]:
        """Yield what the task makes of each message, in their order."""
        messages = iter(messages)
        few = [] if self._running or self._count == 1 else list(islice(messages, FEW))
        if not self._running and len(few) < FEW:
            yield from map(TASKS[task], chain(few, messages))
            return
        self._start()
        pending: deque[Future[Message]] = deque()
        for message in chain(few, messages):
            pending.append(self._threads.submit(self._ask, task, message))
            if len(pending) > 2 * self._count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _start(self) -> None:
        if self._running:
            return
        root = str(Path(__file__).parents[3])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "pretune.data.corpus.worker"]
        for _ in range(self._count):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            if process.stdin is not None and process.stdout is not None:  # always so: they are pipes
                self._running.append(_Worker(process, process.stdout, process.stdin))
                self._free.put(self._running[-1])

    def _ask(self, task: str, message: Message) -> Message:
        worker = self._free.get()
        try:
            return worker.ask(Message({"task": task, "values": message.values}, message.arrays))
        finally:
            self._free.put(worker)


def send(stream: IO[bytes], message: Message) -> None:
    """Write one message."""
    arrays = {name: np.ascontiguousarray(item) for name, item in message.arrays.items()}
    shapes = {name: [item.dtype.str, list(item.shape)] for name, item in arrays.items()}
    stream.write(json.dumps({"values": message.values, "arrays": shapes}).encode() + b"\n")
    for item in arrays.values():
        stream.write(item.tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read one message; ``None`` where the other side has closed."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    header = json.loads(line)
    arrays: dict[str, Any] = {}
    for name, (kind, shape) in header["arrays"].items():
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        data = stream.read(size)
        if len(data) < size:
            return None
        arrays[name] = np.frombuffer(data, dtype=kind).reshape(shape)
    return Message(header["values"], arrays)


def num_cores() -> int:
    """Return how many cores this process may use; where the system does not say, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
