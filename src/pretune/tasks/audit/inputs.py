"""Inputs: the judged predictions, those of another model, the training rows, and one receipt for all."""

from dataclasses import dataclass, replace
from typing import Any

from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import find_duplicates
from pretune.data.alike.shared import find_conflicts
from pretune.data.clean import clean_examples
from pretune.data.foreign.scored import ScoredTable, read_scored
from pretune.data.labels.naming import merges
from pretune.data.read.path import read_table
from pretune.data.read.table import RawTable, Table
from pretune.errors import DataError
from pretune.records import Example, Predictions, Receipt
from pretune.run.trace import Trace
from pretune.tasks.audit.alike import spell_examples, spell_predictions
from pretune.tasks.audit.opening import open_further
from pretune.tasks.audit.question import AUDITED, SPLIT, Question, other_name, shown
from pretune.wording.counts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedTables:
    """All that an audit reads."""

    judged: ScoredTable
    others: tuple[ScoredTable, ...]  # none or one, over the classes of ``judged``
    train: tuple[Example, ...]  # cleaned; empty where there are none
    receipt: Receipt

    @property
    def train_labels(self) -> list[str]:
        """Labels of the training rows."""
        return [str(row.label) for row in self.train]


def read_inputs(raw: RawTable, source: Any, question: Question, trace: Trace) -> AuditedTables:
    """Read everything that the question names.

    Raises:
        DataError: Any of it cannot be used, or the training rows have other labels.
    """
    tables = [_read_scored(raw, source, AUDITED, question, trace)]
    if question.against is not None:
        other = open_further(question.against, question.config.read)
        named = other_name(question.against)
        found = _read_scored(other, question.against, named, question, trace)
        tables.append(spell_predictions(found, tables[0], named, merge=merges(question.config)))
    judged, *others = _over_one_order(tables)
    table = None if question.train is None else _read_train(judged, question, trace)
    train = clean_examples(table.examples)[0] if table is not None else ()
    train, notes = spell_examples(train, judged, "training", merge=merges(question.config))
    for note in notes:
        trace.note(note)
    _check_labels(train, judged)
    receipt = _receipt(shown(source), [judged, *others], table, train)
    return AuditedTables(
        judged=judged, others=tuple(others), train=train, receipt=replace(receipt, notes=(*receipt.notes, *notes))
    )


def _read_scored(raw: RawTable, source: Any, name: str, question: Question, trace: Trace) -> ScoredTable:
    with trace.stage("read", shown(source)) as stage:
        table = read_scored(raw, question.config, source=name, split=SPLIT)
        found = table.predictions
        if question.config.read.group is not None:
            table = replace(table, examples=_grouped(table, question.config.read.group, shown(source)))
        stage.notes = [
            *table.notes,
            *(f"{counted(len(file.rejected), 'row')} rejected" for file in table.files if file.rejected),
        ]
        stage.done = f"classes {', '.join(found.classes[:6])}" + (" …" if len(found.classes) > 6 else "")
        stage.shape_out = f"{len(found.ids):,} rows × {len(found.classes)} classes"
    return table


def _grouped(table: ScoredTable, column: str, source: str) -> tuple[Example, ...]:
    """Return the rows with the value of this column as their group; an empty one is a group of its own."""
    if not any(column in row.extra for row in table.examples):
        known = ", ".join(dict.fromkeys(name for row in table.examples[:100] for name in row.extra))
        raise DataError(
            f"{source} has no column {column!r} besides those of text, label and answers",
            expected=f"one of {known}" if known else "a column that says which rows belong together",
            fix="check the name given to --group",
        )
    return tuple(replace(row, group=row.extra.get(column) or None) for row in table.examples)


def _over_one_order(tables: list[ScoredTable]) -> list[ScoredTable]:
    """Give all tables the same classes in the same order: those of the first, or all of them sorted."""
    classes = tables[0].predictions.classes
    if any(set(table.predictions.classes) != set(classes) for table in tables):
        classes = tuple(sorted({name for table in tables for name in table.predictions.classes}))
    return [replace(table, predictions=_over(table.predictions, classes)) for table in tables]


def _over(predictions: Predictions, classes: tuple[str, ...]) -> Predictions:
    """Return the predictions with their columns in this order; a class that they do not know has probability 0."""
    shares, place = predictions.probabilities, {name: index for index, name in enumerate(predictions.classes)}
    if classes == predictions.classes or shares is None:
        return replace(predictions, classes=classes)
    table = tuple(tuple(row[place[name]] if name in place else 0.0 for name in classes) for row in shares)
    return replace(predictions, classes=classes, probabilities=table)


def _read_train(judged: ScoredTable, question: Question, trace: Trace) -> Table:
    """Read the training rows by the columns of the predictions, where the file has them; else guess them again."""
    read = question.config.read
    config = replace(read, text=(), label=None, group=None)
    with trace.stage("read training", shown(question.train)) as stage:
        try:
            table = read_table(
                question.train,
                replace(config, text=judged.columns.text, label=judged.columns.label, group=read.group),
                role="train",
                is_further=True,
            )
        except DataError:
            table = read_table(question.train, config, role="train", is_further=True)
        stage.notes, stage.shape_out = list(table.notes), f"{len(table.examples):,} rows"
    return table


def _check_labels(train: tuple[Example, ...], judged: ScoredTable) -> None:
    known, own = {str(row.label) for row in train}, set(map(str, judged.predictions.labels))
    if train and not known & own:
        names = [", ".join(map(repr, sorted(labels)[:5])) for labels in (known, own)]
        raise DataError(
            f"the training rows are labelled {names[0]}, the predictions {names[1]}",
            expected="the same classes in the same words",
            fix="name the training file that belongs to these predictions, or rename the labels in one of them",
        )


def _receipt(source: str, tables: list[ScoredTable], train: Table | None, rows: tuple[Example, ...]) -> Receipt:
    """Account for every row of every file; duplicates and conflicts are sought among texts, where there are any."""
    files = (*(file for table in tables for file in table.files), *(train.files if train is not None else ()))
    texts = [row for row in (*rows, *tables[0].examples) if row.text]
    duplicates = find_duplicates([row.text for row in texts], threshold=NEAR_THRESHOLD) if texts else None
    notes = [note for table in tables for note in table.notes] + list(train.notes if train is not None else ())
    return Receipt(
        source=source,
        files=files,
        columns=tables[0].columns,
        num_rows=sum(file.num_rows for file in files),
        num_used=sum(file.num_used for file in files),
        num_rejected=sum(len(file.rejected) for file in files),
        num_filtered=sum(file.num_filtered for file in files),
        num_cleaned=tables[0].num_cleaned,
        num_exact_duplicates=duplicates.num_exact if duplicates else 0,
        num_near_duplicates=duplicates.num_near if duplicates else 0,
        near_duplicate_threshold=NEAR_THRESHOLD if duplicates else None,
        conflicts=find_conflicts(texts, duplicates) if duplicates else (),
        notes=tuple(dict.fromkeys(notes)),
    )
