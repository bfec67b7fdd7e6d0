"""The run folder: where each part of a run lies, and how it is written and read back."""

import itertools
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from weakref import WeakValueDictionary

from pretune import storage
from pretune.errors import DataError, StorageError, UsageError
from pretune.hashing import digest_of, digest_of_file
from pretune.prediction_tables import parse_predictions, predictions_csv
from pretune.records import CorpusSketch, Example, Past, Predictions, RunRecord

Events = list[dict[str, Any]]


class _Lock:
    """A lock that is given back when nobody refers to it any more."""

    def __init__(self, handle: IO[bytes]) -> None:
        # A bare descriptor: a file object in a circle is finalized, with a warning, before what closes it.
        self._descriptor = os.dup(handle.fileno())
        handle.close()

    def __del__(self) -> None:
        os.close(self._descriptor)


_LOCKS: WeakValueDictionary[Path, _Lock] = WeakValueDictionary()  # what this process holds


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
        self.checkpoints = path / "checkpoints"
        self.sealed, self.openings = self.data / "test.sealed.jsonl", self.data / "openings.jsonl"
        self.corpus, self.past = self.data / "in-corpus.jsonl", self.data / "learned-before.jsonl"
        self.is_to_be_replaced = self.continue_changed = False
        self._lock: _Lock | None = None

    def try_hold(self) -> bool:
        """Keep other processes out for as long as this object lives; ``False`` where one of them has the folder."""
        place = self.path.resolve()
        self._lock = _LOCKS.get(place)
        if self._lock is None:
            handle = storage.try_lock(digest_of(str(place))[:24])
            self._lock = None if handle is None else _LOCKS.setdefault(place, _Lock(handle))
        return self._lock is not None

    def hold(self) -> None:
        """Keep other processes out for as long as this object lives.

        Raises:
            UsageError: Another process has it.
        """
        if not self.try_hold():
            raise UsageError(
                f"{self.path} is in use by another process", expected="a folder to itself", fix="wait, or name another --run"
            )

    @property
    def name(self) -> str:
        """Name of the folder, and of the run."""
        return self.path.resolve().name

    def clear(self, record: RunRecord, *, keep_checkpoints: bool = False) -> None:
        """Put the record of a new run in place, and remove what an earlier one left; a folder that is no run's is left alone.

        The record comes first, so that a process killed meanwhile leaves a run that was begun, never a folder of no run.
        """
        if not self.is_begun and not _is_free(self.path):
            raise _taken(self, "judged")
        self.write_record(record)
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
        is_new, kept = not self.is_begun, self.path.with_name(f".{self.path.name}.before{storage.ASIDE}")
        replaces = self.is_begun and self.is_to_be_replaced
        if replaces and kept.is_dir():  # a process was killed in here: what lies in the folder is no whole run
            shutil.rmtree(self.path)
        elif replaces:
            self.path.rename(kept)
        try:
            yield
        except BaseException as error:
            if replaces or (is_new and isinstance(error, (UsageError, DataError))):
                shutil.rmtree(self.path, ignore_errors=True)
            if replaces:
                kept.rename(self.path)
            raise
        shutil.rmtree(kept, ignore_errors=True)

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
            raise UsageError(
                f"{self.path} is not a run folder: it has no run.json",
                expected="a folder that `pretune run` or `pretune finetune` made, such as runs/reviews-minilm",
                fix="check the name; `ls runs` lists yours",
            )
        try:
            return RunRecord.from_json(storage.read_json(self.path / "run.json"))
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise StorageError(
                f"{self.path / 'run.json'} is damaged: {error}", fix="restore it, or make the run again"
            ) from error

    def write_record(self, record: RunRecord) -> None:
        """Replace ``run.json``."""
        storage.replace_json(self.path / "run.json", record.to_json())

    def write_corpus(self, sketch: CorpusSketch) -> None:
        """Keep what the pre-training corpus has in common with the test texts, so that recomputing needs no other folder."""
        storage.replace(self.corpus, json.dumps(sketch.to_json()) + "\n")

    def read_corpus(self) -> CorpusSketch | None:
        """Return what the corpus has in common with the test texts; ``None`` where no corpus is known."""
        lines = storage.read_lines(self.corpus)
        return CorpusSketch.from_json(json.loads(lines[0])) if lines else None

    def write_past(self, past: Past) -> None:
        """Keep which test texts the model had learned from before this training, so that judging needs no other folder."""
        storage.replace(self.past, json.dumps(past.to_json()) + "\n")

    def read_past(self) -> Past | None:
        """Return which test texts the model had learned from before; ``None`` in runs of earlier versions.

        Raises:
            StorageError: It is damaged.
        """
        lines = storage.read_lines(self.past)
        try:
            return Past.from_json(json.loads(lines[0])) if lines else None
        except ValueError as error:
            raise StorageError(f"{self.past} is damaged: {error}", fix="restore it, or make the run again") from error

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

    def write_predictions(self, predictions: Predictions) -> None:
        """Write ``predictions/SPLIT.SOURCE.csv``: id, label, predicted, then a probability column a class."""
        storage.replace(
            self.path / "predictions" / f"{predictions.split}.{predictions.source}.csv", predictions_csv(predictions)
        )

    def read_predictions(self, split: str, source: str) -> Predictions:
        """Read predictions back.

        Raises:
            UsageError: The run has none of that name.
            StorageError: They are damaged.
        """
        path = self.path / "predictions" / f"{split}.{source}.csv"
        if not path.is_file():
            raise UsageError(
                f"{path} does not exist", expected="a run that was judged", fix=f"pretune judge {self.path} makes it"
            )
        try:
            return parse_predictions(path.read_bytes().decode(), split=split, source=source)
        except (ValueError, IndexError) as error:
            raise StorageError(
                f"{path} is damaged: {error}",
                expected="a table as pretune wrote it: id, label, predicted, a column a class",
                fix="restore it, or make the run again",
            ) from error

    def read_all_predictions(self) -> tuple[Predictions, ...]:
        """Return every set of predictions of the run, by the names of their files.

        Raises:
            StorageError: A file is damaged.
        """
        found = []
        for path in sorted((self.path / "predictions").glob("*.*.csv")):
            split, _, source = path.name.removesuffix(".csv").partition(".")
            try:
                found.append(parse_predictions(path.read_bytes().decode(), split=split, source=source))
            except (ValueError, IndexError) as error:
                raise StorageError(f"{path} is damaged: {error}", fix="restore it, or judge the run again") from error
        return tuple(found)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every file that a verdict is reached from: the splits and the predictions."""
        files = [*self.data.glob("*.jsonl"), *(self.path / "predictions").glob("*.csv")]
        return {path.relative_to(self.path).as_posix(): digest_of_file(path) for path in sorted(files) if path != self.openings}

    def has_predictions(self, split: str, source: str) -> bool:
        """Whether this source's predictions were written."""
        return (self.path / "predictions" / f"{split}.{source}.csv").is_file()

    def drop_predictions(self, split: str, source: str) -> None:
        """Remove what an earlier judging left of a source that is not there any more."""
        (self.path / "predictions" / f"{split}.{source}.csv").unlink(missing_ok=True)

    def read_events(self) -> Events:
        """Return the events of ``trace.jsonl``, those of the last attempt where the run was begun anew.

        Raises:
            StorageError: A line is damaged.
        """
        events: Events = [self._parse_event(number, line) for number, line in enumerate(storage.read_lines(self.trace), 1)]
        begun = [index for index, event in enumerate(events) if event["event"] == "begun"]
        return events[begun[-1] :] if begun else events

    def _parse_event(self, number: int, line: str) -> dict[str, Any]:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise StorageError(
                f"line {number} of {self.trace} is damaged",
                expected="an event as pretune wrote it",
                fix="restore the file; or take the line out, and the report lacks that event",
            )
        return event


def claim_folder(
    base: str,
    inputs: Mapping[str, str],
    *,
    named: Path | None = None,
    overwrite: bool = False,
    continue_changed: bool = False,
    done: str = "judged",
) -> RunFolder:
    """Return the folder that a run shall use, locked against other processes.

    A run of the same inputs that was cut off is gone on with. Otherwise it is the first free one of ``runs/BASE``,
    ``-2``, ``-3``; or the one named, if it is free, to be gone on with, or to be overwritten.

    Args:
        base: Name for the default folder.
        inputs: What "the same command" means, by name.
        named: The folder the user named.
        overwrite: Whether a run in ``named`` (or in the default folder) may be replaced.
        continue_changed: Whether a run of other inputs that was cut off or diverged may be gone on with.
        done: Status from which such a run is finished.

    Raises:
        UsageError: The folder named is taken, or in use by another process.
    """
    if overwrite and continue_changed:
        raise UsageError(
            "--overwrite and --continue-changed were both given",
            expected="one of them: the first begins again, the second goes on",
            fix="leave one out",
        )

    def may_be_had(folder: RunFolder) -> bool:
        return _is_free(folder.path) or _is_same(folder, inputs, done, continue_changed=continue_changed)

    if named is not None or overwrite:
        folder = RunFolder(named or Path("runs") / base)
        folder.hold()
        if overwrite:
            _check_replaceable(folder.path)
            folder.is_to_be_replaced = True
        elif not may_be_had(folder):
            raise _taken(folder, done, inputs)
        folder.continue_changed = continue_changed
        return folder
    for number in itertools.count(1):
        folder = RunFolder(Path("runs") / (base if number == 1 else f"{base}-{number}"))
        if may_be_had(folder) and folder.try_hold():
            break
    folder.continue_changed = continue_changed
    return folder


def identity_of(inputs: Mapping[str, str]) -> str:
    """Return what stands for the inputs in a record; of none, nothing."""
    return digest_of(dict(inputs)) if inputs else ""


# What a run has in data/ before run.json says that it was begun.
_OWN_DATA = {"receipt.json", "train.jsonl", "validation.jsonl", "test.sealed.jsonl"}
_FINISHED = {
    "judged": ("judged", "diverged"), "trained": ("trained", "judged", "diverged"), "pretrained": ("pretrained", "diverged")
}  # fmt: skip
UNFINISHED = ("started", "diverged")  # there is no model


def _is_free(path: Path) -> bool:
    """Whether there is nothing, or only what a refused file, or a run cut off while it read, leaves behind."""
    if not path.is_dir():
        return not path.exists()
    names = {item.relative_to(path).as_posix() for item in path.rglob("*") if not item.name.endswith(storage.ASIDE)}
    return names <= {"data", *(f"data/{name}" for name in _OWN_DATA)}


def _is_same(folder: RunFolder, inputs: Mapping[str, str], done: str, *, continue_changed: bool) -> bool:
    record = _record_of(folder)
    if record is None:
        return False
    if continue_changed and record.status in UNFINISHED:
        return True
    return record.identity == identity_of(inputs) and record.status not in _FINISHED[done]


def _record_of(folder: RunFolder) -> RunRecord | None:
    """Return the record, or ``None`` where there is none that can be read: such a folder is left alone."""
    try:
        return folder.read_record()
    except (UsageError, StorageError):
        return None


def _taken(folder: RunFolder, done: str, inputs: Mapping[str, str] | None = None) -> UsageError:
    path, record = folder.path, _record_of(folder)
    replaced = "name another --run, or pass --overwrite to replace it"
    if record is not None and record.status == "diverged":
        return UsageError(
            f"{path} holds a run whose {record.failure}",
            expected="a new folder",
            fix=f"{replaced}; with --continue-changed and a lower --lr it goes on from its last checkpoint",
        )
    if record is not None and record.status in _FINISHED[done]:
        return UsageError(f"{path} holds a finished run", expected="a new folder", fix=replaced)
    if record is not None:
        return UsageError(
            f"{path} holds a run of another command that was cut off{_differences(record.inputs, inputs or {})}",
            expected="a new folder, or the same command",
            fix=f"{replaced}; or pass --continue-changed to go on all the same, which every report then shows",
        )
    return UsageError(f"{path} exists and is no run folder", expected="a new folder", fix="name another --run")


def _differences(then: Mapping[str, str], now: Mapping[str, str], limit: int = 6) -> str:
    names = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    told = [f"{name}: {then.get(name, 'nothing')} then, {now.get(name, 'nothing')} now" for name in names[:limit]]
    more = [f"and {len(names) - limit} more"] if len(names) > limit else []
    return f" ({'; '.join(told + more)})" if then and now and told else ""


def _check_replaceable(path: Path) -> None:
    if path.exists() and not (path / "run.json").is_file() and not _is_free(path):
        raise UsageError(f"{path} exists and is no run folder, so it is not overwritten", fix="name another --run")
