"""The command ``pretune``, and ``python -m pretune``."""

import sys


def main() -> None:
    """Load the command line and run it; Ctrl-C while it is loading ends in one line, as it does later."""
    try:
        from pretune.cli.app import main as run
    except KeyboardInterrupt:
        print("pretune: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
