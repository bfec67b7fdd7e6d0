"""Where to compute, how precisely, with how many threads, and from which seed."""

import contextlib
import ctypes
import os
import random
from dataclasses import dataclass

import numpy as np
import torch

from pretune.errors import UsageError


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
    """Whether bf16 matrix products have instructions of their own; without them they are slower than fp32.

    ``PRETUNE_BF16=0`` switches them off.
    """
    if os.environ.get("PRETUNE_BF16") == "0":
        return False
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "amx_tile", "bf16"))


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
        chosen, why = "bf16", "bf16 instructions found"
    else:
        chosen, why = "fp32", "no bf16 instructions in use, so fp32"
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
