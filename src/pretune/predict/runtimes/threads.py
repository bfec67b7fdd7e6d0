"""How many threads a runtime gets."""

import os


def choose_threads(threads: int | None) -> int:
    """Return the number asked for, else ``OMP_NUM_THREADS``, else as many as this process may use."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if threads is not None:
        return threads
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
