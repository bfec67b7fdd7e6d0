"""How inputs are spoiled at random, for ``fuzz_commands.py``: the bytes of tables, flags and their values, files of a run."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]
PIECES = (
    b'"', b'""', b"'", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t", b",", b";", b"|", b"\\", b'\\"',
    b"{", b"}", b"[", b"]", b"NaN", b"null", b"nan", b"-", b"1e999", b"9" * 400, b"\xc3\x28", b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80", b"\xe2\x80\xae", b"\x1b[31m", b"=cmd()", b"\x85", b"\xe2\x80\xa8", b"\x1a", b"0x1p-3", b"inf",
    b"text,label\n", b"sep=;\n", b"#", b"\x7f", b"\xc2\xa0", b"[" * 2_000, b" " * 500, b"a" * 5_000, b"<script>", b"true",
    b"1.0", b"\x1f\x8b\x08\x00",
)  # fmt: skip


def _place(data: bytes, draw: random.Random) -> int:
    return draw.randint(0, len(data))


def insert(data: bytes, draw: random.Random) -> bytes:
    """Put something odd anywhere."""
    at = _place(data, draw)
    return data[:at] + draw.choice(PIECES) * draw.choice((1, 1, 1, 3)) + data[at:]


def insert_at_the_edge(data: bytes, draw: random.Random) -> bytes:
    """Put something odd at a delimiter or line end, where it means most."""
    edges = [index for index, sign in enumerate(data) if sign in b',;\t\n"'] or [0]
    at = draw.choice(edges) + draw.choice((0, 1))
    return data[:at] + draw.choice(PIECES) + data[at:]


def flip(data: bytes, draw: random.Random) -> bytes:
    """Flip a few bits."""
    spoiled = bytearray(data)
    for _ in range(draw.choice((1, 1, 4, 40)) if data else 0):
        spoiled[draw.randrange(len(spoiled))] ^= 1 << draw.randrange(8)
    return bytes(spoiled)


def cut(data: bytes, draw: random.Random) -> bytes:
    """Cut the end off, or a piece out of the middle."""
    start, end = sorted((_place(data, draw), _place(data, draw)))
    return data[:start] if draw.random() < 0.5 else data[:start] + data[end:]


def double_lines(data: bytes, draw: random.Random) -> bytes:
    """Repeat some lines, or the whole file."""
    lines = data.splitlines(keepends=True)
    start = draw.randrange(len(lines) + 1)
    return b"".join(lines[:start] + lines[start : start + draw.choice((1, 5, 100))] * 2 + lines[start:])


def splice_header(data: bytes, draw: random.Random) -> bytes:
    """Put the header somewhere else again, as a careless join does."""
    lines = data.splitlines(keepends=True)
    at = draw.randrange(len(lines) + 1)
    return b"".join([*lines[:at], *lines[:1], *lines[at:]])


def shuffle_cells(data: bytes, draw: random.Random) -> bytes:
    """Take delimiters out or put them in, so that lines differ in width."""
    lines = data.split(b"\n")
    for _ in range(draw.choice((1, 3, 20))):
        at = draw.randrange(len(lines))
        sign = draw.choice((b",", b"\t", b";"))
        lines[at] = lines[at].replace(sign, b"", 1) if draw.random() < 0.5 else lines[at] + sign * draw.choice((1, 50))
    return b"\n".join(lines)


def encode(data: bytes, draw: random.Random) -> bytes:
    """Write it in another encoding, or say so and do not."""
    text = data.decode("utf-8", "replace")
    kind = draw.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037", "latin-1"))
    return text.encode(kind, "replace")


def blank(data: bytes, draw: random.Random) -> bytes:
    """Empty it, or the values of a column."""
    lines = data.split(b"\n")
    if draw.random() < 0.2:
        return draw.choice((b"", b"\n", b" ", b"\xef\xbb\xbf", b"{}", b"[]", lines[0]))
    sign = draw.choice((b",", b"\t"))
    return b"\n".join(line.rpartition(sign)[0] + sign if draw.random() < 0.3 else line for line in lines)


def rename(data: bytes, draw: random.Random) -> bytes:
    """Give a column another name, its neighbour's, or none."""
    head, sign, rest = data.partition(b"\n")
    names = head.split(b",")
    names[draw.randrange(len(names))] = draw.choice((b"", b"text", b"label", b'"', b"a" * 300, b"\x00", b"p:good", b"1"))
    return b",".join(names) + sign + rest


MUTATIONS: tuple[Mutation, ...] = (
    insert, insert_at_the_edge, insert_at_the_edge, flip, cut, double_lines, splice_header, shuffle_cells, encode, blank,
    rename,
)  # fmt: skip
VALUES = (
    "", "text", "label", "nowhere", "-1", "0", "1", "nan", "inf", "1e308", "9" * 40, "\x00", "é", "text,label", "label,text",
    ",", "utf-8", "utf-16", "idna", "base64", "rot13", "zip", "unicode_escape", "punycode", "undefined", "good",
    "fn=1,fp=nan", "recall=2", "/dev/null", ".", "text=", "a=b", "true", "[", "--", "balanced", "cost", "%s", "../x",
)  # fmt: skip
FLAGS = {
    "check": (
        "--text", "--label", "--group", "--validation", "--test", "--split-seed", "--encoding", "--allow-rejects",
        "--keep-leaks", "--repair",
    ),
    "audit": (
        "--train", "--against", "--sealed", "--id", "--label", "--predicted", "--score", "--score-of", "--threshold",
        "--logits", "--text", "--group", "--reference", "--hypothesis", "--task", "--encoding", "--allow-rejects", "--positive",
        "--goal", "--cost", "--min-precision", "--min-recall", "--min-accuracy", "--min-bleu", "--min-chrf", "--policy",
        "--seed",
    ),
    "predict": ("--text", "--encoding", "--allow-rejects", "--keep"),
    "evaluate": ("--text", "--label", "--encoding", "--allow-rejects"),
}  # fmt: skip
SWITCHES = {"--allow-rejects", "--keep-leaks", "--repair", "--sealed", "--logits"}


def spoil_flags(command: str, draw: random.Random) -> list[str]:
    """Return flags with values that may fit or not, now and then one that does not exist."""
    flags = list[str]()
    for _ in range(draw.choice((1, 1, 2, 3))):
        flag = draw.choice((*FLAGS[command], *FLAGS[command], "--bogus"))
        flags += [flag] if flag in SWITCHES else [flag, draw.choice(VALUES)]
    return flags


def spoil_run(run: Path, copy: Path, draw: random.Random) -> Path:
    """Make a copy of a run in which one file is spoiled, gone, or of another kind."""
    shutil.copytree(run, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.name not in ("report.html", "README.md"))
    file = draw.choice(files)
    how = draw.choice(("flip", "cut", "gone", "empty", "folder", "values", "values", "insert"))
    if how == "values" and file.suffix == ".json":
        file.write_text(json.dumps(spoil_values(json.loads(file.read_text(encoding="utf-8")), draw)), encoding="utf-8")
    elif how in ("gone", "folder"):
        file.unlink()
        if how == "folder":
            file.mkdir()
    elif how == "empty":
        file.write_bytes(b"")
    else:
        change = {"cut": cut, "insert": insert}.get(how, flip)
        file.write_bytes(change(file.read_bytes(), draw))
    return copy


def spoil_values(value: Any, draw: random.Random) -> Any:
    """Return right JSON with one value of another kind."""
    odd = (None, -1, 0, 1.5, "x", "", True, [], {}, [None], {"a": 1}, 10**30, 1e308, "\x00", [[]])
    if isinstance(value, dict) and value and draw.random() < 0.8:
        key = draw.choice(sorted(value))
        if draw.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: spoil_values(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.8:
        at = draw.randrange(len(value))
        return [*value[:at], spoil_values(value[at], draw), *value[at + 1 :]]
    return draw.choice(odd)
