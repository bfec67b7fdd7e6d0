"""``python -m pretune``: the command line, for torchrun and for users without the script on their path."""

from pretune.cli.app import main

if __name__ == "__main__":
    main()
