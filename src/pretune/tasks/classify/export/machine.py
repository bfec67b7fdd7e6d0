"""What a speed was measured on, in words."""

import os
import platform
from pathlib import Path

# Instructions that decide how fast 8-bit and 16-bit products are.
TOLD = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimddp",
    "i8mm",
    "bf16",
)


def describe_machine() -> dict[str, str]:
    """Return processor, number of its cores that this process may use, and instructions for products of small numbers."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    about = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = set((about.get("flags") or about.get("Features") or "").split())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "processor": about.get("model name") or platform.machine(),
        "cores": str(cores),
        "instructions": " ".join(name for name in TOLD if name in flags),
    }
