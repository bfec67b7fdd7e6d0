"""Where to compute, how precisely, with how many threads, and from which seed."""

import contextlib
import ctypes
import os
import random
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from pretune.errors import UsageError

# A product that tells whether bf16 is the faster precision, (rows, width) times (wider, width), the best of a few: on one
# processor it took 1.7 times as long as in fp32, on another a quarter, and the limit is far from both.
PRODUCT, TRIALS, FASTER = (256, 512, 1024), 5, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A resolved choice.

    Args:
        kind: ``cpu`` or ``cuda``.
        precision: ``bf16`` or ``fp32``, what matrix products are computed in.
        threads: Threads of one process.
        why: One sentence for the user.
    """

    kind: str
    precision: str
    threads: int
    why: str

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which forward passes run."""
        return torch.autocast(self.kind, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def __str__(self) -> str:
        return f"{self.kind}, {self.threads} threads, {self.precision}"


def has_fast_bf16(kind: str = "cpu") -> bool:
    """Whether matrix products are faster in bf16 than in fp32.

    They are with matrix instructions (AMX), and are not without any instruction for bf16. Vectors of bf16 (AVX-512, Arm) are
    measured once a process, some 20 ms: there are processors that have them, and on which fp32 is faster.
    ``PRETUNE_BF16=0`` switches them off.
    """
    if os.environ.get("PRETUNE_BF16") == "0":
        return False
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    if any(capabilities.get(name) for name in ("amx_bf16", "amx_tile")):
        return True
    return any(capabilities.get(name) for name in ("avx512_bf16", "bf16")) and _bf16_wins()


@cache
def _bf16_wins() -> bool:
    """Whether products take clearly less time in bf16, the best of a few of each: other processes may disturb some."""
    rows, width, wider = PRODUCT
    best = []
    with torch.inference_mode():
        for precision in (torch.float32, torch.bfloat16):
            left, right = torch.ones(rows, width, dtype=precision), torch.ones(wider, width, dtype=precision)
            best.append(min(_seconds(left, right) for _ in range(TRIALS + 1)))
    return best[1] < FASTER * best[0]


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    start = time.perf_counter()
    torch.nn.functional.linear(left, right)
    return time.perf_counter() - start


def choose_device(kind: str = "auto", *, precision: str = "auto", threads: int | None = None) -> Device:
    """Resolve ``--device``, the precision and ``--threads``, and set torch's thread count.

    Raises:
        UsageError: The device is not known or not there.
    """
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    if kind not in ("cpu", "cuda") or (kind == "cuda" and not torch.cuda.is_available()):
        raise UsageError(
            f"device {kind!r} is not available", expected="cpu, or cuda with a GPU that PyTorch sees", fix="--device cpu"
        )
    if threads is not None:
        if threads < 1:
            raise UsageError(f"threads is {threads}", expected="at least 1", fix="leave --threads out")
        torch.set_num_threads(threads)
    if precision != "auto":
        chosen, why = precision, f"{precision} was asked for"
    elif has_fast_bf16(kind):
        chosen, why = "bf16", "fast bf16 instructions found"
    else:
        chosen, why = "fp32", "no fast bf16 instructions in use, so fp32"
    return Device(kind=kind, precision=chosen, threads=torch.get_num_threads(), why=why)


def release_memory() -> None:
    """Give freed memory back to the system, where the C library keeps it for later (glibc); elsewhere nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch; only ``seed_step`` besides seeds globally."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Seed torch for one step of one process, so that what it draws depends on these alone and training can go on anywhere."""
    drawn = int(np.random.SeedSequence([seed % 2**32, step, rank]).generate_state(1, np.uint64)[0])
    # As torch.manual_seed does, which besides queues a call with its stack for each step, for a GPU that may never be used.
    torch.default_generator.manual_seed(drawn)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(drawn)
