"""Hugging Face data sets: folders in both forms, splits, class names; the package itself is optional."""

import importlib
from pathlib import Path

import pytest

from pretune.configs import ReadConfig
from pretune.data.read.hub import looks_like_id
from pretune.data.read.locate import locate
from pretune.data.read.path import read_table
from pretune.errors import DataError, MissingPackageError


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    datasets = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    parts = {
        split: datasets.Dataset.from_dict(
            {"text": [f"{split} good film", f"{split} bad film"], "label": [1, 0]}, features=features
        )
        for split in ("train", "test")
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    return tmp_path / "saved"


@pytest.mark.parametrize(("role", "word"), [("data", "train"), ("train", "train"), ("test", "test")])
def test_the_role_chooses_the_split_and_class_names_are_the_labels(saved: Path, role: str, word: str):
    table = read_table(saved, role=role)
    assert [(row.id, row.text, row.label) for row in table.examples] == [
        (f"saved-{word}:1", f"{word} good film", "pos"),
        (f"saved-{word}:2", f"{word} bad film", "neg"),
    ]
    assert any("it also has" in note for note in table.notes)


def test_a_split_that_is_not_there_lists_those_that_are(saved: Path):
    with pytest.raises(DataError, match="no split 'validation'") as caught:
        read_table(saved, role="validation")
    assert "'train', 'test'" in caught.value.expected


def test_a_folder_of_tables_is_a_data_set(tmp_path: Path, monkeypatch):
    pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\na fine film,x\na bad film,y\n")
    (folder / "test.csv").write_text("text,label\nso so film,x\n")
    assert [row.label for row in read_table(folder).examples] == ["x", "y"]
    assert len(read_table(folder, ReadConfig(), role="test").examples) == 1


def test_without_the_package_the_error_is_the_install_line(tmp_path: Path, monkeypatch):
    (tmp_path / "dataset_dict.json").write_text("{}")
    real = importlib.import_module

    def missing(name: str, *args: object) -> object:
        if name == "datasets":
            raise ImportError("no datasets")
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingPackageError, match=r"pip install \"pretune\[hub\]\""):
        read_table(tmp_path)


def test_an_id_goes_to_the_hub_only_where_the_package_is_and_nothing_is_near(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert locate("stanfordnlp/imdb") == "stanfordnlp/imdb"
    assert locate("owner/name/config:test") == "owner/name/config:test"
    for slip in ("movie-review", "no/such/file.csv"):
        with pytest.raises(DataError, match="there is no"):
            locate(slip)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"pretune\[hub\]"):
        locate("stanfordnlp/imdb")


@pytest.mark.parametrize(("name", "is_id"), [("imdb", True), ("a/b:test", True), ("../a", False), ("a b", False), ("", False)])
def test_ids_are_told_from_other_words(name: str, is_id: bool):
    assert looks_like_id(name) is is_id
