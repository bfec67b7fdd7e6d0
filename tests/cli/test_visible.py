"""Visible: nothing that comes from data, from a file's name or from a library is obeyed by a terminal."""

import io
import sys

import click
import pytest
import typer

from pretune.cli.visible import Inert, inert_output, visible

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202egnp.exe\x7f\x00\u2066\ufeff\ud800"


def is_inert(text: str) -> bool:
    """Whether a terminal would obey nothing in a text."""
    return all(
        character in "\n\t" or (character.isprintable() and character != "\ufeff") or character == " " for character in text
    )


def test_what_a_terminal_would_obey_is_shown_as_a_picture():
    assert is_inert(visible(HOSTILE))
    assert visible("a\x1b[31mb") == "a␛[31mb"


@pytest.mark.parametrize("text", ["plain\nlines\tand tabs", "Zürich 東京 👩‍👩‍👧 मनीष", "[red]markup[/red]"])
def test_what_a_person_reads_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    "write",
    [print, typer.echo, click.echo, lambda text: sys.stderr.write(text + "\n"), lambda text: typer.echo(text, err=True)],
    ids=["print", "typer", "click", "written to stderr", "typer to stderr"],
)
def test_whoever_writes_nothing_is_obeyed(write, capfd):
    streams = sys.stdout, sys.stderr
    with inert_output(sys):
        write(HOSTILE)
        typer.echo("done")
    out, err = capfd.readouterr()
    assert is_inert(out + err)
    assert "done" in out
    assert (sys.stdout, sys.stderr) == streams


def test_a_stream_keeps_what_it_was_beside_its_bytes():
    stream = Inert(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert stream.encoding == "utf-8"
    assert not hasattr(stream, "buffer")
