"""Parquet: class names, categories, and values that text has no form for; damage is one message."""

import contextlib
import datetime
import decimal
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from pretune.configs import ReadConfig
from pretune.data.read.arrow import read_parquet
from pretune.data.read.path import read_table
from pretune.data.read.table import Origin, Table
from pretune.errors import DataError, PretuneError

arrow = pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
parquet = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")

MANY = ReadConfig(allow_rejects=True)
TEXTS = [f"film number {number}" for number in range(20)]
ORIGIN = Origin(shown="t.parquet", name="t.parquet", role="data", format="parquet")


def named(labels: Any, names: Any = ("neg", "pos"), **more: Any) -> Any:
    """A table as the ``datasets`` package writes it: numbers of classes, and their names in the schema's metadata."""
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
    about = {"info": {"features": features}, **more}
    table = arrow.table({"text": TEXTS[: len(labels)], "label": labels})
    return table.replace_schema_metadata({"huggingface": json.dumps(about)})


def read(path: Path, table: Any, config: ReadConfig = MANY) -> Table:
    parquet.write_table(table, path)
    return read_table(path, config)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.parquet"


@pytest.mark.parametrize("kind", ["int64", "int8", "uint16", "string"])
def test_class_numbers_of_the_datasets_package_are_read_by_their_names(path: Path, kind: str):
    table = read(path, named(arrow.array([0, 1, 1, 0]).cast(kind)))
    assert [row.label for row in table.examples] == ["neg", "pos", "pos", "neg"]
    assert any("class numbers" in note for note in table.notes)


def test_a_file_that_the_datasets_package_wrote_itself_has_the_names(path: Path):
    datasets = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    datasets.Dataset.from_dict({"text": TEXTS[:4], "label": [1, 0, -1, 1]}, features=features).to_parquet(str(path))
    assert [row.label for row in read_table(path, MANY).examples] == ["pos", "neg", "pos"]


def test_the_number_minus_one_is_no_label(path: Path):
    table = read(path, named([0, -1, 1, None, 0]))
    assert [row.label for row in table.examples] == ["neg", "pos", "neg"]
    assert [(item.row, item.reason) for item in table.files[0].rejected] == [
        (2, "the label is missing"),
        (4, "the label is missing"),
    ]
    assert any("1 row has the class number -1" in note for note in table.notes)


@pytest.mark.parametrize("number", [2, 7, -2])
def test_a_class_number_without_a_name_is_refused_with_its_row(path: Path, number: int):
    with pytest.raises(DataError, match=rf"row 3, column 'label': the class number is {number}.*names for 0 to 1"):
        read(path, named([0, 1, number, 1]))


@pytest.mark.parametrize("names", [None, [], "neg", [1, 2], {"a": 1}])
def test_names_that_are_none_are_not_taken(path: Path, names: Any):
    assert {row.label for row in read(path, named([0, 1] * 5, names)).examples} == {"0", "1"}


@pytest.mark.parametrize(
    "about", [b"", b"{", b"[]", b"null", b'{"info": 3}', b"\xff", b"[" * 100_000, b'{"info": {"features": []}}']
)
def test_metadata_that_is_damaged_is_no_metadata(path: Path, about: bytes):
    table = arrow.table({"text": TEXTS[:4], "label": [0, 1, 1, 0]}).replace_schema_metadata({"huggingface": about})
    assert {row.label for row in read(path, table).examples} == {"0", "1"}


def test_categories_are_read_as_their_values(path: Path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "label": pandas.Categorical(["good", "bad"] * 10)})
    frame.loc[3, "label"] = None
    frame.to_parquet(path)
    table = read_table(path, MANY)
    assert [row.label for row in table.examples[:4]] == ["good", "bad", "good", "good"]
    assert table.files[0].rejected[0].row == 4


def test_categories_of_long_values_take_no_more_memory_than_the_values(path: Path):
    long = arrow.DictionaryArray.from_arrays(
        arrow.array([0, 1] * 500, arrow.int32()), arrow.array(["x" * 900_000, "y" * 900_000])
    )
    parquet.write_table(arrow.table({"text": long, "label": ["a", "b"] * 500}), path)
    raw = read_parquet(path.read_bytes(), ORIGIN)
    assert len({id(row.cells[0]) for row in raw.rows}) == 2


ODD_VALUES = {
    "dates": ([datetime.date(2020, 1, 2)] * 20, "2020-01-02"),
    "moments": ([datetime.datetime(2020, 1, 2, 3)] * 20, "2020-01-02 03:00:00"),
    "decimals": ([decimal.Decimal("1.50")] * 20, "1.50"),
    "truth values": ([True] * 20, "True"),
    "floats": ([0.5] * 20, "0.5"),
    "lists": ([["a", "b"]] * 20, "['a', 'b']"),
    "structures": ([{"a": 1}] * 20, "{'a': 1}"),
    "bytes": ([b"\x00\xff"] * 20, "b'\\x00\\xff'"),
    "spans": ([datetime.timedelta(days=1)] * 20, "1 day, 0:00:00"),
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_values_of_other_kinds_are_written_as_python_writes_them(path: Path, name: str):
    values, shown = ODD_VALUES[name]
    table = read(path, arrow.table({"text": TEXTS, "label": ["a", "b"] * 10, "odd": values}))
    assert table.examples[0].extra["odd"] == shown


def test_nulls_are_missing(path: Path):
    table = read(path, arrow.table({"text": TEXTS, "label": ["a", "b"] * 10, "odd": arrow.nulls(20)}))
    assert table.examples[0].extra == {}


def test_a_date_that_python_has_not_takes_one_cell_and_not_the_column(path: Path):
    days = arrow.array([0, -10_000_000, 1] * 6 + [2, 2], arrow.int32()).cast(arrow.date32())
    table = read(path, arrow.table({"text": TEXTS, "label": ["a", "b"] * 10, "day": days}))
    assert [row.extra["day"] for row in table.examples[:3]] == ["1970-01-01", "", "1970-01-02"]
    assert len(table.examples) == 20


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_one_message_or_read(seed: int):
    sink = io.BytesIO()
    parquet.write_table(named([0, 1] * 10), sink)
    data, generator = bytearray(sink.getvalue()), random.Random(seed)
    for _ in range(generator.randint(1, 4)):
        data[generator.randrange(4, len(data) - 4)] ^= 1 << generator.randrange(8)
    with contextlib.suppress(PretuneError):
        assert read_parquet(bytes(data), ORIGIN).columns
