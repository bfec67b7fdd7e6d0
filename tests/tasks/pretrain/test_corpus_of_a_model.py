"""A model that was pre-trained here: test rows that its corpus holds are counted, scored without, and recomputed."""

import json
import shutil
from pathlib import Path

import pytest
from corpora import make_documents
from running import call, learning_flags

from pretune.configs import CorpusConfig
from pretune.data.corpus import find_sketch, prepare_corpus
from pretune.errors import StorageError
from pretune.run import RunFolder
from pretune.tasks.classify.recompute import recompute
from tiny import make_rows

SEEN = 80  # of 240 rows


@pytest.fixture
def pretrained(tiny_checkpoint, workplace: Path) -> Path:
    """A folder as pre-training leaves it, whose corpus holds a third of the rows."""
    documents = [*(text.upper() for text, _ in make_rows(240)[:SEEN]), *make_documents(200)]
    (workplace / "corpus.txt").write_text("\n".join(documents))
    config = CorpusConfig(document="line", min_words=1, near_duplicate_threshold=None, validation_share=0.001, workers=1)
    prepare_corpus(workplace / "corpus.txt", config, workplace / "lm/data")
    shutil.copytree(tiny_checkpoint("bert"), workplace / "lm/model")
    return workplace / "lm"


def test_test_rows_in_the_corpus_are_counted_scored_without_and_recomputed(pretrained: Path):
    flags = learning_flags(Path("lm/model"), epochs=1)
    assert call("run", "reviews.csv", "--run", "runs/first", "--quiet", *flags) in (0, 1, 3)
    folder = RunFolder(Path("runs/first"))
    finding = next(item for item in folder.read_record().findings if item.check == "leakage.corpus")
    test = [json.loads(line)["text"].upper() for line in folder.sealed.read_text().splitlines() if '"text"' in line]
    learned = (pretrained / "data/corpus/train.texts").read_text().upper()
    num_seen = sum(text in learned for text in test)
    assert 5 <= num_seen < len(test) == 36
    assert finding.measured == num_seen / len(test)
    assert finding.severity == "warning"
    assert f"{num_seen} of 36 test texts are in the pre-training corpus 'corpus.txt'" in finding.summary
    assert "without them (95 % interval" in finding.summary
    shutil.rmtree(pretrained)
    assert recompute(folder).differences == ()
    assert "data/in-corpus.jsonl" in folder.read_record().digests


def test_a_damaged_sketch_is_an_error_before_the_seal_is_opened(pretrained: Path, tmp_path: Path):
    path = pretrained / "data/corpus/sketch.hashes"
    path.write_bytes(path.read_bytes()[:-8])
    assert call("run", "reviews.csv", "--run", "runs/first", "--quiet", *learning_flags(Path("lm/model"), epochs=1)) == 4
    assert not (tmp_path / "pretune-home/ledger.jsonl").exists()


def test_a_sketch_is_found_from_the_run_and_from_the_model_in_it(pretrained: Path):
    found = find_sketch("lm/model")
    assert found is not None
    assert found.num_texts > 200
    assert find_sketch("lm") == find_sketch(str(pretrained)) == found
    assert find_sketch("minilm") is None
    (pretrained / "data/corpus/sketch.hashes").unlink()
    with pytest.raises(StorageError, match="not what was written"):
        find_sketch("lm")
