"""The sketch of the corpus that a model was pre-trained on, if its folder is in a run that kept one."""

from collections.abc import Sequence
from pathlib import Path

from pretune import storage
from pretune.data.corpus.corpus import FOLDER, RECEIPT, SKETCH, Corpus
from pretune.data.corpus.sketch import SketchFile
from pretune.errors import StorageError
from pretune.hashing import digest_of_file
from pretune.records import CorpusReceipt

MAX_CHAIN = 100  # models that were made from one another


def find_sketches(model: str, names: Sequence[str] = ()) -> tuple[tuple[SketchFile, ...], tuple[str, ...]]:
    """Return the sketches of all that a model was pre-trained on, however many trainings lie between.

    Args:
        model: A run, or the model folder in it.
        names: The corpora that the model says it has learned from.

    Returns:
        The sketches, and the names of corpora whose sketch is gone.

    Raises:
        StorageError: One is not what was written.
    """
    found, place = list[SketchFile](), model
    for _ in range(MAX_CHAIN):
        sketch = find_sketch(place)
        if sketch is not None and sketch not in found:
            found.append(sketch)
        source = _made_from(place)
        if source is None:
            break
        place = source
    known = {sketch.name for sketch in found}
    return tuple(found), tuple(name for name in dict.fromkeys(names) if name not in known)


def _made_from(model: str) -> str | None:
    """Return the folder that a run's model was made from, where it is still there."""
    path = Path(model).expanduser().resolve()
    file = next((place / "run.json" for place in (path, path.parent) if (place / "run.json").is_file()), None)
    value = storage.read_json(file) if file is not None else {}
    source = value.get("model_source") if isinstance(value, dict) else None
    if not isinstance(source, str) or not source or not Path(source).expanduser().is_dir():
        return None
    return source if Path(source).expanduser().resolve() != path else None


def find_sketch(model: str) -> SketchFile | None:
    """Return the sketch of what a model was pre-trained on; ``None`` where there is none, such as for a name of the catalogue.

    Args:
        model: A pre-training run, or the model folder in it.

    Raises:
        StorageError: There is one, and it is not what was written.
    """
    path = Path(model).expanduser().resolve()
    folders = (path / "data" / FOLDER, path.parent / "data" / FOLDER)
    folder = next((item for item in folders if (item / RECEIPT).is_file()), None)
    if folder is None:
        return None
    sketch = Corpus(folder=folder, receipt=CorpusReceipt.from_json(storage.read_json(folder / RECEIPT))).sketch
    listed = {line[66:]: line[:64] for line in storage.read_lines(folder / storage.DIGESTS)}
    if not sketch.path.is_file() or digest_of_file(sketch.path) != listed.get(SKETCH):
        raise StorageError(
            f"{sketch.path} is not what was written",
            expected="the sketch of the corpus, which counts the test rows that the model has read",
            fix="restore it from the pre-training run, or move the folder away to judge without it",
        )
    return sketch
