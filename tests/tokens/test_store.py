"""Token ids on disk: windows and documents are those of the flat stream, and what is damaged is named."""

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pretune.tokens.write
from pretune import storage
from pretune.errors import DataError, StorageError, UsageError
from pretune.run.trace import Trace
from pretune.tokens import TokenStore, train_tokenizer, write_store
from pretune.wording.counts import counted
from tiny import make_rows

TEXTS = [text for text, _ in make_rows(300)]


@cache
def tokenizer(kind: str = "wordpiece") -> Any:
    return train_tokenizer(TEXTS, kind=kind, vocab_size=512)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a shard hold about 30 texts, so that a store of these texts has about ten."""
    monkeypatch.setattr(pretune.tokens.write, "SHARD_BYTES", 2_000)


@pytest.fixture(params=["one shard", "many shards"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    if request.param == "many shards":
        request.getfixturevalue("small_shards")
    return write_store(iter(TEXTS), tokenizer(), tmp_path / "tokens")


def flat(kind: str = "wordpiece") -> tuple[np.ndarray, np.ndarray]:
    """Return the stream worked out plainly: its ids, and the document of each."""
    end = [0] if kind == "bpe" else []
    rows = [tokenizer(kind)(text).input_ids + end for text in TEXTS]
    return np.concatenate(rows), np.repeat(np.arange(len(rows)), [len(row) for row in rows])


@pytest.mark.parametrize("length", [1, 7, 50, 128])
def test_windows_are_slices_of_the_stream(store: TokenStore, length: int) -> None:
    ids, documents = flat()
    starts = np.random.default_rng(0).integers(0, store.num_tokens - length + 1, 200)
    starts[:2] = 0, store.num_tokens - length
    found_ids, found_documents = store.windows(starts, length)
    assert (found_ids == ids[starts[:, None] + np.arange(length)]).all()
    assert (found_documents == documents[starts[:, None] + np.arange(length)]).all()
    assert (found_ids.dtype, found_documents.dtype) == (np.int64, np.int32)


def test_one_window_may_be_the_whole_stream(store: TokenStore) -> None:
    ids, documents = store.windows([0], store.num_tokens)
    assert (ids[0] == flat()[0]).all()
    assert (documents[0] == flat()[1]).all()


@pytest.mark.parametrize("start", [-1, 10**9])
def test_a_window_outside_of_the_stream_is_an_error(store: TokenStore, start: int) -> None:
    with pytest.raises(IndexError, match="windows of 4 tokens"):
        store.windows([0, start], 4)


def test_documents_are_whole_and_padded(store: TokenStore) -> None:
    rows = [5, 299, 0, 5]
    ids, mask = store.documents(rows, 128)
    for row, found, real in zip(rows, ids, mask, strict=True):
        expected = tokenizer()(TEXTS[row]).input_ids
        assert found[real == 1].tolist() == expected
        assert (found[real == 0] == tokenizer().pad_token_id).all()
    assert ids.shape[1] == mask.sum(axis=1).max()


def test_a_document_that_is_cut_keeps_its_closing_token(store: TokenStore) -> None:
    ids, mask = store.documents(range(300), 8)
    whole = [tokenizer()(text).input_ids for text in TEXTS]
    expected = [row if len(row) <= 8 else [*row[:7], 3] for row in whole]
    assert [found[real == 1].tolist() for found, real in zip(ids, mask, strict=True)] == expected


def test_no_rows_and_no_windows_are_empty(store: TokenStore) -> None:
    assert store.windows(np.empty(0, dtype=np.int64), 5)[0].shape == (0, 5)
    assert store.documents([], 5)[0].shape == (0, 0)


def test_what_was_written_is_counted(store: TokenStore) -> None:
    again = TokenStore.open(store.folder)
    assert (again.num_tokens, again.num_documents, again.vocab_size) == (len(flat()[0]), 300, len(tokenizer()))
    assert again.digest == store.digest
    assert (again.offsets == store.offsets).all()
    assert again.num_unknown == 0


def test_each_document_of_a_causal_model_ends_with_its_end(tmp_path: Path) -> None:
    store = write_store(TEXTS, tokenizer("bpe"), tmp_path / "tokens")
    assert (store.windows([0], store.num_tokens)[0][0] == flat("bpe")[0]).all()
    ids = store.documents([0], 4)[0]
    assert ids[0].tolist() == tokenizer("bpe")(TEXTS[0]).input_ids[:4]  # cut: it has not come to its end


def test_an_empty_text_is_still_a_document(tmp_path: Path) -> None:
    store = write_store(["", "the film", ""], tokenizer("bpe"), tmp_path / "tokens")
    assert np.diff(store.offsets).tolist()[::2] == [1, 1]
    assert set(store.windows([0], store.num_tokens)[1][0].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_a_text_cannot_end_a_document_by_spelling_the_token_out(kind: str, tmp_path: Path) -> None:
    given = tokenizer(kind)
    store = write_store(["the <|endoftext|> film [SEP] was [MASK] great"], given, tmp_path / "tokens")
    special = set(given.all_special_ids) - {given.unk_token_id}
    inside = store.documents([0], 500)[0][0].tolist()
    assert not special & set(inside[1:-1])
    assert given.tokenize("[MASK]") == (["[MASK]"] if kind == "wordpiece" else given.tokenize("[MASK]"))  # as it was before


def test_ids_take_two_bytes_where_the_vocabulary_allows(tmp_path: Path) -> None:
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    assert (store.folder / "shard-00000" / "ids.bin").stat().st_size == 2 * store.num_tokens
    assert store.layout._replace(vocab_size=65_536).dtype.itemsize == 2
    assert store.layout._replace(vocab_size=65_537).dtype.itemsize == 4


def test_four_byte_ids_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = pretune.tokens.write.describe_layout(tokenizer())._replace(vocab_size=70_000)
    monkeypatch.setattr(pretune.tokens.write, "describe_layout", lambda _: layout)
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    assert (store.windows([0], store.num_tokens)[0][0] == flat()[0]).all()


class Killed(BaseException):
    """Stands for a process that is killed: nothing catches it."""


def dying(texts: list[str], after: int) -> Iterator[str]:
    yield from texts[:after]
    raise Killed


@pytest.mark.usefixtures("small_shards")
class TestResume:
    """A writing that was cut off goes on, with what it has if that is of the same texts and tokenizer."""

    def told(self, texts: list[str], folder: Path, given: Any = None) -> list[str]:
        events: list[dict] = []
        write_store(texts, given or tokenizer(), folder, trace=Trace(listeners=(events.append,)))
        return next(event for event in events if event["event"] == "stage")["notes"]

    @pytest.mark.parametrize("after", [0, 1, 100, 299, 300])
    def test_a_killed_writing_goes_on_and_ends_the_same(self, after: int, tmp_path: Path) -> None:
        whole = write_store(TEXTS, tokenizer(), tmp_path / "whole")
        with pytest.raises(Killed):
            write_store(dying(TEXTS, after), tokenizer(), tmp_path / "cut")
        with pytest.raises(StorageError, match=r"store\.json is missing"):
            TokenStore.open(tmp_path / "cut")
        num_there = len(list((tmp_path / "cut").glob("shard-*")))
        notes = self.told(TEXTS, tmp_path / "cut")
        assert notes == ([f"taken from an interrupted attempt: {counted(num_there, 'shard')}"] if num_there else [])
        for path in sorted((tmp_path / "whole").rglob("*")):
            if path.is_file():
                assert path.read_bytes() == (tmp_path / "cut" / path.relative_to(tmp_path / "whole")).read_bytes()
        assert TokenStore.open(tmp_path / "cut").digest == whole.digest

    def test_a_kill_within_a_shard_leaves_nothing_half(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real, calls = storage.replace_json, []

        def dies(path: Path, value: Any) -> None:
            calls.append(path)
            if len(calls) == 3:
                raise Killed
            real(path, value)

        monkeypatch.setattr(storage, "replace_json", dies)
        with pytest.raises(Killed):
            write_store(TEXTS, tokenizer(), tmp_path / "tokens")
        monkeypatch.setattr(storage, "replace_json", real)
        assert len(list((tmp_path / "tokens").glob("shard-*"))) == 2
        assert self.told(TEXTS, tmp_path / "tokens") == ["taken from an interrupted attempt: 2 shards"]
        assert not list((tmp_path / "tokens").glob(".*"))

    def test_other_texts_are_written_anew(self, tmp_path: Path) -> None:
        write_store(TEXTS, tokenizer(), tmp_path / "tokens")
        changed = [*TEXTS[:150], "another text", *TEXTS[151:200]]
        notes = self.told(changed, tmp_path / "tokens")
        assert len(notes) == 1  # the shards before the change are still good
        fresh = write_store(changed, tokenizer(), tmp_path / "fresh")
        assert TokenStore.open(tmp_path / "tokens").digest == fresh.digest
        names = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("tokens", "fresh")]
        assert names[0] == names[1]

    def test_another_tokenizer_keeps_nothing(self, tmp_path: Path) -> None:
        write_store(TEXTS, tokenizer(), tmp_path / "tokens")
        assert self.told(TEXTS, tmp_path / "tokens", tokenizer("bpe")) == []

    def test_a_damaged_shard_is_written_again(self, tmp_path: Path) -> None:
        store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
        flip(store.folder / "shard-00001" / "ids.bin")
        write_store(TEXTS, tokenizer(), tmp_path / "tokens")
        assert TokenStore.open(tmp_path / "tokens").digest == store.digest


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])  # a file that ends within a token, or within JSON


def link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("harm", [flip, cut, Path.unlink, link], ids=["flipped", "cut", "missing", "a link"])
@pytest.mark.parametrize("name", ["shard-00001/ids.bin", "shard-00000/lengths.bin", "store.json"])
def test_damage_is_named(harm: Any, name: str, tmp_path: Path) -> None:
    if name == "store.json" and harm is link:
        pytest.skip("a link to the index reads as the index")
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    harm(store.folder / name)
    with pytest.raises(StorageError, match=name.replace(".", r"\.")):
        TokenStore.open(store.folder)


def test_sizes_are_compared_without_reading_and_bytes_only_when_asked(tmp_path: Path) -> None:
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    flip(store.folder / "shard-00000" / "ids.bin")
    TokenStore.open(store.folder, check=False)
    cut(store.folder / "shard-00000" / "ids.bin")
    with pytest.raises(StorageError, match=r"ids\.bin is not what was written"):
        TokenStore.open(store.folder, check=False)


def test_an_index_edited_by_hand_is_refused(tmp_path: Path) -> None:
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    value = json.loads((store.folder / "store.json").read_text())
    value["layout"]["padding_id"] = 7
    (store.folder / "store.json").write_text(json.dumps(value))
    with pytest.raises(StorageError, match=r"store\.json is not what was written"):
        TokenStore.open(store.folder)


def test_a_folder_that_is_no_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        TokenStore.open(tmp_path / "nothing")


def test_no_texts_are_an_error_and_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no text is left for tokens\.train"):
        write_store([], tokenizer(), tmp_path / "tokens.train")
    assert not (tmp_path / "tokens.train").exists()


def test_a_tokenizer_that_ends_nothing_is_an_error(tmp_path: Path) -> None:
    given = train_tokenizer(TEXTS, kind="bpe", vocab_size=512)
    given.eos_token = None
    with pytest.raises(UsageError, match="neither a template that ends a text nor an end-of-text token"):
        write_store(TEXTS, given, tmp_path / "tokens")


@pytest.mark.usefixtures("small_shards")
def test_a_full_disk_is_a_storage_error_and_the_shards_before_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = storage.replace, []

    def full(path: Path, content: Any) -> None:
        calls.append(path)
        if len([path for path in calls if path.name.startswith("shard-")]) == 3 and path.name.startswith("shard-"):
            raise StorageError("no space left")
        real(path, content)

    monkeypatch.setattr(storage, "replace", full)
    with pytest.raises(StorageError, match="no space left"):
        write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    assert len(list((tmp_path / "tokens").glob("shard-*"))) == 2


def test_a_store_can_be_moved(tmp_path: Path) -> None:
    store = write_store(TEXTS, tokenizer(), tmp_path / "tokens")
    shutil.move(store.folder, tmp_path / "elsewhere")
    assert TokenStore.open(tmp_path / "elsewhere").digest == store.digest
