"""Scorer: what a run answers to a batch of rows, as a callable that engines send to their workers."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pretune.configs import ReadConfig
from pretune.data.read.memory import read_memory
from pretune.data.read.rows import text_reader
from pretune.data.read.table import RawTable
from pretune.errors import UsageError, require
from pretune.production.batch.frames import Batch, columns_of, with_columns
from pretune.records import Columns
from pretune.run.prediction_tables import PROBABILITY
from pretune.tasks.classify.predict import Answer, Answering, open_answering
from pretune.tasks.classify.predict.answers import answer_all

PREDICTED, ERROR = "predicted", "error"


class Scorer:
    """Adds a run's answers to batches; the rows and their order stay as they are.

    It holds names only, so that it is sent to workers in a few bytes; each process opens the model once, at its first batch.
    Columns and texts are read as ``pretune predict --file`` reads them: a row without a text gets no answer, and ``error``
    says why. The model's folder must be reachable from every worker, under the same path.

    Args:
        run: A run, a model folder, or ``RUN/linear``.
        text: Column or columns with the text; those that the run learned from unless given.
        threads: Processor threads of each worker; as many as the library likes with ``None``.

    Example:
        ``ray.data.read_parquet(table).map_batches(Scorer, fn_constructor_args=["runs/first"], concurrency=2)``

    Raises:
        ModelLoadError: The run has no classifier; at the first batch.
    """

    def __init__(self, run: str | Path, *, text: str | Sequence[str] | None = None, threads: int | None = 1) -> None:
        self.run = str(run)
        self.text = (text,) if isinstance(text, str) else tuple(text or ())
        self.threads = threads

    def __call__(self, batch: Batch) -> Batch:
        """Return a batch with the columns ``predicted``, ``p:CLASS`` for each class, and ``error``.

        Args:
            batch: A pandas data frame, a table of pyarrow, or a dict of columns; what comes back is of the same kind.

        Raises:
            UsageError: The batch is something else, lacks a column, or has one of that name already.
        """
        table = read_memory(columns_of(batch), "data")
        self._check(table)
        names = self._text_in(table)
        read = text_reader(table.columns, Columns(text=names, label=None), ReadConfig().max_cell)
        asked = []
        for row in table.rows:
            text, reason = read(row.cells)
            asked.append(Answer(id=str(row.number), text=text, reason=reason))
        return with_columns(batch, self._columns(answer_all(self._answering, asked)))

    def over(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Answer one batch after another, as Spark's ``mapInPandas`` hands them out."""
        return map(self, batches)

    def spark_schema(self, schema: Any) -> Any:
        """Return the schema of Spark of the answers to a data frame of this schema.

        Raises:
            MissingPackageError: pyspark is not installed.
        """
        types = require("pyspark.sql.types", extra="spark")
        kinds = {PREDICTED: types.StringType(), ERROR: types.StringType()}
        added = [types.StructField(name, kinds.get(name, types.DoubleType())) for name in self.added]
        return types.StructType([*schema.fields, *added])

    @cached_property
    def added(self) -> tuple[str, ...]:
        """Names of the columns that are added."""
        return (PREDICTED, *(PROBABILITY + name for name in self._answering.classes), ERROR)

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.run, self.text, self.threads)

    @property
    def _answering(self) -> Answering:
        return _opened(self.run, self.threads)

    def _columns(self, answers: Sequence[Answer]) -> dict[str, list[Any]]:
        missing = (float("nan"),) * len(self._answering.classes)
        shares = zip(*(answer.shares or missing for answer in answers), strict=True)
        columns = list(map(list, shares)) or [[] for _ in missing]
        return {
            PREDICTED: [answer.predicted for answer in answers],
            **dict(zip(self.added[1:-1], columns, strict=True)),
            ERROR: [answer.reason or None for answer in answers],
        }

    def _check(self, table: RawTable) -> None:
        taken = [name for name in self.added if name in table.columns]
        if taken:
            raise UsageError(
                f"the batch has a column {taken[0]!r} already",
                expected="a table without answers",
                fix="rename or drop the column before it is scored",
            )

    def _text_in(self, table: RawTable) -> tuple[str, ...]:
        """Return the columns with the text: those asked for, else those that the model learned from, else the only one."""
        names = self.text or self._answering.text or (table.columns if len(table.columns) == 1 else ())
        missing = [name for name in names if name not in table.columns]
        if names and not missing:
            return names
        shown = ", ".join(map(repr, table.columns))
        got = f"the batch has no column {missing[0]!r}" if missing else f"{self.run} does not say which column has the text"
        raise UsageError(got, expected=f"a column of the batch: {shown}", fix=f"pass Scorer({self.run!r}, text='COLUMN')")


def _make(run: str, text: tuple[str, ...], threads: int | None) -> Scorer:
    return Scorer(run, text=text, threads=threads)


@cache
def _opened(run: str, threads: int | None) -> Answering:
    """Open a run once in this process."""
    answering, torch = open_answering(run), sys.modules.get("torch")
    if threads is not None and torch is not None:  # an exported form answers without torch
        torch.set_num_threads(threads)
    return answering
