"""Two trainings at once on two cores, and one alone: the time of an update, by how long threads wait awake for each other.

    python benchmarks/beside.py

``movie-reviews``, all layers of ``minilm``, 32 texts an update, as in ``step_profile.py``; each training is a process.
"""

import json
import os
import subprocess
import sys
from typing import Any

import step_profile
from harness import row
from pretune.__main__ import TURNS

# As GNU OpenMP has it, as the command line sets it, and threads that sleep at once.
WAITING = {"usual": {}, "pretune": {"GOMP_SPINCOUNT": TURNS}, "asleep": {"GOMP_SPINCOUNT": "0"}}
ROUNDS = 3


def main() -> None:
    """Measure, anew each time; with ``child``, time the updates of one training."""
    if sys.argv[1:] == ["child"]:
        step_profile.NUM_STEPS, step_profile.WARM = 24, 6
        print(json.dumps(step_profile.steps(None)))
    else:
        row("profile/beside", measure, again=True)


def measure() -> dict[str, Any]:
    """Return milliseconds an update, the best of three alone and the median of three pairs, and how many times longer."""
    found = {}
    for name, environment in WAITING.items():
        alone = min(trained(environment, 1)[0] for _ in range(ROUNDS))
        pairs = sorted(max(trained(environment, 2)) for _ in range(ROUNDS))
        found[name] = {"alone": round(alone, 1), "two": round(pairs[1], 1), "times": round(pairs[1] / alone, 2)}
        print(f"  {name}: {found[name]}", flush=True)
    return {"ms": found}


def trained(environment: dict[str, str], number: int) -> list[float]:
    """Return milliseconds an update of each of so many trainings that run at once."""
    command = [sys.executable, __file__, "child"]
    bare = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    begun = [subprocess.Popen(command, env={**bare, **environment}, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    return [json.loads(process.communicate()[0].splitlines()[-1])["ms"] for process in begun]


if __name__ == "__main__":
    main()
