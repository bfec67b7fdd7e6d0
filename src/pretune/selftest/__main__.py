"""``python -m pretune.selftest``: the process that forks, with one thread in every library, set before any is loaded."""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ.update(TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", PRETUNE_BF16="0")

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pretune.cli.app import settle
from pretune.cli.streams import protect_streams
from pretune.errors import StoppedError, explain_unforeseen
from pretune.selftest.harness import Harness
from pretune.selftest.life import PLACES


def main() -> int:
    """Run the harness and print what came out; return 0 where nothing differs, 4 otherwise."""
    parser = argparse.ArgumentParser(prog="pretune selftest")
    for name in ("--kill", "--refuse", "--seed"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    start, folder = time.perf_counter(), Path(tempfile.mkdtemp(prefix="pretune-selftest-"))
    try:
        harness = Harness(folder, seed=given.seed)
        harness.begin()
        harness.torture(kills=given.kill, refusals=given.refuse)
    except BaseException as error:
        found = explain_unforeseen(StoppedError("interrupted") if isinstance(error, KeyboardInterrupt) else error)
        if given.json:
            print(json.dumps({"schema": 1, "error": found.to_json()}))  # noqa: T201
        else:
            print(f"pretune: {found}", file=sys.stderr)  # noqa: T201
        return found.exit_code
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {**harness.report(), "seed": given.seed, "seconds": round(time.perf_counter() - start, 1)}
    print(json.dumps(report) if given.json else tell(report))  # noqa: T201
    return 4 if report["differences"] else 0


def tell(found: dict[str, object]) -> str:
    """Say in a few lines what the report says."""
    where, refused, kinds = found["where"], found["refused"], found["kinds"]
    assert isinstance(where, dict)  # noqa: S101
    assert isinstance(refused, dict)  # noqa: S101
    assert isinstance(kinds, dict)  # noqa: S101
    lines = [
        f"{found['kills']} kills, {found['counted']} at a counted file operation and {found['timed']} at a random moment, "
        f"in {found['trainings']} trainings",
        "  " + " · ".join(f"{where[name]} {name}" for name in PLACES),
        *(
            f"  {kind['trainings']} × {name}, {kind['writes']} writes and {kind['seconds_unbroken']} s each"
            for name, kind in kinds.items()
        ),
        *(f"  left out, {line}" for line in found["left_out"]),  # type: ignore[attr-defined]
    ]
    if refused:
        told = " and ".join(f"{count} by a {kind} disk" for kind, count in sorted(refused.items()))
        lines.append(f"refused writes: {told}; each ended with one message and exit code 4")
    lines += [f"differences: {found['differences']} (seed {found['seed']}, {found['seconds']} s)"]
    return "\n".join([*lines, *(f"  {line}" for line in found["details"])])  # type: ignore[attr-defined]


if __name__ == "__main__":
    protect_streams()
    sys.exit(settle(main()))
