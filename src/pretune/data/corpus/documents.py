"""Documents: where one ends and the next begins, in lines of text, JSON lines, CSV and Parquet."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pretune.data.catalogue.fetch import near_names
from pretune.data.corpus.intake import MAX_CHARACTERS, Documents, Intake
from pretune.data.read.arrow import arrow_errors, bounded, check_parquet, values_of
from pretune.data.read.columns import TEXT_NAMES, shown_columns
from pretune.data.read.limits import SizeLimit
from pretune.data.read.lines import bare_line, parse_object
from pretune.data.read.table import unusable
from pretune.data.read.unpack import reading_errors
from pretune.errors import require

# Rows looked at before the column of the text is guessed.
SAMPLE_ROWS = 1_000
# The heading of an article in the layout of WikiText, which stands between empty lines; sections have more signs.
_ARTICLE = re.compile(r" = [^=].* = ?")

Rows = Iterable[tuple[int, Mapping[str, Any]]]  # number of the row in its file, cells by column


def split_text(lines: Iterator[str], intake: Intake) -> Documents:
    """Yield the documents of a text file, by the rule that the config names."""
    rule: Callable[[Iterator[str]], Documents] = {"blank": by_blank_lines, "line": by_lines, "file": by_file}[
        intake.config.document
    ]
    first = list(islice(lines, 2))  # " \n = Title = \n"
    lines = chain(first, lines)
    if intake.config.document == "blank" and any(_ARTICLE.fullmatch(line) for line in first):
        intake.notes.append(f"{intake.origin.name} has the headings of WikiText: each article is a document")
        rule = by_articles
    return rule(lines)


def by_blank_lines(lines: Iterable[str]) -> Documents:
    """Yield what stands between empty lines."""
    kept: list[str] = []
    size = 0
    for line in lines:
        if line and not line.isspace():
            kept.append(line)
            size += len(line) + 1
            if size <= MAX_CHARACTERS:
                continue
        if kept:
            yield "\n".join(kept)
            kept, size = [], 0
    if kept:
        yield "\n".join(kept)


def by_lines(lines: Iterable[str]) -> Documents:
    """Yield every line that is not empty."""
    return (line for line in lines if line and not line.isspace())


def by_file(lines: Iterable[str]) -> Documents:
    """Yield all lines as one document; more than ``MAX_CHARACTERS`` become several."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line) + 1
        if size > MAX_CHARACTERS:
            yield "\n".join(kept)
            kept, size = [], 0
    if any(line.strip() for line in kept):
        yield "\n".join(kept)


def by_articles(lines: Iterable[str]) -> Documents:
    """Yield articles in the layout of WikiText: each begins with `` = Title = `` between empty lines."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line) + 1
        is_alone = len(kept) > 2 and not kept[-1].strip() and not kept[-3].strip()
        if is_alone and _ARTICLE.fullmatch(kept[-2]):
            if any(earlier.strip() for earlier in kept[:-2]):
                yield "\n".join(kept[:-2])
            kept = kept[-2:]
            size = sum(map(len, kept))
        elif size > 2 * MAX_CHARACTERS and len(kept) > 2:  # never held whole
            yield "\n".join(kept[:-2])
            kept = kept[-2:]
            size = sum(map(len, kept))
    if any(line.strip() for line in kept):
        yield "\n".join(kept)


def json_rows(lines: Iterable[str], intake: Intake) -> Rows:
    """Yield the objects of JSON lines; what is none is rejected.

    Raises:
        DataError: The file is one JSON array.
    """
    for number, line in enumerate(lines, 1):
        if not (stripped := bare_line(line)):
            continue
        found = parse_object(stripped)
        if not isinstance(found, str):
            yield number, found
        elif number == 1 and stripped.startswith("["):
            raise unusable(
                intake.origin,
                "begins as one JSON array",
                expected="JSON lines: one object per line",
                fix="write each object on a line of its own (jq -c '.[]' FILE > FILE.jsonl)",
            )
        else:
            intake.reject(number, found)


def parquet_rows(path: Path, intake: Intake) -> Rows:
    """Yield the rows of a Parquet file, a batch at a time.

    Raises:
        DataError: It is damaged or no Parquet file.
        MissingPackageError: pyarrow is not installed.
    """
    limit = SizeLimit.of_stream(intake.config.max_size)
    with reading_errors(intake.origin):
        check_parquet(path, intake.origin)
    with arrow_errors(intake.origin), require("pyarrow.parquet", extra="parquet").ParquetFile(path) as file:
        yield from batched_rows(bounded(file.iter_batches(batch_size=SAMPLE_ROWS), limit, intake.origin))


def batched_rows(batches: Iterable[Any]) -> Rows:
    """Yield the rows of Arrow tables or record batches."""
    number = 0
    for batch in batches:
        names = [str(name) for name in batch.schema.names]
        for cells in zip(*(values_of(batch.column(index)) for index in range(len(names))), strict=True):
            number += 1
            yield number, dict(zip(names, cells, strict=True))


def texts_of(rows: Rows, intake: Intake) -> Documents:
    """Yield the text of every row; a row without one is rejected.

    Raises:
        DataError: A column asked for is not there, or none holds text.
    """
    rows = iter(rows)
    sample = list(islice(rows, SAMPLE_ROWS))
    if not sample:
        return
    columns = _choose(sample, intake)
    for number, cells in chain(sample, rows):
        found = [cells.get(name) for name in columns]
        parts = [item for item in found if isinstance(item, str)]
        if len(parts) == len(found):
            yield "\n".join(parts) if len(parts) > 1 else parts[0]
        else:
            odd = next(index for index, item in enumerate(found) if not isinstance(item, str))
            what = "is missing" if found[odd] is None else f"holds a {type(found[odd]).__name__}, not text"
            intake.reject(number, what, columns[odd])


def _choose(sample: Sequence[tuple[int, Mapping[str, Any]]], intake: Intake) -> tuple[str, ...]:
    """Return the columns of the text: as asked for, by name, else the one with the longest strings."""
    known = list(dict.fromkeys(name for _, cells in sample for name in cells))
    for name in intake.config.text:
        if name not in known:
            near = near_names(name, known)
            fix = f"did you mean --text {near[0]!r}?" if near else "name another column with --text"
            raise unusable(intake.origin, f"has no column {name!r}", expected="one of " + shown_columns(known), fix=fix)
    if intake.config.text:
        return intake.config.text
    sizes = {name: sum(len(c[name]) for _, c in sample if isinstance(c.get(name), str)) / len(sample) for name in known}
    filled = [name for name in known if sizes[name] > 0]
    if not filled:
        raise unusable(
            intake.origin,
            f"none of its columns holds text: {shown_columns(known)}",
            expected="a column of strings, such as 'text'",
            fix="name it with --text COL",
        )
    named = next((name for tier in TEXT_NAMES[:1] for name in filled if name.casefold() in tier), None)
    best = named or max(filled, key=lambda name: sizes[name])
    how = "by its name" if named else f"the longest: {sizes[best]:,.0f} characters per row"
    others = f"; there is also {shown_columns([name for name in filled if name != best])}" if len(filled) > 1 else ""
    if len(known) > 1 or not named:
        intake.notes.append(f"{intake.origin.name}: text column guessed: {best!r} ({how}){others}; --text COL chooses another")
    return (best,)
