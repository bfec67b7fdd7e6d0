"""The command ``pretune``, and ``python -m pretune``."""

import os
import sys

# Turns that a thread of GNU OpenMP, which torch computes with, waits for the others before it sleeps. With its own 300,000 an
# update takes ten times as long while other work is on the machine, with this one twice, and nothing more where there is none.
TURNS = "5000"


def main() -> None:
    """Load the command line and run it; Ctrl-C while it is loading ends in one line, as it does later."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", TURNS)  # read when torch is loaded
    try:
        from pretune.cli.app import main as run
    except KeyboardInterrupt:
        print("pretune: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
