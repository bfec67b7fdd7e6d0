"""What ``torchrun`` started: the first process leads and tells, the others wait for work, and one's failure ends all.

Messages that are not tensors (what to do, what went wrong, that it is over) go through the store where the processes met.
"""

import atexit
import contextlib
import gc
import json
import os
import socket
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from pretune.errors import PretuneError, ProcessError, UsageError, explain_unforeseen
from pretune.train.distributed import World, explain_loss

# Seconds that a process waits for another in the midst of training. The slowest thing that one does alone there is reading the
# data again.
PATIENCE = 1800.0
# Seconds in which the first process, which tells for all, is to find out that another one failed, on a loaded machine too.
SECONDS_TO_TELL = 30.0
WORK, FAILED, ENDED = "work", "failed", "ended"
INTERRUPTED = 130  # exit code of a process that Ctrl-C ended


@dataclass(slots=True)
class Company:
    """The processes that were started together, this one among them.

    Args:
        store: Where words are left for the others.
        world: The same processes, for tensors.
    """

    store: Any
    world: World
    _num_works: int = field(default=0)

    @property
    def has_other_machines(self) -> bool:
        """Whether some of the processes run on another machine, as ``torchrun --nnodes`` starts them."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", self.world.size)) < self.world.size

    def give_work(self, work: dict[str, Any]) -> None:
        """Tell the others what to train, in step with this process."""
        self.store.set(f"{WORK}-{self._num_works}", json.dumps(work))
        self._num_works += 1

    def works(self) -> Iterator[dict[str, Any]]:
        """Yield what the first process gives to do, until it has ended."""
        while True:
            if self._has(key := f"{WORK}-{self._num_works}"):
                self._num_works += 1
                yield json.loads(self.store.get(key))
            elif self._has(ENDED, if_lost=True):
                return
            else:
                time.sleep(0.1)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """While the block runs, what goes wrong in it is left for the others to find."""
        try:
            yield
        except BaseException as error:
            self._leave(error)
            _let_go(error)
            raise

    def end(self) -> None:
        """Say that this process, the first, is done; the others end when they read it."""
        with contextlib.suppress(RuntimeError):
            self.store.set(ENDED, "")
        _part()

    def await_end(self) -> bool:
        """Give the first process the time to tell what went wrong; return whether it has."""
        _part()  # it may be waiting for this one
        deadline = time.monotonic() + SECONDS_TO_TELL
        while not (done := self._has(ENDED, if_lost=True)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return done

    def failure(self) -> PretuneError | None:
        """Return what another process said went wrong with it."""
        if not self._has(FAILED):
            return None
        said = json.loads(self.store.get(FAILED))
        error = ProcessError(said["got"], expected=said["expected"], fix=said["fix"])
        error.code, error.exit_code = said["code"], said["exit_code"]
        return error

    def explain(self) -> Exception:
        """Return why another process did not answer: its own words, where it had any."""
        return self.failure() or explain_loss()

    def _leave(self, error: BaseException) -> None:
        found = explain_unforeseen(error)
        fields = found.to_json()
        if found is not error or (self.has_other_machines and not self.world.is_first):
            fields["got"] = f"process {self.world.rank} on {socket.gethostname()}: {found.got}"
        code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else found.exit_code
        with contextlib.suppress(RuntimeError):
            self.store.compare_set(FAILED, "", json.dumps({**fields, "exit_code": code}))

    def _has(self, key: str, *, if_lost: bool = False) -> bool:
        try:
            return bool(self.store.check([key]))
        except RuntimeError:  # whoever kept the store is gone
            return if_lost


def started_together() -> bool:
    """Whether a launcher such as ``torchrun`` started more than one process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def join(device: str = "auto") -> Company | None:
    """Meet the other processes that a launcher started; ``None`` where this is the only one.

    Sums go through gloo on processors and NCCL on GPUs, one GPU a process.

    Args:
        device: As ``--device`` has it.

    Raises:
        UsageError: There are fewer GPUs than processes.
        ProcessError: The others did not come.
    """
    if not started_together():
        return None
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        _take_gpu(int(os.environ.get("LOCAL_RANK", "0")))
    patience = timedelta(seconds=float(os.environ.get("PRETUNE_PATIENCE", PATIENCE)))
    try:
        store, rank, size = next(iter(rendezvous("env://", timeout=patience)))
        backend = "cpu:gloo,cuda:nccl" if on_gpu else "gloo"
        dist.init_process_group(backend, store=PrefixStore("sums", store), rank=rank, world_size=size, timeout=patience)
    except RuntimeError as error:
        raise ProcessError(
            f"the {os.environ['WORLD_SIZE']} processes did not meet: {error}",
            expected="as many processes as WORLD_SIZE says, at MASTER_ADDR and MASTER_PORT",
            fix="start them with torchrun",
        ) from error
    company = Company(PrefixStore("words", store), World(rank, size))
    company.world = World(rank, size, company.explain)
    if company.world.is_first:
        atexit.register(company.end)
    return company


def _take_gpu(number: int) -> None:
    count = torch.cuda.device_count()
    if number >= count:
        raise UsageError(
            f"process {number} of this machine has no GPU of its own: there are {count}",
            expected="at most one process per GPU",
            fix=f"--nproc-per-node {count}, or --device cpu",
        )
    torch.cuda.set_device(number)


def _let_go(error: BaseException) -> None:
    """Free whatever shares weights or gradients: as long as something does, torch keeps the group open that is left.

    Those are what the frames of an error hold, and meshes, which the caches of DTensor keep.
    """
    found: BaseException | None = error
    while found is not None:
        traceback.clear_frames(found.__traceback__)
        found = found.__cause__ or found.__context__
    gc.collect()
    for item in gc.get_objects():
        if isinstance(item, DeviceMesh):
            vars(item).get("_pg_registry", {}).clear()


def _part() -> None:
    """Leave the group: whoever waits for a sum learns at once that this process will not take part."""
    if dist.is_initialized():
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()
