"""Of a model: the sketch of the corpus that it was pre-trained on, where its folder lies in a run that kept one."""

from pathlib import Path

from pretune import storage
from pretune.data.corpus.corpus import FOLDER, RECEIPT, SKETCH, Corpus
from pretune.data.sketch import SketchFile
from pretune.errors import StorageError
from pretune.hashing import digest_of_file
from pretune.records import CorpusReceipt


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
            expected="the sketch of the corpus, by which test rows that the model has read are counted",
            fix="restore it from the pre-training run, or move the folder away to judge without it",
        )
    return sketch
