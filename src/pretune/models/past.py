"""The past of a model: what had it learned from before this training, as far as anybody can tell?

A folder that pretune saved says so itself (``data/learned.py``). Of a run that an earlier version made the rows are read.
A name of the catalogue, and any checkpoint without a head for a task, is a general one: nobody lists its texts. A
classifier from elsewhere was trained on texts that are not known, and the test may be among them.
"""

from pathlib import Path
from typing import Any

from pretune import storage
from pretune.data.catalog import find_entry
from pretune.data.learned import ABOUT, TEXTS, Learned, read_learned
from pretune.errors import DamagedError, PretuneError
from pretune.models.load import find_checkpoint, read_config
from pretune.records import RunRecord
from pretune.runs import RunFolder

# What a model for a task is called by transformers; the heads of pre-training are not among them.
TASKS = ("Classification", "QuestionAnswering", "MultipleChoice", "Regression")
MAX_CHAIN = 100  # runs that were made from one another


def past_of(name: str, *, chain: int = 0) -> Learned:
    """Return what is known of the past of a model by its name, folder, run or hub id.

    Raises:
        DamagedError: Its folder is not what was written.
    """
    place = Path(name)
    if place.is_dir() and chain < MAX_CHAIN:
        return _past_of_folder(place, chain)
    entry = find_entry(name)
    if entry is not None and entry.kind == "model":
        return Learned(bases=(name,))
    try:
        return _by_its_head(name, read_config(find_checkpoint(name)).to_dict())
    except PretuneError:
        if not chain:
            raise
        return Learned(unknown=(f"{name}, which the model was made from, is not there any more",))


def past_in(folder: Path) -> Learned:
    """Return what a model folder that pretune saved has learned from, its own training included.

    Raises:
        DamagedError: It is not what was written.
    """
    found = read_learned(folder)
    listed = _read(folder / "pretune.json").get("digests")
    missing = [name for name in (ABOUT, TEXTS) if isinstance(listed, dict) and name in listed and not (folder / name).is_file()]
    if missing:
        raise DamagedError(
            f"{folder / missing[0]} is missing",
            expected="the fingerprints of the texts that the model has learned from",
            fix="restore the file; without it nobody can tell whether a test was trained on",
        )
    return found or Learned(unknown=(f"{folder} was saved by a version of pretune that kept no fingerprints of its texts",))


def _past_of_folder(place: Path, chain: int) -> Learned:
    is_run = (place / "run.json").is_file() and (place / "model").is_dir()
    folder = place / "model" if is_run else place
    run = RunFolder(place if is_run else place.parent)
    if (folder / ABOUT).is_file():
        return past_in(folder)
    if run.is_begun and folder.resolve() == run.model.resolve():
        past_in(folder) if (folder / "pretune.json").is_file() else None
        return _past_of_run(run, chain)
    if (folder / "pretune.json").is_file():
        return past_in(folder)
    return _by_its_head(str(place), _read(folder / "config.json"))


def _past_of_run(run: RunFolder, chain: int) -> Learned:
    """Return the past of a run whose model says nothing, because an earlier version saved it."""
    record = run.read_record()
    if record.task == "pretrain":
        corpora = Learned(corpora=(record.corpus.name,) if record.corpus is not None else ())
        return corpora.joined(_past_before(record, chain)) if record.model_source not in ("", "scratch") else corpora
    try:
        rows = (*run.read_examples("train"), *run.read_examples("validation"))
    except PretuneError:
        return Learned(unknown=(f"the rows of {run.path}, which it was made from, are not there any more",))
    return _past_before(record, chain).with_texts(row.text for row in rows)


def _past_before(record: RunRecord, chain: int) -> Learned:
    return past_of(record.model_source, chain=chain + 1)


def _by_its_head(name: str, config: dict[str, Any]) -> Learned:
    """Tell a general checkpoint from one that was trained for a task elsewhere."""
    named = config.get("architectures")
    architectures = [item for item in named if isinstance(item, str)] if isinstance(named, list) else []
    trained = [item for item in architectures if any(task in item for task in TASKS)]
    if trained or config.get("problem_type"):
        what = trained[0] if trained else config["problem_type"]
        return Learned(unknown=(f"{name} was trained for a task elsewhere ({what}), on texts that are not known",))
    return Learned(bases=(name,))


def _read(file: Path) -> dict[str, Any]:
    """Return what a JSON file holds; nothing where it is none, which whoever loads the model says better."""
    try:
        value = storage.read_json(file)
    except PretuneError:
        return {}
    return value if isinstance(value, dict) else {}
