"""Scored: predictions that any tool wrote, as the records that judges read, with every row accounted for."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pretune.configs import MAX_REJECTED_SHARE, AuditConfig
from pretune.data.clean import clean_examples, writable
from pretune.data.foreign.cells import OUT_OF_RANGE, RowError, check_shares, class_in, number_in, shares_in, softmax, word_in
from pretune.data.foreign.decide import Answers, Scored, decide_classes, decide_score
from pretune.data.foreign.kinds import refuse_other_kinds
from pretune.data.foreign.notation import Notation, find_notation
from pretune.data.foreign.score_columns import Roles, choose_roles
from pretune.data.foreign.sums import bad_sums, bounds_of, step_of
from pretune.data.labels.naming import merges, name_classes
from pretune.data.labels.spelling import clean_label
from pretune.data.read.objects import named_cells
from pretune.data.read.rows import check_rejected
from pretune.data.read.table import Cell, Nested, RawTable, Row, receipt_of, unusable
from pretune.errors import DataError, MissingLabelsError
from pretune.records import Columns, Example, FileReceipt, Predictions, Record, Rejection

_BAD_SUM = "add up to"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTable(Record):
    """What a tool predicted, read from its table."""

    predictions: Predictions
    examples: tuple[Example, ...]  # the same rows: cleaned texts (empty where there are none) and further columns
    certainty: tuple[float, ...] | None = None  # of the predicted class, where that is all that is known
    positive: str | None = None  # the class that a single score speaks of
    columns: Columns
    files: tuple[FileReceipt, ...]
    num_cleaned: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def has_texts(self) -> bool:
        """Whether every row came with its text."""
        return all(example.text for example in self.examples)


@dataclass(frozen=True, slots=True)
class _Said:
    """One row as read: numbers still by the classes that the table names."""

    number: int
    id: str
    label: str
    predicted: str | None
    score: float | None
    shares: dict[str, float]
    text: str
    extra: dict[str, str]


def read_scored(raw: RawTable, config: AuditConfig, *, source: str, split: str = "test") -> ScoredTable:
    """Return the predictions in a table of id, label and score, or predicted label, or one column per class.

    A row is rejected, and counted with its reason, where the label is missing, the id is missing or was there before, a
    number is missing, not finite or outside 0 to 1, or where probabilities do not add up to 1.

    Args:
        raw: Rows of cells.
        config: Names of columns, the threshold, what the score is of.
        source: What the predictions are called.
        split: What the rows are called.

    Raises:
        DataError: One message: no rows, over 1 % of them rejected, classes that do not fit the labels, or a score of
            which it cannot be told whose probability it is.
        MissingLabelsError: No column can be the label, or no row has one.
    """
    if not raw.rows:
        check_rejected(raw.origin.shown, (_receipt(raw, 0, raw.rejected),), allow=False)
    roles = choose_roles(raw, config)
    roles = replace(roles, classes=tuple((column, clean_label(kind)) for column, kind in roles.classes))
    numbers = find_notation(raw, [column for column, _ in roles.classes] or [*filter(None, [roles.score])])
    rows, rejected = _without_bad_sums(*_read_rows(raw, roles, config, numbers), raw, roles)
    receipt = _receipt(raw, len(rows), rejected)
    _check_common_causes(raw, rejected, receipt, roles)
    check_rejected(raw.origin.shown, (receipt,), config.read.allow_rejects)
    said = [row.predicted for row in rows if row.predicted is not None]
    other_kind = refuse_other_kinds([row.label for row in rows], said, raw.origin)
    if other_kind is not None:
        raise with_receipt(other_kind, receipt)
    named = name_classes(
        [row.label for row in rows],
        said,
        [row.shares for row in rows if row.shares],
        roles.score_class and clean_label(roles.score_class),
        column=roles.label,
        is_listed=bool(roles.classes),
        merge=merges(config),
    )
    if named.shares:
        answers = decide_classes(named.labels, named.said, named.shares, raw.origin)
    else:
        scores = [row.score for row in rows if row.score is not None]
        answers = decide_score(
            Scored(
                labels=named.labels,
                said=named.said,
                scores=scores,
                score_class=named.score_class,
                config=config,
                origin=raw.origin,
            )
        )
    predictions = Predictions(
        source=source,
        split=split,
        classes=answers.classes,
        ids=tuple(row.id for row in rows),
        labels=tuple(answers.labels),
        predicted=answers.predicted,
        probabilities=answers.probabilities,
    )
    examples, cleaned = clean_examples(_examples(rows, answers))
    return ScoredTable(
        predictions=predictions,
        examples=examples,
        certainty=answers.certainty,
        positive=answers.positive,
        columns=Columns(text=roles.text, label=roles.label, guessed=()),
        files=(receipt,),
        num_cleaned=cleaned,
        notes=(*raw.notes, *_describe(roles), *filter(None, [numbers.note]), *named.notes, *answers.notes),
    )


def _describe(roles: Roles) -> tuple[str, ...]:
    return (
        (f"columns guessed: {'; '.join(roles.guessed)}; --id, --label, --predicted, --score and --text name others",)
        if roles.guessed
        else ()
    )


def _examples(rows: Sequence[_Said], answers: Answers) -> list[Example]:
    return [
        Example(id=row.id, text=row.text, label=label, extra=row.extra) for row, label in zip(rows, answers.labels, strict=True)
    ]


def _receipt(raw: RawTable, num_used: int, rejected: Sequence[Rejection]) -> FileReceipt:
    total = num_used + len(rejected) + raw.num_filtered
    ordered = tuple(sorted(rejected, key=lambda item: item.row or 0))
    return receipt_of(
        raw.origin, num_rows=total, num_used=num_used, rejected=ordered, num_filtered=raw.num_filtered, lines=raw.lines
    )


def _read_rows(raw: RawTable, roles: Roles, config: AuditConfig, numbers: Notation) -> tuple[list[_Said], list[Rejection]]:
    rows, rejected, known, taken = list[_Said](), list(raw.rejected), dict[str, int](), roles.taken
    for row in raw.rows:
        cells = named_cells(raw.columns, row.cells)
        try:
            said = _read_row(row, cells, roles, config, numbers, raw.origin.name, taken)
            if said.id in known:
                raise RowError(roles.id, f"the id {said.id!r} was already in row {known[said.id]}")
        except RowError as error:
            rejected.append(Rejection(file=raw.origin.name, row=row.number, column=error.column, reason=error.reason))
            continue
        known[said.id] = row.number
        rows.append(said)
    return rows, rejected


def _without_bad_sums(
    rows: list[_Said], rejected: list[Rejection], raw: RawTable, roles: Roles
) -> tuple[list[_Said], list[Rejection]]:
    """Reject the rows whose probabilities cannot be those of all classes, as far as they are rounded."""
    step, kept = step_of(row.shares for row in rows if row.shares), list[_Said]()
    for row in rows:
        (low, high), total = bounds_of(row.shares, step), sum(row.shares.values())
        if not row.shares or (total <= high and (total >= low or not roles.classes)):
            kept.append(row)
            continue
        reason = f"the probabilities {_BAD_SUM} {'more' if total > high else 'less'} than 1"
        rejected.append(Rejection(file=raw.origin.name, row=row.number, column=None, reason=reason))
    return kept, rejected


def _read_row(
    row: Row, cells: Mapping[str, Cell], roles: Roles, config: AuditConfig, numbers: Notation, name: str, taken: frozenset[str]
) -> _Said:
    row_id = f"{name}:{row.number}" if roles.id is None else word_in(cells, roles.id, "the id")
    label = class_in(cells, roles.label, "the label")
    predicted = None if roles.predicted is None else class_in(cells, roles.predicted, "the prediction")
    shares, score = dict[str, float](), None
    if roles.nested is not None:
        shares = shares_in(cells[roles.nested], roles.nested)
        if config.logits and len(shares) < 2:
            raise RowError(roles.nested, "has one logit; --logits needs one per class")
    elif roles.classes:
        shares = {kind: number_in(cells, column, numbers) for column, kind in roles.classes}
    elif roles.score is not None:
        score = number_in(cells, roles.score, numbers)
    where = roles.nested or (roles.classes[0][0] if roles.classes else roles.score)
    if config.logits:
        shares = softmax(shares)
        score = None if score is None else 1 / (1 + math.exp(-max(min(score, 700.0), -700.0)))
    check_shares(shares if score is None else {"": score}, where)
    text = "\n".join(writable(part) for column in roles.text if isinstance(part := cells[column], str) and part.strip())
    extra = {column: _extra(cell) for column, cell in cells.items() if column not in taken}
    return _Said(row.number, row_id, label, predicted, score, shares, text, extra)


def _extra(cell: Cell) -> str:
    if isinstance(cell, str):
        return writable(cell)
    return writable(cell.shown) if isinstance(cell, Nested) else ""


def _check_common_causes(raw: RawTable, rejected: Sequence[Rejection], receipt: FileReceipt, roles: Roles) -> None:
    """Name the cause where one reason takes out more rows than dirt explains: logits, sigmoids, no labels at all."""
    reasons = Counter(re.sub(r" \(.*\)$", "", item.reason) for item in rejected)
    limit = MAX_REJECTED_SHARE * (len(raw.rows) + len(raw.rejected))
    outside = sum(count for reason, count in reasons.items() if OUT_OF_RANGE in reason)
    if outside > limit:
        raise with_receipt(
            unusable(
                raw.origin,
                f"{outside:,} of {receipt.num_rows:,} rows hold a score outside 0 to 1",
                expected="probabilities",
                fix="pass --logits if these are logits (their softmax is taken); write percentages with %, or divide by 100",
            ),
            receipt,
        )
    sums = sum(count for reason, count in reasons.items() if _BAD_SUM in reason)
    if sums > limit:
        raise with_receipt(bad_sums(sums, receipt.num_rows, raw.origin), receipt)
    if reasons["the label is missing"] == receipt.num_rows:
        raise MissingLabelsError(
            f"{raw.origin.shown}: no row has a label in column {roles.label!r}",
            expected="a label in every row",
            fix="join the labels by id, or name their column with --label COL",
            files=(receipt,),
        )


def with_receipt(error: DataError, receipt: FileReceipt) -> DataError:
    """Return the same error with the receipt of every row."""
    error.files = (receipt,)
    return error
