"""Reviewing in the terminal: two replies, and one key for an answer."""

import sys
from collections.abc import Sequence

import typer

from pretune.cli.visible import visible
from pretune.tasks.converse.review import KEYS, Shown

WIDTH = 100  # of the lines that part replies


def show(pair: Shown) -> None:
    """Print one pair."""
    typer.echo(f"\n{f' {pair.number} of {pair.total} ':─^{WIDTH}}")
    typer.echo(visible(pair.question.strip()))
    for number, reply in enumerate(pair.replies, start=1):
        typer.echo(f"\n{f'── reply {number} ':─<{WIDTH}}\n{visible(reply.strip()) or '(nothing)'}")
    typer.echo("─" * WIDTH)


def answer(question: str, keys: Sequence[str]) -> str | None:
    """Ask until one of the keys comes; ``None`` where standard input ends."""
    if tuple(keys) == tuple(KEYS):
        question += " " + ", ".join(f"{key}: {means}" for key, means in KEYS.items())
    else:
        question += f" ({', '.join(keys)})"
    while True:
        typer.echo(f"{question} > ", nl=False)
        line = sys.stdin.readline()
        if not line:
            typer.echo("")
            return None
        key = line.strip().lower()[:1]
        if key in keys:
            return key
