"""Generated text: a table of references and hypotheses, as the record that judges read."""

from dataclasses import dataclass

from pretune.configs import AuditConfig
from pretune.data.conversations.names import PROMPT_NAMES
from pretune.data.foreign.score_columns import HYPOTHESIS_NAMES, ID_NAMES, REFERENCE_NAMES, check_named, find_named
from pretune.data.read.columns import shown_columns
from pretune.data.read.objects import named_cells
from pretune.data.read.rows import check_rejected
from pretune.data.read.table import Cell, Nested, RawTable, receipt_of, unusable
from pretune.records import Columns, FileReceipt, Predictions, Record, Rejection
from pretune.wording.counts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedTable(Record):
    """What a system wrote, beside what was wanted: ``labels`` are the references, ``predicted`` the hypotheses."""

    predictions: Predictions
    columns: Columns
    files: tuple[FileReceipt, ...]
    prompt: str | None = None  # the column of prompts, where there is one
    prompts: tuple[str, ...] = ()  # what was asked in each row
    notes: tuple[str, ...] = ()


def looks_generated(raw: RawTable, config: AuditConfig) -> bool:
    """Whether the columns are those of generated text: a reference beside a hypothesis."""
    if config.task is not None:
        return config.task == "generate"
    if config.reference is not None or config.hypothesis is not None:
        return True
    return find_named(raw.columns, REFERENCE_NAMES[:2]) is not None and find_named(raw.columns, HYPOTHESIS_NAMES) is not None


def read_generated(raw: RawTable, config: AuditConfig, *, source: str, split: str = "test") -> GeneratedTable:
    """Return the rows of a table of id, reference and hypothesis, and of the prompt where there is one; one reference a row.

    An empty hypothesis is an answer, and counts; an empty reference is no question, and its row is rejected.

    Raises:
        DataError: A column is not there, there are no rows, or over 1 % of them are rejected.
    """
    asked = config.read.text[0] if config.read.text else None
    named_flags = {"--id": config.id, "--reference": config.reference, "--hypothesis": config.hypothesis, "--text": asked}
    check_named(raw, named_flags)
    row_id = config.id or find_named(raw.columns, ID_NAMES)
    left = [name for name in raw.columns if name not in (config.hypothesis, asked)]
    reference = config.reference or find_named(left, REFERENCE_NAMES)
    left = [name for name in raw.columns if name not in (reference, row_id, asked)]
    hypothesis = config.hypothesis or find_named(left, HYPOTHESIS_NAMES)
    if reference is None or hypothesis is None:
        missing = "reference" if reference is None else "hypothesis"
        raise unusable(
            raw.origin,
            f"none of its columns looks like the {missing}: {shown_columns(raw.columns)}",
            expected="a column of wanted texts (reference) and one of generated texts (hypothesis)",
            fix=f"name it with --{missing} COL",
        )
    prompt = asked or find_named([name for name in left if name != hypothesis], PROMPT_NAMES)
    kept, rejected, known = list[tuple[str, str, str, str]](), list(raw.rejected), set[str]()
    for row in raw.rows:
        cells = named_cells(raw.columns, row.cells)
        named = f"{raw.origin.name}:{row.number}" if row_id is None else (_text(cells[row_id]) or "").strip()
        wanted, written = _text(cells[reference]), _text(cells[hypothesis])
        column, reason = _why_not(named, named in known, wanted, written, (row_id, reference, hypothesis))
        if reason or wanted is None or written is None:
            rejected.append(Rejection(file=raw.origin.name, row=row.number, column=column, reason=reason))
        else:
            known.add(named)
            kept.append((named, wanted, written, "" if prompt is None else _text(cells[prompt]) or ""))
    receipt = receipt_of(
        raw.origin,
        num_rows=len(raw.rows) + len(raw.rejected) + raw.num_filtered,
        num_used=len(kept),
        rejected=tuple(rejected),
        num_filtered=raw.num_filtered,
        lines=raw.lines,
    )
    check_rejected(raw.origin.shown, (receipt,), config.read.allow_rejects)
    num_empty = sum(not written.strip() for _, _, written, _ in kept)
    shown = f"prompt {prompt!r}, " if prompt is not None else ""
    notes = (f"columns: {shown}reference {reference!r}, hypothesis {hypothesis!r}, id {row_id or 'the row number'!r}",)
    return GeneratedTable(
        predictions=Predictions(
            task="generate",
            source=source,
            split=split,
            classes=(),
            ids=tuple(row[0] for row in kept),
            labels=tuple(row[1] for row in kept),
            predicted=tuple(row[2] for row in kept),
        ),
        prompt=prompt,
        prompts=tuple(row[3] for row in kept) if prompt is not None else (),
        columns=Columns(text=(hypothesis,), label=reference),
        files=(receipt,),
        notes=(*raw.notes, *notes, *_note_empty(num_empty)),
    )


def _note_empty(num_empty: int) -> list[str]:
    what = counted(num_empty, "hypothesis is", "hypotheses are")
    return [f"{what} empty, and scored as such"] if num_empty else []


def _text(cell: Cell) -> str | None:
    """A missing cell is an empty text; a nested one is none."""
    return None if isinstance(cell, Nested) else cell or ""


def _why_not(
    named: str, is_known: bool, wanted: str | None, written: str | None, columns: tuple[str | None, str, str]
) -> tuple[str | None, str]:
    if not named:
        return columns[0], "the id is missing"
    if is_known:
        return columns[0], f"the id {named!r} was there before"
    if wanted is None or not wanted.strip():
        return columns[1], "is a list, not text" if wanted is None else "the reference is empty"
    return (columns[2], "is a list, not text") if written is None else (None, "")
