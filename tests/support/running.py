"""What tests of whole runs share: settings under which a tiny model learns in a second, and the command line in-process."""

import csv
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tiny import make_rows

os.environ["OMP_NUM_THREADS"] = "1"  # tiny products; two processes at once would otherwise wait for each other

COLUMNS = ("Row no", "Critique (text)", "Mood?")
NUM_ROWS = 240


def write_reviews(path: Path, rows: Sequence[tuple[str, str]] | None = None) -> Path:
    """Write a CSV file whose columns have odd names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        numbered = [(index, *row) for index, row in enumerate(rows or make_rows(NUM_ROWS), start=1)]
        csv.writer(file).writerows([COLUMNS, *numbered])
    return path


def learning_flags(model: Path, *, epochs: int = 3) -> list[str]:
    """Return the flags under which a tiny checkpoint learns the generated rows."""
    return [
        "--model", str(model), "--freeze", "none", "--epochs", str(epochs), "--lr", "3e-3", "--batch-size", "4",
        "--threads", "1", "--seed", "1", "--set", "finetune.precision=fp32",
    ]  # fmt: skip


def call(*arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    from pretune.cli.app import _run

    return _run([str(argument) for argument in arguments])


def read_strictly(text: str) -> dict[str, Any]:
    """Parse exactly one JSON object; NaN and infinity are refused."""

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} in JSON")

    value = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def cover(run: Path) -> None:
    """Give a run whose files were edited the digests that they have now, as somebody does who covers his traces."""
    from pretune.run import RunFolder

    folder = RunFolder(run)
    folder.write_record(folder.read_record())


def reseal(run: Path) -> None:
    """Give a ``run.json`` that was edited the digest that it has now."""
    from pretune import storage

    storage.replace_json(run / "run.json", storage.sealed(json.loads((run / "run.json").read_text())))


def count_reads(monkeypatch: pytest.MonkeyPatch) -> Counter[Path]:
    """Count how often each file is read for its digest from now on, as if all were written long ago."""
    from pretune import hashing

    counts, read = Counter[Path](), hashlib.file_digest

    def counted(file: Any, kind: str) -> Any:
        counts[Path(file.name)] += 1
        return read(file, kind)

    hashing.forget_digests()
    monkeypatch.setattr(hashing, "SETTLED_SECONDS", -1)
    monkeypatch.setattr(hashlib, "file_digest", counted)
    return counts


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a CSV file into one dict a row."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def python(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter."""
    return [sys.executable, *arguments]
