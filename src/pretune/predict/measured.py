"""How fast a classifier answers, and in how much memory: asked in a process of its own, one form each.

This file is also a program: ``python -m pretune.predict.measured PLACE`` reads texts from standard input and writes what it
measured. PLACE is an export or a model folder.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.errors import ProcessError
from pretune.intervals import Floats
from pretune.models.exported import EXPORT
from pretune.predict.runtimes.threads import choose_threads
from pretune.records import Measured, Pace

if TYPE_CHECKING:
    from pretune.predict.text_scorer import TextScorer

AT_ONCE = 64  # texts of a full batch of a server
ONE_BY_ONE, ALL_AT_ONCE, AS_SERVED = "one by one", f"{AT_ONCE} at once", "as served"
MAX_ALONE, MAX_TEXTS = 64, 256
ROUNDS = 3  # of which the fastest counts: others may be at work
SECONDS = 1_800.0


def measure_apart(place: Path, texts: Sequence[str]) -> Measured:
    """Return what a classifier costs, measured in another process.

    Args:
        place: An export or a model folder.
        texts: Clean ones, of which some hundred are asked about.

    Raises:
        ProcessError: It could not be asked.
    """
    command = [sys.executable, "-m", "pretune.predict.measured", str(place)]
    said = json.dumps(list(texts[:MAX_TEXTS])).encode()
    done = subprocess.run(command, input=said, capture_output=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise ProcessError(
            f"{place} could not be asked in a process of its own: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}",
            fix="try again; if it stays so, report it",
        )
    return Measured.from_json(json.loads(done.stdout))


def measure(place: Path, texts: Sequence[str]) -> Measured:
    """Return what a classifier costs, measured in this process."""
    start = time.perf_counter()
    scorer = _open(place)
    scorer.shares(texts[:1])
    load = time.perf_counter() - start
    alone = texts[:MAX_ALONE]
    asked: dict[str, tuple[int, Callable[[], object]]] = {
        ONE_BY_ONE: (len(alone), lambda: shares_in_parts(scorer, alone, 1)),
        ALL_AT_ONCE: (len(texts), lambda: shares_in_parts(scorer, texts, AT_ONCE)),
        AS_SERVED: (len(texts), lambda: scorer.shares(texts)),
    }
    threads = choose_threads(None)
    paces = tuple(
        Pace(how=how, num_texts=number, texts_per_second=round(number / min(map(_timed, [ask] * ROUNDS)), 1), threads=threads)
        for how, (number, ask) in asked.items()
    )
    return Measured(paces=paces, load_seconds=round(load, 3), peak_bytes=peak_bytes())


def shares_in_parts(scorer: "TextScorer", texts: Sequence[str], size: int) -> list[Floats]:
    """Return the probabilities of so many texts at once, in their order."""
    return [scorer.shares(texts[first : first + size]) for first in range(0, len(texts), size)]


def peak_bytes() -> int:
    """Return the most memory that this process ever had.

    Linux counts what its parent had at the fork as well where ``getrusage`` is asked, and not in ``VmHWM``.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _timed(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def _open(place: Path) -> Any:
    if (place / EXPORT).is_file():
        from pretune.predict.exported import open_export

        return open_export(place)
    from pretune.models import load_folder
    from pretune.predict.scorer import Scorer

    network, tokenizer, card = load_folder(place)
    return Scorer(network=network, tokenizer=tokenizer, card=card)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), json.load(sys.stdin)).to_json()) + "\n")
