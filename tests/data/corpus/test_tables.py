"""Tables of a corpus: read piece by piece, quotes told as for a table of labels, and no line lost."""

from pathlib import Path

import pytest

from pretune.configs import CorpusConfig
from pretune.data.corpus import prepare_corpus
from pretune.data.read import by_record
from pretune.errors import DataError

DOCUMENTS = [f"document number {n} says what it has to say at some length and then stops" for n in range(60)]
LOOSE = {10: ('"', ""), 30: ("", '"')}


def written(name: str, marks: dict[int, tuple[str, str]], folder: Path, mark: str = ",") -> Path:
    lines = [f"text{mark}source"]
    for number, text in enumerate(DOCUMENTS):
        before, after = marks.get(number, ("", ""))
        lines.append(f"{before}{text}{after}{mark}shop {number % 3}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def prepared(path: Path, folder: Path, **options: object) -> tuple[int, list[str]]:
    receipt = prepare_corpus(path, CorpusConfig(near_duplicate_threshold=None, boilerplate=0, **options), folder).receipt
    lines = receipt.files[0].lines
    assert lines is not None
    assert lines.is_balanced
    return receipt.num_documents, list(receipt.notes)


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t"), ("b.csv", ";")])
def test_loose_quotes_take_no_documents(name: str, mark: str, tmp_path: Path):
    found, notes = prepared(written(name, LOOSE, tmp_path, mark), tmp_path / "data")
    assert found == 60
    assert any("read without quoting" in note for note in notes)


def test_quoting_that_was_asked_for_is_used(tmp_path: Path):
    found, _ = prepared(written("a.csv", LOOSE, tmp_path), tmp_path / "data", quoting="minimal")
    assert found == 40


def test_the_header_again_is_no_document(tmp_path: Path):
    path = written("a.csv", {}, tmp_path)
    path.write_text(path.read_text() * 2)
    assert prepared(path, tmp_path / "data")[0] == 120


@pytest.mark.parametrize("opens", [5, 45], ids=["ahead", "further on"])
def test_what_comes_after_the_first_characters_is_looked_at_as_well(opens: int, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(by_record, "AHEAD", 2_000)
    path = written("a.csv", {opens: ('"', ""), opens + 12: ("", '"')}, tmp_path)
    if opens < 10:
        assert prepared(path, tmp_path / "data")[0] == 60
        return
    with pytest.raises(DataError, match=r"row 47, .*closes in line 59"):
        prepared(path, tmp_path / "data")


def test_texts_of_several_lines_stay_whole_beyond_the_first_characters(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(by_record, "AHEAD", 2_000)
    path = tmp_path / "a.csv"
    path.write_text("text,source\n" + "".join(f'"{text}, and\nso, on\n",shop 1\n' for text in DOCUMENTS))
    assert prepared(path, tmp_path / "data")[0] == 60
