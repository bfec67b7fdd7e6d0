"""The run folder: where each part of a run is, and how it is written and read back."""

import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pretune import storage
from pretune.errors import DataError, StorageError, UsageError
from pretune.records import SCHEMA, Copies, CorpusSketch, Example, Past, Predictions, RunRecord
from pretune.records.base import Record
from pretune.run.damage import damaged, is_free, no_run, not_free
from pretune.run.digests import digests_of_run, last_opening
from pretune.run.holding import Lock, held, hold
from pretune.run.prediction_tables import parse_predictions, predictions_csv
from pretune.run.trace import Events, read_events

Kept = TypeVar("Kept", bound=Record)

# Which test texts a pre-training corpus has, which were learned from before, and which rows have the same text.
KEPT: dict[type[Record], str] = {
    CorpusSketch: "in-corpus.jsonl",
    Past: "learned-before.jsonl",
    Copies: "copies.jsonl",
}
SEALED_SCHEMA = 2  # of run.json: it has a digest of itself
UNFINISHED = ("started", "diverged")  # there is no model


class RunFolder:
    """One run on disk.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data, self.model, self.linear = path / "data", path / "model", path / "linear"
        self.encoder_linear = path / "encoder_linear"
        self.trace, self.report, self.card = path / "trace.jsonl", path / "report.html", path / "README.md"
        self.model_card, self.checkpoints = self.model / "README.md", path / "checkpoints"
        self.sealed, self.openings = self.data / "test.sealed.jsonl", self.data / "openings.jsonl"
        self.is_to_be_replaced = self.continue_changed = False
        self._lock: Lock | None = None

    def try_hold(self) -> bool:
        """Keep other processes out for as long as this object lives; ``False`` where one of them has the folder."""
        place = self.path.resolve()
        self._lock = held(place)
        if self._lock is None:
            self._lock = hold(place)
            if self._lock is not None:
                self._sweep()
        return self._lock is not None

    def hold(self) -> None:
        """Keep other processes out for as long as this object lives.

        Raises:
            UsageError: Another process has it.
        """
        if not self.try_hold():
            raise UsageError(
                f"{self.path} is in use by another process", expected="a folder of its own", fix="wait, or name another --run"
            )

    @property
    def name(self) -> str:
        """Name of the folder, and of the run."""
        return self.path.resolve().name

    def _sweep(self) -> None:
        """Remove what processes that were killed have left here, and put an earlier run back that one had put aside."""
        before = self._before
        old = before.with_name(before.name + storage.ASIDE)  # as an earlier version named it
        if old.is_dir() and not self.is_begun:
            old.rename(before)
        if before.is_dir():  # what lies in the folder was begun in its place, and is no whole run
            storage.remove(self.path)
            before.rename(self.path)
        if self.path.parent.is_dir():
            storage.sweep(self.path.parent, self.path.name)
        storage.sweep_tree(self.path)
        if self.checkpoints.is_dir() and self._is_finished():  # a kill came between the record and their removal
            storage.discard(self.checkpoints)
            storage.discard(self.path / "start")

    def _is_finished(self) -> bool:
        try:
            return self.is_begun and self.read_record().status not in UNFINISHED
        except StorageError:
            return False

    @property
    def _before(self) -> Path:
        """Where a run lies that is being replaced, until it is."""
        return self.path.with_name(f".{self.path.name}.before")

    def clear(self, record: RunRecord, *, keep_checkpoints: bool = False) -> None:
        """Put the record of a new run in place, and remove what an earlier one left; a folder that is no run's is left alone.

        The record comes first, so that a process killed meanwhile leaves a run that was begun, never a folder of no run.
        """
        if not self.is_begun and not is_free(self.path):
            raise not_free(self.path)
        self.write_record(record, cover=False)
        kept = {self.path / "run.json", *((self.checkpoints,) if keep_checkpoints else ())}
        for item in self.path.iterdir():
            if item not in kept:
                shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
        self.is_to_be_replaced = False

    @contextmanager
    def refusable(self) -> Iterator[None]:
        """Leave the folder as it was found if what is begun inside is refused: a mistyped name costs no earlier run.

        A run that is to be replaced is put aside meanwhile, and put back after Ctrl-C as well.
        """
        is_new, kept = not self.is_begun, self._before
        replaces = self.is_begun and self.is_to_be_replaced
        if replaces:
            self.path.rename(kept)
        try:
            yield
        except BaseException as error:
            if replaces or (is_new and isinstance(error, (UsageError, DataError))):
                storage.remove(self.path)
            if replaces:
                kept.rename(self.path)
            raise
        if replaces:  # renamed before it is removed: half of it must never be put back
            gone = kept.with_name(f".{self.path.name}.replaced{storage.ASIDE}")
            storage.remove(gone)
            kept.rename(gone)
            storage.remove(gone)

    @property
    def is_begun(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / "run.json").is_file()

    def read_record(self) -> RunRecord:
        """Return ``run.json``.

        Raises:
            UsageError: This is no run folder.
            StorageError: It is damaged.
        """
        if not self.is_begun:
            raise no_run(self.path)
        try:
            value = storage.read_json(self.path / "run.json")
            if "schema" not in value or value["schema"] not in (SCHEMA, SEALED_SCHEMA):
                raise ValueError(f"its schema is {value.get('schema')!r}")
            if value["schema"] == SEALED_SCHEMA and not storage.is_sealed(value):
                raise ValueError("its digest does not match its contents")
            return RunRecord.from_json(value | {"schema": SCHEMA})
        except (StorageError, TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
            why = error.got if isinstance(error, StorageError) else str(error)
            raise damaged(self.path, f"{self.path}/run.json is damaged: {why}") from error

    def write_record(self, record: RunRecord, *, cover: bool = True, keep: str = "") -> RunRecord:
        """Replace ``run.json``, and return the record as it is there.

        Args:
            record: What is known of the run.
            cover: Take the digests of all files as they are now into it; else it keeps those that it has.
            keep: A folder of the run that nobody was to write to meanwhile: the digests that the record has of it stay.
        """
        if cover:
            kept = {name: digest for name, digest in record.digests.items() if keep and name.startswith(f"{keep}/")}
            record = replace(record, digests=self.digests(record.task, but=kept) | kept, heads=self.heads(), pending={})
        value = json.loads(json.dumps(record.to_json() | {"schema": SEALED_SCHEMA}, allow_nan=False))
        storage.replace_json(self.path / "run.json", storage.sealed(value))
        return record

    def write_kept(self, record: CorpusSketch | Past | Copies) -> None:
        """Keep what judging found out beside this run, so that recomputing needs no other folder and searches for nothing."""
        storage.replace(self.data / KEPT[type(record)], json.dumps(record.to_json()) + "\n")

    def read_kept(self, kind: type[Kept]) -> Kept | None:
        """Return what was kept of this kind; ``None`` where nothing was, as in runs of earlier versions.

        Raises:
            StorageError: The file is damaged.
        """
        path = self.data / KEPT[kind]
        if not path.exists():
            return None
        try:
            return kind.from_json(json.loads(storage.read_lines(path)[0]))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
            raise StorageError(f"{path} is damaged: {error}", fix="restore it, or make the run again") from error

    def drop_kept(self, kind: type[Record]) -> None:
        """Remove what an earlier judging kept that is not known any more."""
        (self.data / KEPT[kind]).unlink(missing_ok=True)

    def sealed_files(self, record: RunRecord) -> tuple[Path, ...]:
        """Return where the sealed rows are: the first ones, and those that were added."""
        return (self.sealed, *(self.data / more.file for more in record.more))

    def write_examples(self, split: str, examples: Sequence[Example]) -> None:
        """Write one split that is not sealed, as JSON lines."""
        lines = (json.dumps(example.to_json(), ensure_ascii=True) for example in examples)
        storage.replace(self.data / f"{split}.jsonl", "".join(line + "\n" for line in lines))

    def read_examples(self, split: str) -> tuple[Example, ...]:
        """Read a split back.

        Raises:
            StorageError: It is not there, or damaged.
        """
        path = self.data / f"{split}.jsonl"
        if not path.is_file():
            raise StorageError(f"{path} is missing", fix="make the run again")
        try:
            return tuple(Example.from_json(json.loads(line)) for line in storage.read_lines(path))
        except (json.JSONDecodeError, TypeError) as error:
            raise StorageError(f"{path} is damaged: {error}", fix="make the run again") from error

    def _predictions(self, split: str, source: str) -> Path:
        return self.path / "predictions" / f"{split}.{source}.csv"

    def write_predictions(self, predictions: Predictions) -> None:
        """Write ``predictions/SPLIT.SOURCE.csv``: id, label, predicted, then a probability column a class."""
        storage.replace(self._predictions(predictions.split, predictions.source), predictions_csv(predictions))

    def read_predictions(self, split: str, source: str) -> Predictions:
        """Read predictions back.

        Raises:
            UsageError: The run has none of that name.
            StorageError: They are damaged.
        """
        path = self._predictions(split, source)
        if not path.is_file():
            raise UsageError(
                f"{path} does not exist", expected="a run that was judged", fix=f"`pretune judge {self.path}` makes it"
            )
        try:
            return parse_predictions(path.read_bytes().decode(), split=split, source=source)
        except (ValueError, IndexError) as error:
            raise StorageError(
                f"{path} is damaged: {error}",
                expected="a table as pretune wrote it: id, label, predicted, one column per class",
                fix="restore it, or make the run again",
            ) from error

    def read_all_predictions(self) -> tuple[Predictions, ...]:
        """Return every set of predictions of the run, by the names of their files.

        Raises:
            StorageError: A file is damaged.
        """
        names = (path.name.removesuffix(".csv") for path in sorted((self.path / "predictions").glob("*.*.csv")))
        return tuple(self.read_predictions(*name.split(".", 1)) for name in names)

    def digests(self, task: str, *names: str, but: Collection[str] = ()) -> dict[str, str]:
        """Return what ``digests_of_run`` does of this run."""
        return digests_of_run(self.path, task, *names, but=but)

    def heads(self) -> dict[str, str]:
        """Return the digests of the last lines of the files that grow."""
        known = {"trace.jsonl": storage.head_of(self.trace), "data/openings.jsonl": last_opening(self.openings)}
        return {name: head for name, head in known.items() if head}

    def has_predictions(self, split: str, source: str) -> bool:
        """Whether this source's predictions were written."""
        return self._predictions(split, source).is_file()

    def drop_predictions(self, split: str, source: str) -> None:
        """Remove what an earlier judging left of a source that is not there any more."""
        self._predictions(split, source).unlink(missing_ok=True)

    def read_events(self, *, head: str = "") -> Events:
        """Return what ``trace.read_events`` does of this run's trace."""
        return read_events(self.trace, head=head)
