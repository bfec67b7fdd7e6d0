"""What became of every row, in sentences: shared by the terminal, the report and the card."""

from collections.abc import Iterator

from pretune.records import Conflict, Receipt, Rejection, Sample, Shared, SplitReceipt, Verdict
from pretune.report.rows import list_rows
from pretune.report.words import one_line, percent
from pretune.wording.counts import counted

MAX_SHOWN = 5  # rows or texts shown of each kind; data/receipt.json has them all
MAX_LABELS = 8  # classes counted by name in one line
TEXT_LENGTH = 60


def describe_receipt(receipt: Receipt) -> list[tuple[str, list[str]]]:
    """Return named groups of sentences; a group that has nothing to say is left out."""
    groups = [
        ("licence", [receipt.licence or "not stated by the source"]),
        ("columns", [describe_columns(receipt)]),
        ("rows", [_describe_rows(receipt), *_describe_lines(receipt)]),
        ("rejected", list(_describe_rejections(receipt))),
        ("cleaned", [f"{counted(count, 'text')}: {what}" for what, count in receipt.num_cleaned.items() if count]),
        ("duplicates", [describe_duplicates(receipt)] if _were_sought(receipt) else []),
        ("conflicts", list(_describe_conflicts(receipt.conflicts))),
        ("shared", [describe_shared(shared) for shared in receipt.shared]),
        ("splits", [*(describe_split(split, receipt) for split in receipt.splits), *_describe_seed(receipt)]),
        ("repairs", list(describe_repairs(receipt))),
        ("notes", list(receipt.notes)),
    ]
    return [(name, lines) for name, lines in groups if lines]


def _were_sought(receipt: Receipt) -> bool:
    return receipt.near_duplicate_threshold is not None or bool(receipt.splits)


def describe_columns(receipt: Receipt) -> str:
    """Say which columns were read, and which of them were guessed."""
    columns = receipt.columns
    text = ", ".join(f"“{name}”" for name in columns.text) or "none"
    parts = [f"text {text}{_guess(columns.guessed, 'text')}"]
    if columns.label is not None:
        what = "label" if _has_classes(receipt) else "reply"
        parts.append(f"{what} “{columns.label}”{_guess(columns.guessed, 'label')}")
    if columns.group is not None:
        parts.append(f"group “{columns.group}”")
    return ", ".join(parts)


def _guess(guessed: tuple[str, ...], role: str) -> str:
    return " (guessed)" if role in guessed else ""


def _describe_rows(receipt: Receipt) -> str:
    text = f"{counted(receipt.num_rows, 'row')} = {receipt.num_used:,} used + {receipt.num_rejected:,} rejected"
    text += f" + {receipt.num_filtered:,} left out by --where" if receipt.num_filtered else ""
    why = "because a later split has them" + (", or by --repair" if receipt.repairs else "")
    return f"{text}; {receipt.num_removed:,} of the used rows removed {why}" if receipt.num_removed else text


def _describe_lines(receipt: Receipt) -> Iterator[str]:
    """Say where the lines of a delimited file went, where it has more than a header and one row per line."""
    for file in receipt.files:
        if (lines := file.lines) is None or lines.total == lines.header + lines.rows:
            continue
        others = {
            "inside cells": lines.within,
            "empty": lines.blank,
            "the header again": lines.repeated,
            "sep=": lines.separator,
        }
        parts = " + ".join(f"{count:,} {what}" for what, count in others.items() if count)
        yield f"{file.file}: {lines.total:,} lines = {lines.header:,} header + {lines.rows:,} rows + {parts}"


def _describe_rejections(receipt: Receipt) -> Iterator[str]:
    rejections = [rejection for file in receipt.files for rejection in file.rejected]
    yield from map(describe_rejection, rejections[:MAX_SHOWN])
    if len(rejections) > MAX_SHOWN:
        yield f"and {len(rejections) - MAX_SHOWN:,} more, in data/receipt.json"


def describe_rejection(rejection: Rejection) -> str:
    """Say where a row was and why it was not used."""
    row = "" if rejection.row is None else f" row {rejection.row}"
    column = "" if rejection.column is None else f", column “{rejection.column}”"
    return f"{rejection.file}{row}{column}: {rejection.reason}"


def describe_duplicates(receipt: Receipt) -> str:
    """Count repeated texts."""
    at = receipt.near_duplicate_threshold
    similarity = "" if at is None else f" (similarity ≥ {at:g})"
    kept = "; copies of one text are always in one split" if receipt.splits else ""
    return f"{receipt.num_exact_duplicates:,} exact, {receipt.num_near_duplicates:,} near{similarity}{kept}"


def _describe_conflicts(conflicts: tuple[Conflict, ...]) -> Iterator[str]:
    if conflicts:
        yield f"{counted(len(conflicts), 'text')} with more than one label"
    for conflict in conflicts[:MAX_SHOWN]:
        labels, ids = ", ".join(conflict.labels), list_rows(conflict.ids, MAX_SHOWN)
        yield f"“{one_line(conflict.text, TEXT_LENGTH)}” is {one_line(labels, TEXT_LENGTH)} in {one_line(ids, TEXT_LENGTH)}"


def describe_shared(shared: Shared) -> str:
    """Say what two given splits have in common and what was done about it."""
    removed = f"{counted(len(shared.removed), 'row')} removed from {shared.first}" if shared.removed else "kept in both"
    if not shared.num_exact and not shared.num_near_rows and not shared.num_group_rows:
        removed = "nothing to remove"
    grouped = f", {counted(shared.num_group_rows, 'further row')} of the same groups" if shared.num_group_rows else ""
    return (
        f"{shared.first} and {shared.second}: {counted(shared.num_exact, 'exact text')} in both "
        f"({counted(shared.num_exact_rows, 'row')} of {shared.first}), "
        f"{counted(shared.num_near_rows, 'further row')} nearly the same{grouped}; {removed}"
    )


def describe_repairs(receipt: Receipt) -> Iterator[str]:
    """Say what ``--repair`` did, and what a linear model scores on validation before and after."""
    for repair in receipt.repairs:
        yield f"{repair.summary} ({one_line(', '.join(repair.ids[:MAX_SHOWN]), TEXT_LENGTH)}; all ids in the receipt)"
    for score in receipt.repair_scores:
        if score.value is not None:
            interval = "" if score.low is None or score.high is None else f", {score.low:.3f} to {score.high:.3f}"
            yield f"{score.source}: {score.name} {score.value:.3f} on {score.num_examples:,} validation rows{interval}"


def describe_split(split: SplitReceipt, receipt: Receipt) -> str:
    """Say how large a split is and what its classes are."""
    total = sum(item.num_rows for item in receipt.splits)
    labels = list(split.labels.items())
    shown = ", ".join(f"{label} {count:,}" for label, count in labels[:MAX_LABELS])
    more = f", {len(labels) - MAX_LABELS} more classes" if len(labels) > MAX_LABELS else ""
    texts = f", {split.num_texts:,} different texts" if split.num_texts not in (None, split.num_rows) else ""
    classes = f": {shown}{more}" if labels else ""
    return f"{split.name}: {counted(split.num_rows, 'row')}{texts} ({percent(split.num_rows, total)}){classes}"


def describe_needed(verdict: Verdict) -> str:
    """Say how many further test rows would decide, and what is to be known of them; nothing where none are needed.

    Example:
        >>> from pretune.records import Outcome
        >>> held = {"outcome": Outcome.NOT_ENOUGH_EVIDENCE, "summary": "", "reasons": ()}
        >>> describe_needed(Verdict(**held, rows_needed=70, rows_needed_note="35 of them spam"))
        '70 more labelled test rows; 35 of them spam'
    """
    note = verdict.rows_needed_note
    if verdict.rows_needed is None or f"{verdict.rows_needed:,} more" in note:  # of a chat model, the note names the number
        return note
    return "; ".join(filter(None, (counted(verdict.rows_needed, "more labelled test row"), note)))


def describe_sample(sample: Sample | None) -> str:
    """Say what the figures rest on, such as ``837 rows, 718 different texts``; nothing where each row stands alone.

    Example:
        >>> describe_sample(Sample(num_rows=837, num_texts=718, num_units=718))
        '837 rows, 718 different texts: copies count once'
    """
    if sample is None or sample.num_units == sample.num_rows:
        return ""
    texts = f", {sample.num_texts:,} different texts" if sample.num_texts not in (None, sample.num_rows) else ""
    groups = f", {sample.num_groups:,} groups" if sample.num_groups is not None else ""
    counted_as = "copies count once" if sample.num_groups is None else f"{sample.num_units:,} units that stand alone"
    return f"{counted(sample.num_rows, 'row')}{texts}{groups}: {counted_as}"


def _describe_seed(receipt: Receipt) -> Iterator[str]:
    if receipt.splits:
        by_time = next((note for note in receipt.notes if note.startswith("divided by ")), "")
        how = "stratified, " if _has_classes(receipt) else ""
        yield by_time or ("splits as given" if receipt.split_seed is None else f"{how}split seed {receipt.split_seed}")


def _has_classes(receipt: Receipt) -> bool:
    """Whether rows are labelled; those of conversations are not. Before rows are divided it is not known, and most are."""
    return not receipt.splits or any(split.labels for split in receipt.splits)
