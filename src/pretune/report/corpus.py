"""What became of every document of a corpus, in words: shared by the terminal, the report and the card."""

from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.text import Text

from pretune.records import CorpusReceipt
from pretune.report.terminal.drawing import SHORT_LENGTH, columns, heading, named, pairs, plain
from pretune.report.words import UNDEFINED, percent
from pretune.wording.counts import counted

MAX_NOTES = 12


def describe_corpus(receipt: CorpusReceipt) -> list[tuple[str, list[str]]]:
    """Return named groups of sentences; a group that has nothing to say is left out."""
    groups = [
        ("licence", [receipt.licence or "not stated by the source"]),
        ("documents", [_describe_documents(receipt)]),
        ("taken out", list(_describe_counts(receipt.dropped, receipt.num_documents))),
        ("cleaned", list(_describe_counts(receipt.changed, receipt.num_documents))),
        ("near duplicates", list(_describe_near(receipt))),
        ("held out", [_describe_held_out(receipt)]),
        ("rejected", list(_describe_rejected(receipt))),
        ("notes", list(receipt.notes[:MAX_NOTES])),
    ]
    return [(name, lines) for name, lines in groups if lines]


def draw_corpus(receipt: CorpusReceipt) -> Group:
    """Draw what became of every document: the files, then what was taken out, changed and held out."""
    files = columns("file", "role", "format", "encoding", "documents", "rejected", right=("documents", "rejected"))
    for file in receipt.files:
        words = (file.role, file.format, file.encoding or UNDEFINED)
        sizes = (f"{file.num_documents:,}", f"{file.num_rejected:,}")
        files.add_row(named(file.file), *(named(word, limit=SHORT_LENGTH) for word in words), *sizes)
    rows = [(name, Group(*map(plain, lines))) for name, lines in describe_corpus(receipt)]
    return Group(heading("Corpus", receipt.name), files, Text(), pairs(rows))


def _describe_documents(receipt: CorpusReceipt) -> str:
    taken = receipt.num_documents - receipt.num_kept
    size = f"{receipt.num_words:,} words, {receipt.num_characters:,} characters"
    return f"{counted(receipt.num_documents, 'document')} = {receipt.num_kept:,} kept + {taken:,} taken out; {size} kept"


def _describe_counts(counts: Mapping[str, int], total: int) -> Iterator[str]:
    for what, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count:
            yield f"{counted(count, 'document')} ({percent(count, total)}): {what}"


def _describe_near(receipt: CorpusReceipt) -> Iterator[str]:
    if receipt.near_duplicate_threshold is None:
        return
    found = receipt.near_duplicates
    parts = [f"similarity ≥ {receipt.near_duplicate_threshold:g}"]
    parts += [f"{found[name]:,} pairs {name}" for name in ("compared", "near") if name in found]
    parts += [f"{counted(found['largest'], 'document')} in the largest group"] if found.get("largest") else []
    yield ", ".join(parts)


def _describe_held_out(receipt: CorpusReceipt) -> str:
    how = f", chosen by {receipt.validation_from}" if receipt.validation_from else ""
    share = percent(receipt.num_validation, receipt.num_kept)
    return f"{counted(receipt.num_validation, 'document')} ({share} of those kept){how}"


def _describe_rejected(receipt: CorpusReceipt) -> Iterator[str]:
    for item in [rejection for file in receipt.files for rejection in file.rejected][:MAX_NOTES]:
        place = "" if item.row is None else f" line {item.row}"
        yield f"{item.file}{place}: {item.reason}"
