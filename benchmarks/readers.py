"""How time and memory of reading grow with the size of what is read: tables and corpora of many shapes, up to 64 MB.

``python benchmarks/readers.py`` measures what is not kept yet, ``--only SHAPE …`` some shapes, ``--again`` anew. Each size is
read in a process of its own, ``--tries`` times; the least processor time counts: other programs make a try longer, never
shorter. The row of a shape has each size, and the largest ratio of the times of two sizes, one twice the other.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from harness import row

SIZES = tuple(size * 1_000_000 for size in (4, 8, 16, 32, 64))
MAX_RATIO = 2.2  # of the times of two sizes, one of them twice the other
WORDS = [f"{start}{end}" for start in ("be", "ca", "do", "fi", "gu", "ho", "la", "mi", "no", "pe") for end in
         ("a", "ber", "con", "den", "er", "fal", "gor", "hin", "ing", "jor", "kal", "lin", "mor", "nis", "or")]  # fmt: skip


def texts(generator: random.Random) -> Iterator[tuple[int, str, str]]:
    """Yield the number, text and label of rows without end."""
    number = 0
    while True:
        number += 1
        yield number, " ".join(generator.choices(WORDS, k=generator.randint(6, 20))), generator.choice(["pos", "neg"])


def lines_of(shape: str, generator: random.Random) -> Iterator[str]:
    """Yield the lines of a file without end."""
    rows = texts(generator)
    if shape == "csv":
        yield "text,label\n"
        yield from (f"{text},{label}\n" for _, text, label in rows)
    elif shape == "csv-quoted":
        yield "text,label\n"
        yield from (f'"{text}, and ""{number}""\nmore {text[:9]}",{label}\n' for number, text, label in rows)
    elif shape == "csv-escaped":
        yield "text,label\n"
        yield from (f'"{text}, and \\"{number}\\" more",{label}\n' for number, text, label in rows)
    elif shape == "tsv":
        yield "text\tlabel\n"
        yield from (f'{text} "{number}\t{label}\n' for number, text, label in rows)
    elif shape == "json-even":
        yield from (json.dumps({"text": text, "label": label, "number": number}) + "\n" for number, text, label in rows)
    elif shape == "json-differing":  # 5,000 keys, of which each row has its own five
        yield from (
            json.dumps({"text": text, "label": label, **{f"key{(7 * number + place) % 5_000}": number for place in range(5)}})
            + "\n"
            for number, text, label in rows
        )
    elif shape == "audit":
        yield "id,text,label,p:neg,p:pos\n"
        yield from (
            f"{number},{text},{label},{number % 1000 / 1000:.3f},{1 - number % 1000 / 1000:.3f}\n"
            for number, text, label in rows
        )
    else:  # corpora: documents between empty lines
        yield from (f"{text}\n{label} {number} {text[::-1]}\n\n" for number, text, label in rows)


def write_lines(path: Path, shape: str, size: int) -> None:
    """Write a file of about ``size`` bytes."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines_of(shape, random.Random(0)):
            if written >= size:
                break
            written += file.write(line)


def write_wide(path: Path, size: int) -> None:
    """Write a table of 2,000 columns, one of them the text."""
    generator = random.Random(0)
    names = [f"column {number}" for number in range(1_998)]
    with path.open("w", encoding="utf-8") as file:
        written = file.write(",".join(["text", "label", *names]) + "\n")
        for number, text, label in texts(generator):
            written += file.write(",".join([text, label, *[str(number % 10)] * len(names)]) + "\n")
            if written >= size:
                return


def write_digits(path: Path, size: int) -> None:
    """Write predictions of which one cell is a long run of digits."""
    cells = [f"{number},{'pos' if number % 2 else 'neg'},{number % 100 / 100}\n" for number in range(300)]
    path.write_text("id,label,score\n" + "".join(cells) + "300,pos,0." + "9" * size + "x\n")


def write_header(path: Path, size: int) -> None:
    """Write a header of very many columns, which is refused."""
    path.write_text(",".join(f"c{number}" for number in range(size // 8)) + "\n1\n")


def write_parquet(path: Path, size: int) -> None:
    """Write a Parquet file that holds about ``size`` bytes of texts."""
    import pyarrow
    from pyarrow import parquet

    rows = list(islice(texts(random.Random(0)), size // 80))
    columns = {
        "text": [text for _, text, _ in rows],
        "label": [label for *_, label in rows],
        "n": [number for number, *_ in rows],
    }
    parquet.write_table(pyarrow.table(columns), path)


def write_folder(path: Path, size: int, *, classes: bool) -> None:
    """Write files of 8 kB: of two classes, or of a corpus."""
    rows = texts(random.Random(0))
    for number in range(size // 8_000):
        label = ("neg", "pos")[number % 2] if classes else f"part{number % 20}"
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / label / f"{number}.txt").write_text("\n".join(text for _, text, _ in islice(rows, 140)))


def read_table_at(path: Path) -> int:
    """Read a table; return its rows."""
    from pretune.configs import ReadConfig
    from pretune.data.read.path import read_table

    return len(read_table(path, ReadConfig()).examples)


def read_scores_at(path: Path) -> int:
    """Read a table of predictions as ``audit`` does; return its rows."""
    from pretune.configs import AuditConfig, ReadConfig
    from pretune.data.foreign.scored import read_scored
    from pretune.data.read.path import read_raw

    return len(read_scored(read_raw(path), AuditConfig(read=ReadConfig(allow_rejects=True)), source="model").predictions.ids)


def read_corpus_at(path: Path) -> int:
    """Read and clean a corpus, without looking for duplicates; return its documents."""
    from pretune.configs import CorpusConfig
    from pretune.data.corpus.cleaning import clean_document
    from pretune.data.corpus.intake import Intake
    from pretune.data.corpus.sources import find_source

    config = CorpusConfig(workers=1)
    parts = ((part, Intake(part.origin, config)) for part in find_source(path, config).parts)
    return sum(bool(clean_document(text, set())) for part, intake in parts for text in intake.counted(part.read(intake)))


def refuse(path: Path) -> int:
    """Read what is refused."""
    from pretune.errors import PretuneError

    try:
        return read_table_at(path)
    except PretuneError:
        return 0


Write = Callable[[Path, int], None]
SHAPES: dict[str, tuple[str, Write, Callable[[Path], int]]] = {
    "csv": ("t.csv", lambda path, size: write_lines(path, "csv", size), read_table_at),
    "csv-quoted": ("t.csv", lambda path, size: write_lines(path, "csv-quoted", size), read_table_at),
    "csv-escaped": ("t.csv", lambda path, size: write_lines(path, "csv-escaped", size), read_table_at),
    "tsv": ("t.tsv", lambda path, size: write_lines(path, "tsv", size), read_table_at),
    "json-even": ("t.jsonl", lambda path, size: write_lines(path, "json-even", size), read_table_at),
    "json-differing": ("t.jsonl", lambda path, size: write_lines(path, "json-differing", size), read_table_at),
    "parquet": ("t.parquet", write_parquet, read_table_at),
    "wide-table": ("t.csv", write_wide, read_table_at),
    "wide-header": ("t.csv", write_header, refuse),
    "folder-of-classes": ("folder", lambda path, size: write_folder(path, size, classes=True), read_table_at),
    "corpus": ("t.txt", lambda path, size: write_lines(path, "corpus", size), read_corpus_at),
    "folder-of-texts": ("folder", lambda path, size: write_folder(path, size, classes=False), read_corpus_at),
    "audit": ("t.csv", lambda path, size: write_lines(path, "audit", size), read_scores_at),
    "audit-digits": ("t.csv", write_digits, read_scores_at),
}


def measure(shape: str, tries: int) -> dict[str, Any]:
    """Return seconds, peak memory and rows of each size, and the largest ratio."""
    name, write, _ = SHAPES[shape]
    sizes = list[dict[str, Any]]()
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(path, size)
            runs = [ask(shape, path) for _ in range(tries)]
        sizes.append({
            "bytes": size,
            "seconds": min(run["seconds"] for run in runs),
            "peak_mb": min(run["peak_mb"] for run in runs),
            "rows": runs[0]["rows"],
        })  # fmt: skip
        print(f"  {shape}: {sizes[-1]}", flush=True)
    ratios = [round(large["seconds"] / small["seconds"], 2) for small, large in pairwise(sizes)]
    return {"tries": tries, "sizes": sizes, "ratios": ratios, "largest_ratio": max(ratios), "is_met": max(ratios) <= MAX_RATIO}


def ask(shape: str, path: Path) -> dict[str, Any]:
    """Read in a process of its own; the time is that of the processor, which others that run do not lengthen."""
    command = [sys.executable, __file__, "--read", shape, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(shape: str, path: Path) -> None:
    """Read once and print what it took."""
    import pretune.data.foreign.scored  # noqa: F401 - imports are no part of what is measured

    start = time.process_time()
    rows = SHAPES[shape][2](path)
    seconds = time.process_time() - start
    peak = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    peak_mb = round(int(peak[1]) * 1024 / 1e6) if peak else None
    print(json.dumps({"seconds": round(seconds, 3), "peak_mb": peak_mb, "rows": rows}))


def main() -> None:
    """Measure, or read one file for who measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--read", nargs=2, metavar=("SHAPE", "PATH"))
    asked = parser.parse_args()
    if asked.read:
        read(asked.read[0], Path(asked.read[1]))
        return
    for shape in asked.only:
        row(f"readers/{shape}", lambda shape=shape: measure(shape, asked.tries), again=asked.again)


if __name__ == "__main__":
    main()
