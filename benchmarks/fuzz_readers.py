"""Fuzz of the readers: thousands of files, each spoiled in a few places; whatever they hold, it is read or refused.

``python benchmarks/fuzz_readers.py --keep`` writes ``results/fuzz-readers.json``. Every mutation is a function of its seed, so
that a finding can be looked at again: ``--first SEED --count 1``. What is asked of each: an error is one of pretune's own, no
reading takes over ten seconds, and the rows of the file are the rows used and the rows rejected.
"""

import argparse
import contextlib
import gzip
import io
import json
import logging
import random
import shutil
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import row
from pretune.configs import AuditConfig, CorpusConfig, ReadConfig
from pretune.data.corpus import prepare_corpus
from pretune.data.dataset import load_data
from pretune.data.foreign.scored import read_scored
from pretune.data.read.path import read_raw, read_table
from pretune.errors import PretuneError

MAX_SECONDS = 10
ALLOWED = ReadConfig(allow_rejects=True, require_labels=False)
WORDS = "the a film plot was is fine dull good bad slow and but very café naïve 电影 🎬 don't 3.5 100%".split()
PIECES: tuple[bytes, ...] = (
    b"\0", b'"', b"'", b"\\", b"\n", b"\r", b"\r\n", b",", b"\t", b";", b"|", b"\xef\xbb\xbf", b"\xff\xfe", b"\x80",
    b"\xed\xa0\x80", b"9" * 10_000, b"1e400", b"-0.0", b"NaN", b"Infinity", b"null", b"true", b"{", b"}", b"[", b"]",
    b"[" * 5_000, b'{"a":' * 5_000, b"\\ud800", b"\\u0000", b"<b", b"&amp;", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1a",
    b"sep=;\n", b"=cmd()", b"\x1b[31m", b" " * 3_000, b"\x1f\x8b", b"PAR1", b"label", b"text",
)  # fmt: skip


class HangError(Exception):
    """Reading took too long."""


def make_rows(generator: random.Random, count: int) -> list[tuple[str, str]]:
    """Return texts and labels."""
    return [
        (" ".join(generator.choices(WORDS, k=generator.randint(3, 12))), generator.choice(["pos", "neg"])) for _ in range(count)
    ]


def as_csv(generator: random.Random, delimiter: str = ",") -> bytes:
    """Return a table with a quoted cell here and there."""
    lines = [delimiter.join(("text", "label", "n"))]
    for number, (text, label) in enumerate(make_rows(generator, 60)):
        cell = f'"{text}{generator.choice(["", " x ", delimiter, chr(10)])}"' if generator.random() < 0.3 else text
        lines.append(delimiter.join((cell, label, str(number))))
    return ("\n".join(lines) + "\n").encode()


def as_lines(generator: random.Random) -> bytes:
    """Return JSON lines, some of whose keys differ."""
    rows = [
        {"text": text, "label": label, f"k{generator.randrange(9)}": [1, {"a": None}]}
        for text, label in make_rows(generator, 60)
    ]
    return "".join(json.dumps(item, ensure_ascii=generator.random() < 0.5) + "\n" for item in rows).encode()


def as_parquet(generator: random.Random) -> bytes:
    """Return a Parquet file, with the metadata of the ``datasets`` package in some."""
    import pyarrow
    from pyarrow import parquet

    rows = make_rows(generator, 60)
    for _ in range(generator.choice([0, 0, 3])):  # what no mutation of bytes comes upon: cells of any kind, in a sound file
        odd = generator.choice(PIECES).decode("utf-8", "replace")
        rows[generator.randrange(60)] = (odd, generator.choice(["pos", odd[:40]]))
    labels: list[Any] = [label for _, label in rows]
    about = {}
    if generator.random() < 0.5:
        labels = [int(label == "pos") for label in labels]
        labels[generator.randrange(60)] = generator.choice([0, 1, -1, 2, None])
        features = {"label": {"_type": "ClassLabel", "names": ["neg", "pos"]}}
        about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pyarrow.table({"text": [text for text, _ in rows], "label": labels, "n": [[number] for number in range(60)]})
    sink = io.BytesIO()
    compression = generator.choice(["snappy", "none", "zstd"])
    parquet.write_table(table.replace_schema_metadata(about), sink, compression=compression)
    return sink.getvalue()


def as_scores(generator: random.Random) -> bytes:
    """Return a table of predictions."""
    lines = ["id,label,p:neg,p:pos"]
    for number in range(60):
        share = round(generator.random(), 3)
        lines.append(f"{number},{generator.choice(['neg', 'pos'])},{share},{round(1 - share, 3)}")
    return ("\n".join(lines) + "\n").encode()


def as_text(generator: random.Random) -> bytes:
    """Return a corpus of documents between empty lines, some with markup."""
    documents = [" ".join(generator.choices([*WORDS, "<b>x</b>", "[[a|b]]", "{{c}}", "''d''"], k=40)) for _ in range(40)]
    return "\n\n".join(documents).encode()


SHAPES: dict[str, Callable[[random.Random], bytes]] = {
    "t.csv": as_csv,
    "t.tsv": lambda generator: as_csv(generator, "\t"),
    "t.jsonl": as_lines,
    "t.parquet": as_parquet,
    "t.csv.gz": lambda generator: gzip.compress(as_csv(generator)),
    "t.jsonl.gz": lambda generator: gzip.compress(as_lines(generator)),
    "scores.csv": as_scores,
    "corpus.txt": as_text,
    "corpus.jsonl": as_lines,
    "corpus.csv": as_csv,
    "corpus.parquet": as_parquet,
    "folder": as_text,
}


def spoil(data: bytes, generator: random.Random) -> bytes:
    """Return the data with one to four mutations."""
    for _ in range(generator.randint(1, 4)):
        place = generator.randrange(len(data) + 1)
        kind = generator.randrange(9)
        if kind == 0 and data:  # a bit
            place = min(place, len(data) - 1)
            data = data[:place] + bytes([data[place] ^ (1 << generator.randrange(8))]) + data[place + 1 :]
        elif kind == 1:  # the end is missing
            data = data[:place]
        elif kind == 2:  # a stretch is missing
            data = data[:place] + data[place + generator.randint(1, 200) :]
        elif kind == 3:  # a stretch of the file, elsewhere in it
            start = generator.randrange(len(data) + 1)
            data = data[:place] + data[start : start + generator.randint(1, 500)] + data[place:]
        elif kind == 4:  # lines twice
            lines = data.split(b"\n")
            at = generator.randrange(len(lines))
            data = b"\n".join([*lines[:at], *lines[at : at + generator.randint(1, 20)], *lines[at:]])
        elif kind == 5:  # the file twice, as ``cat`` joins
            data = data + generator.choice([b"", b"\n", b"\xef\xbb\xbf"]) + data
        else:
            data = data[:place] + generator.choice(PIECES) + data[place:]
    return data


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise ``HangError`` after so many seconds."""

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def conserved(files: Any) -> bool:
    """Whether receipts account for every row."""
    return all(file.num_rows == file.num_used + len(file.rejected) + file.num_filtered for file in files)


def read_corpus(path: Path, place: Path) -> bool:
    """Prepare a corpus, and check that its documents add up."""
    receipt = prepare_corpus(path, CorpusConfig(workers=1, allow_rejects=True, min_words=1), place / "out").receipt
    rejected = sum(file.num_rejected for file in receipt.files)
    return receipt.num_documents == receipt.num_kept + sum(receipt.dropped.values()) and rejected <= receipt.num_documents


def read_one(path: Path, place: Path, generator: random.Random) -> bool:
    """Read a file in every way that its name allows; return whether its rows are conserved."""
    encoding = generator.choice([None, None, None, "utf-8", "latin-1", "utf-16", "cp1252", "utf-7", "shift_jis"])
    if path.name.startswith("corpus"):
        return read_corpus(path, place)
    if path.name.startswith("scores"):
        return conserved(
            read_scored(read_raw(path, read=replace(ALLOWED, encoding=encoding)), AuditConfig(read=ALLOWED), source="m").files
        )
    config = ReadConfig(allow_rejects=True, require_labels=generator.random() < 0.5, encoding=encoding)
    found = read_table(path, config)
    with contextlib.suppress(PretuneError):
        load_data(path, allow_rejects=True)
    json.dumps(found.to_json(), ensure_ascii=False).encode()
    return conserved(found.files)


def write(name: str, data: bytes, place: Path, generator: random.Random) -> Path:
    """Put the spoiled data on disk; in a folder of classes it is one of several files."""
    path = place / name
    if name != "folder":
        path.write_bytes(data)
        return path
    for label in ("neg", "pos"):
        (path / label).mkdir(parents=True)
        for number in range(20):
            (path / label / f"{number}.txt").write_text(" ".join(generator.choices(WORDS, k=8)))
    (path / generator.choice(["neg", "pos"]) / generator.choice(["x.txt", "._x.txt", "Thumbs.db", "ü.txt"])).write_bytes(data)
    return path


def try_one(seed: int) -> tuple[str, str, str]:
    """Return the shape, what came of it, and the finding, empty where all is well."""
    generator = random.Random(seed)
    name = list(SHAPES)[seed % len(SHAPES)]
    data = SHAPES[name](generator)
    data = spoil(data, generator) if "parquet" not in name or generator.random() < 0.5 else data
    if name.endswith(".gz") and generator.random() < 0.5:  # spoiled inside, packed whole
        data = gzip.compress(spoil(gzip.decompress(SHAPES[name](generator)), generator))
    place = Path(tempfile.mkdtemp(prefix="fuzz."))
    try:
        path = write(name, data, place, generator)
        with limited(MAX_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return (name, "read", "") if read_one(path, place, generator) else (name, "read", "rows are not conserved")
    except PretuneError as error:
        files = getattr(error, "files", ())
        return name, "refused", "" if conserved(files) else "rows are not conserved in the receipt of the refusal"
    except HangError:
        return name, "hung", f"no answer within {MAX_SECONDS} s"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return name, "broken", f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def fuzz(first: int, count: int) -> dict[str, Any]:
    """Try ``count`` mutations; return the counts by shape, and every finding with its seed."""
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in SHAPES}
    findings, slowest = list[dict[str, Any]](), 0.0
    for seed in range(first, first + count):
        start = time.perf_counter()
        name, outcome, finding = try_one(seed)
        slowest = max(slowest, time.perf_counter() - start)
        outcomes[name][outcome] += 1
        if finding:
            findings.append({"seed": seed, "shape": name, "finding": finding})
            print(f"seed {seed}, {name}: {finding}", flush=True)
    return {
        "num_mutations": count,
        "first_seed": first,
        "outcomes": {name: dict(counts) for name, counts in outcomes.items()},
        "num_findings": len(findings),
        "findings": findings,
        "slowest_seconds": round(slowest, 2),
    }


def main() -> None:
    """Fuzz, and keep what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--keep", action="store_true", help="write the result")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if asked.keep:
        row("fuzz-readers", lambda: fuzz(asked.first, asked.count), again=True)
    else:
        print(json.dumps(fuzz(asked.first, asked.count), indent=1))


if __name__ == "__main__":
    main()
