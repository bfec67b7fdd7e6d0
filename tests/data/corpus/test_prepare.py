"""A corpus from end to end: every document is accounted for, and what comes out depends on the source and the config alone."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corpora import change_words, make_documents, write_documents

from pretune.configs import CorpusConfig
from pretune.data.corpus import Corpus, load_corpus, prepare_corpus
from pretune.errors import DataError, StorageError, UsageError
from pretune.run.trace import Trace

ALONE = CorpusConfig(workers=1)


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., Corpus]:
    """Return ``prepare(documents, sealed=(), trace=None, **config)``."""

    def prepare(documents: list[str], *, sealed: tuple[str, ...] = (), trace: Trace | None = None, **config: Any) -> Corpus:
        path = write_documents(tmp_path / "corpus.txt", documents)
        return prepare_corpus(path, replace(ALONE, **config), tmp_path / "data", sealed=sealed, trace=trace)

    return prepare


def all_texts(corpus: Corpus) -> list[str]:
    return [*corpus.texts("train"), *corpus.texts("validation")]


def test_every_document_is_accounted_for(prepared: Callable[..., Corpus]):
    documents = make_documents(60)
    near, contaminated = change_words(documents[1], 2), documents[2]
    corpus = prepared(
        [*documents, documents[0].upper(), near, "only four short words", "\u200b", "Tea <b>&amp;</b> cake at five o'clock ."],
        sealed=("before this " + contaminated[:150] + " and after",),
    )
    receipt = corpus.receipt
    assert receipt.dropped == {
        "empty": 1,
        "too short": 1,
        "exact duplicate": 1,
        "near duplicate": 1,
        "shares text with the test": 1,
    }
    assert receipt.num_documents == 65 == receipt.num_kept + sum(receipt.dropped.values())
    assert receipt.num_kept == len(all_texts(corpus)) == 60
    assert receipt.changed == {"HTML entities": 1, "HTML tags": 1, "invisible characters": 1, "spacing": 1}
    assert receipt.num_characters == sum(map(len, all_texts(corpus)))
    assert receipt.num_words == 59 * 40 + len("Tea cake at five o clock".split())
    assert "Tea & cake at five o'clock ." in all_texts(corpus)
    assert contaminated not in all_texts(corpus)
    assert near not in all_texts(corpus)
    assert documents[0] in all_texts(corpus)


def test_a_file_is_named_with_its_digest(prepared: Callable[..., Corpus], tmp_path: Path):
    receipt = prepared(make_documents(20)).receipt
    digest = hashlib.sha256((tmp_path / "corpus.txt").read_bytes()).hexdigest()
    assert [(file.file, file.num_documents, file.sha256) for file in receipt.files] == [("corpus.txt", 20, digest)]


def test_texts_keep_the_order_of_the_source_but_for_those_held_out(prepared: Callable[..., Corpus]):
    documents = make_documents(50)
    corpus = prepared(documents)
    held = list(corpus.texts("validation"))
    assert list(corpus.texts("train")) == [text for text in documents if text not in held]
    assert len(held) == corpus.num_texts("validation") == corpus.receipt.num_validation == 5


def test_the_held_out_documents_do_not_depend_on_the_order(prepared: Callable[..., Corpus]):
    documents = make_documents(50)
    held = set(prepared(documents).texts("validation"))
    assert set(prepared(documents[::-1]).texts("validation")) == held


def test_one_process_and_two_make_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pretune.data.corpus.blocks.MAX_DOCUMENTS", 40)
    documents = make_documents(400)
    path = write_documents(tmp_path / "corpus.txt", [*documents, *(change_words(text, 2) for text in documents[:50])])
    found = [prepare_corpus(path, CorpusConfig(workers=workers), tmp_path / str(workers)) for workers in (1, 2)]
    assert found[0].receipt == found[1].receipt
    assert found[0].receipt.dropped == {"near duplicate": 50}
    assert (tmp_path / "1/corpus/digests.txt").read_bytes() == (tmp_path / "2/corpus/digests.txt").read_bytes()


def test_lines_that_stand_in_many_documents_are_dropped_from_them(prepared: Callable[..., Corpus]):
    notice = "Sign in to read more stories"
    documents = [f"{notice}\n{text}\nEarly life" for text in make_documents(30)]
    corpus = prepared([*documents, f"{notice} and gladly\nso far so good here"])
    assert all(notice not in text and text.endswith("Early life") for text in all_texts(corpus) if "gladly" not in text)
    assert f"{notice} and gladly\nso far so good here" in all_texts(corpus)
    assert corpus.receipt.changed["boilerplate lines"] == 30
    assert any(notice in text for text in all_texts(prepared(documents, boilerplate=0)))
    assert any(notice in text for text in all_texts(prepared(documents, boilerplate=31)))


def test_near_duplicates_may_be_kept(prepared: Callable[..., Corpus]):
    documents = make_documents(20)
    near = [change_words(text, 1) for text in documents]
    assert prepared([*documents, *near]).receipt.dropped == {"near duplicate": 20}
    assert prepared([*documents, *near], near_duplicate_threshold=None).receipt.dropped == {}
    assert prepared([*documents, *near], near_duplicate_threshold=1.0).receipt.dropped == {}


def test_a_validation_file_is_what_is_held_out_and_training_has_none_of_it(tmp_path: Path):
    documents = make_documents(40)
    train = write_documents(tmp_path / "train.txt", documents)
    held = write_documents(tmp_path / "held.txt", [change_words(documents[0], 1), *make_documents(4, seed=1)])
    corpus = prepare_corpus(train, replace(ALONE, validation=str(held)), tmp_path / "data")
    assert list(corpus.texts("validation")) == [change_words(documents[0], 1), *make_documents(4, seed=1)]
    assert list(corpus.texts("train")) == documents[1:]
    assert corpus.receipt.validation_from == "held.txt"


def test_every_stage_is_told_with_its_shapes(prepared: Callable[..., Corpus]):
    events: list[dict[str, Any]] = []
    prepared([*make_documents(30), "too short"], trace=Trace(listeners=(events.append,)))
    stages = {event["stage"]: event for event in events if event["event"] == "stage"}
    assert list(stages) == ["read", "clean", "duplicates", "contamination", "hold out", "keep"]
    assert [stages[name]["shape_out"] for name in ("clean", "duplicates", "hold out")] == [
        "30 documents",
        "30 documents",
        "train 27, validation 3",
    ]


def test_a_corpus_is_read_again_as_it_was_written(prepared: Callable[..., Corpus], tmp_path: Path):
    corpus = prepared(make_documents(30))
    again = load_corpus(tmp_path / "data")
    assert again.receipt == corpus.receipt
    assert all_texts(again) == all_texts(corpus)


def test_a_byte_that_was_changed_is_noticed(prepared: Callable[..., Corpus], tmp_path: Path):
    prepared(make_documents(30))
    path = tmp_path / "data/corpus/train.texts"
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    with pytest.raises(StorageError, match=r"train\.texts is not what was written"):
        load_corpus(tmp_path / "data")


def test_a_split_that_there_is_not_is_an_error(prepared: Callable[..., Corpus]):
    with pytest.raises(UsageError, match="no split 'test'"):
        prepared(make_documents(30)).texts("test")


def test_an_interrupt_leaves_the_corpus_that_was_there(prepared: Callable[..., Corpus], tmp_path: Path):
    before = prepared(make_documents(30)).receipt

    def interrupt(event: dict[str, Any]) -> None:
        if event["event"] == "stage_started" and event["stage"] == "keep":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared(make_documents(30, seed=1), trace=Trace(listeners=(interrupt,)))
    assert load_corpus(tmp_path / "data").receipt == before
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["corpus"]


def test_the_sketch_knows_what_is_learned_and_not_what_is_held_out(prepared: Callable[..., Corpus]):
    corpus = prepared([*make_documents(40), "seven words make up this short text"])
    learned, held = list(corpus.texts("train")), list(corpus.texts("validation"))
    assert all(corpus.sketch.within([text]).hashes for text in learned)
    assert not corpus.sketch.within(held).hashes
    assert not corpus.sketch.within(make_documents(5, seed=9)).hashes
    assert corpus.sketch.num_texts == len(learned)


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        (["one document of eight words is no corpus"], "1 of 1 documents is left"),
        (["so short"] * 9, "0 of 9 documents are left \\(9 too short\\)"),
        (["the same text over and over again"] * 9, "1 of 9 documents is left \\(8 exact duplicate\\)"),
    ],
)
def test_too_little_left_is_an_error_that_says_what_became_of_the_rest(
    prepared: Callable[..., Corpus], documents: list[str], words: str
):
    with pytest.raises(DataError, match=words):
        prepared(documents)
