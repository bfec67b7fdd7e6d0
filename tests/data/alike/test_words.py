"""Words as numbers: the same words as the pattern finds, and windows as one would count them by hand."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pretune.data.alike import words as words_module
from pretune.data.alike.duplicates import WORD
from pretune.data.alike.words import distinct, hash_words, windows_of, words_of
from pretune.data.corpus.sketch import SketchFile, are_in, sketch_corpus, write_sketch
from pretune.hashing import fold


@given(st.text(alphabet="aB1_-'.,é日 \n\t!", max_size=40))
def test_words_are_those_of_the_pattern(text: str):
    folded = fold(text)
    found = hash_words([folded]).hashes.tolist()
    assert found == [hash_words([word]).hashes[0] for word in WORD.findall(folded)]


def test_a_table_that_is_full_begins_anew_and_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    texts = [f"word{index} common" for index in range(50)]
    before = words_of(texts).hashes
    monkeypatch.setattr(words_module, "MAX_KNOWN", 5)
    assert (words_of(texts).hashes == before).all()


@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_windows_stay_within_their_text_and_short_texts_count_whole(length: int):
    texts = ["a b c d e f g h i j k l m n o", "", "c d", "a b", "d e f g h i j k l", "!!!", "x"]
    windows = windows_of(words_of(texts), length)
    named: dict[int, set[tuple[str, ...]]] = {}
    for row, text in enumerate(texts):
        words = text.replace("!", "").split()
        expected = [tuple(words[start : start + length]) for start in range(max(1, len(words) - length + 1))] if words else []
        hashes = windows.hashes[windows.starts[row] : windows.starts[row + 1]].tolist()
        assert len(hashes) == len(expected)
        for value, window in zip(hashes, expected, strict=True):
            named.setdefault(value, set()).add(window)
    assert all(len(windows) == 1 for windows in named.values())
    assert len({window for windows in named.values() for window in windows}) == len(named)


def test_each_value_is_there_once_and_is_found():
    values = np.random.default_rng(0).integers(0, 50, size=1_000, dtype=np.uint64)
    assert distinct(values).tolist() == list(range(50))
    assert distinct(values[:0]).tolist() == []
    assert are_in(np.array([3, 7, 60], dtype=np.uint64), np.array([3, 60], dtype=np.uint64)).tolist() == [True, False, True]
    assert are_in(values, values[:0]).sum() == 0


def test_a_sketch_on_disk_is_the_one_in_memory(tmp_path):
    texts = [f"text number {index} says that {index} and {index + 1} are what follows {index - 1} here" for index in range(300)]
    (tmp_path / "scratch").mkdir()
    blocks = (windows_of(words_of(texts[start : start + 7]), 8).hashes for start in range(0, 300, 7))
    number = write_sketch(tmp_path / "sketch", blocks, tmp_path / "scratch")
    sketch = SketchFile(name="all", num_texts=300, path=tmp_path / "sketch")
    assert tuple(sketch.hashes().tolist()) == sketch_corpus("all", texts).hashes
    assert number == len(sketch.hashes())
    assert list((tmp_path / "scratch").iterdir()) == []
    assert sketch.within(texts[:5]) == sketch_corpus("all", texts[:5]).from_json(
        {"name": "all", "num_texts": 300, "hashes": sketch_corpus("", texts[:5]).hashes}
    )
