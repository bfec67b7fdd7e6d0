"""The command that kills small trainings and compares the results. Heavy imports wait until it runs."""

import os
import sys

from pretune.cli.signature import Flags, takes_flags


@takes_flags
def selftest(flags: Flags) -> int:
    """Kill small trainings repeatedly and compare the results.

    Half of the kills hit a counted file operation, half a random moment, inside a save or not; the same command
    resumes each time. A classifier (all layers, last layers, stages, LoRA with peft, a moving average) and a chat model (all
    layers, stages, LoRA) take turns. Each result must equal that of an uninterrupted training to the bit. Uses no network.
    """
    words = ["-m", "pretune.selftest", "--kill", str(flags["kill"]), "--refuse", str(flags["refuse"] or 0)]
    words += ["--seed", str(flags["seed"] or 0)]
    # In place of this process: what forks must have set its number of threads before any library was loaded.
    os.execv(sys.executable, [sys.executable, *words, *(["--json"] if flags["json"] else [])])
