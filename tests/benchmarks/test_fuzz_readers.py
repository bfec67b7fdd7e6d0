"""The fuzz of the readers, small: spoiled files of every shape are read or refused, and no row is lost."""

import random
from itertools import count

import pytest

import fuzz_readers


@pytest.mark.parametrize("shape", fuzz_readers.SHAPES)
def test_spoiled_files_are_read_or_refused(shape):
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    place, step = list(fuzz_readers.SHAPES).index(shape), len(fuzz_readers.SHAPES)
    assert [found for seed in range(12_000 + place, 12_000 + 8 * step, step) if (found := fuzz_readers.try_one(seed))[2]] == []


def test_a_reading_that_breaks_hangs_or_loses_rows_is_a_finding(monkeypatch):
    def broken(*_):
        raise KeyError("text")

    monkeypatch.setattr(fuzz_readers, "read_one", broken)
    assert fuzz_readers.try_one(0) == ("t.csv", "broken", "KeyError: 'text'")
    monkeypatch.setattr(fuzz_readers, "read_one", lambda *_: False)
    assert fuzz_readers.try_one(0)[2] == "rows are not conserved"
    monkeypatch.setattr(fuzz_readers, "MAX_SECONDS", 1)
    monkeypatch.setattr(fuzz_readers, "read_one", lambda *_: all(number >= 0 for number in count()))
    assert fuzz_readers.try_one(0)[1] == "hung"


def test_a_seed_gives_the_same_file():
    shape = fuzz_readers.SHAPES["t.jsonl"]
    made = [fuzz_readers.spoil(shape(random.Random(seed)), random.Random(seed)) for seed in (5, 5, 6)]
    assert made[0] == made[1] != made[2]
