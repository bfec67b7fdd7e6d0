"""Limits: what unpacks to far more than it is, and tables wider than any table of texts, are refused with the option."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from pretune.configs import CorpusConfig, ReadConfig
from pretune.configs.base import parse_size
from pretune.data.corpus import prepare_corpus
from pretune.data.read import limits
from pretune.data.read.path import read_raw, read_table
from pretune.errors import DataError, UsageError

HEAD = "text,label\n"
ROWS = [f"film {number} is fine,{'pos' if number % 2 else 'neg'}\n" for number in range(2_000)]


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A table that packs to a hundredth: equal rows."""
    path = tmp_path / "equal.csv.gz"
    path.write_bytes(gzip.compress((HEAD + ROWS[0] * 50_000).encode()))
    return path


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default limits, so small that a test need not write 256 MB."""
    monkeypatch.setattr(limits, "FREE_BYTES", 100_000)
    monkeypatch.setattr(limits, "MAX_TABLE_BYTES", 10_000_000)


@pytest.mark.usefixtures("small_limits")
def test_a_packed_file_of_a_thousand_times_its_size_is_refused_before_it_is_unpacked(tmp_path: Path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(HEAD.encode() + b"a" * 9_000_000))
    with pytest.raises(DataError, match="unpacks to more than 200 times") as caught:
        read_table(path)
    assert "--max-size" in caught.value.fix


@pytest.mark.usefixtures("small_limits")
def test_a_size_that_was_asked_for_is_the_only_limit(tmp_path: Path):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress((HEAD + ROWS[0]).encode() + b"a" * 9_000_000 + b",pos\n"))
    config = ReadConfig(max_size="20MB", allow_rejects=True)
    assert read_table(path, config).files[0].num_rows == 2
    with pytest.raises(DataError, match="unpacks to more than 1 MB"):
        read_table(path, replace(config, max_size="1MB"))


@pytest.mark.parametrize("name", ["plain.csv", "plain.jsonl", "plain.tsv", "plain.txt"])
def test_a_plain_file_beyond_the_limit_is_refused_by_its_size_on_disk(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text(HEAD + "".join(ROWS))
    with pytest.raises(DataError, match="is larger than 10 kB") as caught:
        read_table(path, ReadConfig(max_size=10_000, require_labels=False))
    assert "--max-size 40kB" in caught.value.fix


def test_a_table_that_packs_to_a_hundredth_is_read(packed: Path):
    assert packed.stat().st_size * 100 < 50_000 * len(ROWS[0])
    assert len(read_table(packed).examples) == 50_000


@pytest.mark.usefixtures("small_limits")
def test_a_packed_corpus_has_the_same_bound_and_a_plain_one_none(tmp_path: Path):
    words = " ".join(f"word{number}" for number in range(9))
    text = "".join(f"{words} {number}\n\n" for number in range(20_000))
    (tmp_path / "plain.txt").write_text(text)
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(b"a " * 20_000_000))
    config = CorpusConfig(workers=1, near_duplicate_threshold=None)
    assert prepare_corpus(tmp_path / "plain.txt", config, tmp_path / "a").receipt.num_documents == 20_000
    with pytest.raises(DataError, match="200 times"):
        prepare_corpus(tmp_path / "bomb.txt.gz", config, tmp_path / "b")


@pytest.mark.parametrize("name", ["wide.csv", "wide.jsonl", "wide.parquet"])
def test_a_table_wider_than_a_spreadsheet_is_refused_with_the_setting(tmp_path: Path, name: str):
    columns = [f"c{number}" for number in range(101)]
    path = tmp_path / name
    if name.endswith("csv"):
        path.write_text(",".join(columns) + "\n" + ",".join("x" * 101) + "\n")
    elif name.endswith("jsonl"):
        path.write_text("".join(f'{{"{column}": "x"}}\n' for column in columns))
    else:
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.table({column: ["x"] for column in columns}), path)
    with pytest.raises(DataError, match=r"(more than 100|has 101) columns") as caught:
        read_raw(path, read=ReadConfig(max_columns=100))
    assert "--max-columns " in caught.value.fix
    assert len(read_raw(path, read=ReadConfig(max_columns=101)).columns) == 101


def test_a_small_parquet_file_that_claims_more_cells_than_memory_holds_is_refused(tmp_path: Path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "long.parquet"
    parquet.write_table(arrow.table({"text": ["a fine film"] * 200_000}), path)
    assert path.stat().st_size < 20_000
    with pytest.raises(DataError, match="200,000 cells") as caught:
        read_raw(path, read=ReadConfig(max_cells=100_000))
    assert "--set read.max_cells=200000" in caught.value.fix
    with pytest.raises(DataError, match="larger than 1 MB"):
        read_raw(path, read=ReadConfig(max_size="1MB"))


def test_a_cell_beyond_the_limit_is_a_rejected_row_with_the_setting(tmp_path: Path):
    path = tmp_path / "cell.csv"
    path.write_text(HEAD + "".join(ROWS) + "x" * 300 + ",pos\n")
    (rejected,) = read_table(path, ReadConfig(max_cell=200)).files[0].rejected
    assert rejected.row == 2_002
    assert "300 characters; a cell may have 200 (--max-cell)" in rejected.reason


def test_a_folder_of_too_many_files_is_refused_with_the_setting(tmp_path: Path):
    for label in ("neg", "pos"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "data" / label / f"{number}.txt").write_text(f"a {label} film, {number}")
    assert len(read_table(tmp_path / "data", ReadConfig(max_files=6)).examples) == 6
    with pytest.raises(DataError, match="more than 5 files") as caught:
        read_table(tmp_path / "data", ReadConfig(max_files=5))
    assert "read.max_files" in caught.value.fix
    with pytest.raises(DataError, match="more than 5 files"):
        prepare_corpus(tmp_path / "data", CorpusConfig(workers=1, max_files=5), tmp_path / "out")


@pytest.mark.parametrize("size", ["0", "-1", "much", "4 apples", "1e9", "", 0, -3])
def test_a_size_that_is_none_is_refused(size: str | int):
    with pytest.raises(UsageError, match=r"max.size"):
        ReadConfig(max_size=size)


@pytest.mark.parametrize(
    ("size", "num_bytes"), [("4GB", 4 * 10**9), ("2 gib", 2 * 1024**3), ("10", 10), (77, 77), ("1.5k", 1500)]
)
def test_a_size_is_read_with_its_unit(size: str | int, num_bytes: int):
    assert parse_size(size) == num_bytes
