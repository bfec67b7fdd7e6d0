"""The past of a model: what had it learned from before this training, as far as anybody can tell?

A folder that pretune saved says so itself (``data/seal/learned.py``). For a run of an earlier version, the rows are read. A
catalogue name, and any checkpoint without a task head, is a general model: nobody lists its texts. A classifier from elsewhere
was trained on unknown texts, and the test may be among them.
"""

from pathlib import Path
from typing import Any

from pretune import storage
from pretune.data.catalogue.fetch import find_entry
from pretune.data.seal.learned import ABOUT, Learned, read_learned
from pretune.errors import PretuneError
from pretune.models.card import CARD, check_folder
from pretune.models.checkpoint import find_checkpoint, model_of, read_config
from pretune.models.formats.classifier import HEAD_FILE
from pretune.models.formats.plain import MARK
from pretune.records import RunRecord
from pretune.run import RunFolder, check_run

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
        config = read_config(find_checkpoint(name)).to_dict()
        return _past_of_copy(place, config[MARK]) if MARK in config else _by_its_head(name, config)
    except PretuneError:
        if not chain:
            raise
        return Learned(unknown=(f"{name}, from which the model was made, no longer exists",))


def past_in(folder: Path) -> Learned:
    """Return what a model folder that pretune saved has learned from, its own training included.

    Raises:
        DamagedError: Any file of it is not what was written.
    """
    check_folder(folder)
    found = read_learned(folder)
    return found or Learned(unknown=(f"{folder} was saved by a version of pretune that kept no fingerprints of its texts",))


def _past_of_folder(place: Path, chain: int) -> Learned:
    folder = model_of(place)
    run = RunFolder(place if folder != place else place.parent)
    check_folder(folder)
    if (folder / ABOUT).is_file():
        return past_in(folder)
    if run.is_begun and folder.resolve() == run.model.resolve():
        return _past_of_run(run, chain)
    if (folder / CARD).is_file():
        return past_in(folder)
    config = _read(folder / "config.json")
    if MARK in config or (folder / HEAD_FILE).is_file():
        return _past_of_copy(folder, config.get(MARK))
    return _by_its_head(str(place), config)


def _past_of_copy(folder: Path, mark: Any) -> Learned:
    """Return the past of a model that pretune saved, and that has lost what says what it learned from."""
    about = mark if isinstance(mark, dict) else {}
    corpora = about.get("corpora")
    return Learned(
        corpora=tuple(item for item in corpora if isinstance(item, str)) if isinstance(corpora, list) else (),
        unknown=(f"{folder} was trained by pretune ({about.get('task', 'classify')}), and its {ABOUT} is not there",),
    )


def _past_of_run(run: RunFolder, chain: int) -> Learned:
    """Return the past of a run whose model says nothing, because an earlier version saved it."""
    record = run.read_record()
    if record.task == "pretrain":
        corpora = Learned(corpora=(record.corpus.name,) if record.corpus is not None else ())
        return corpora.joined(_past_before(record, chain)) if record.model_source not in ("", "scratch") else corpora
    try:
        check_run(run, record, "data/train.jsonl", "data/validation.jsonl")
        rows = (*run.read_examples("train"), *run.read_examples("validation"))
    except PretuneError:
        return Learned(unknown=(f"the rows of {run.path}, from which it was made, no longer exist or have changed",))
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
