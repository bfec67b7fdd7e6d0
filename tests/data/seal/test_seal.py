"""The seal: rows only through an opening, and no path from training to them."""

import copy
import gc
import pickle
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from pretune.data.seal.ledger import verify
from pretune.data.seal.seal import Seal, TrainingData, seal_splits
from pretune.data.split.divide import split_examples
from pretune.errors import DataError, LedgerError, SealedError, StorageError
from pretune.records import Example


def make_rows(num_rows: int = 40) -> tuple[Example, ...]:
    texts = (f"row{row} " + " ".join(f"w{row}x{word}" for word in range(8)) for row in range(num_rows))
    return tuple(Example(id=f"t:{row}", text=text, label=("no", "yes")[row % 2]) for row, text in enumerate(texts))


@pytest.fixture
def seal() -> Seal:
    return Seal(make_rows())


@pytest.mark.parametrize(
    "reach",
    [
        lambda seal: seal.examples,
        lambda seal: seal.labels,
        lambda seal: seal._examples,
        lambda seal: list(seal),
        lambda seal: seal[0],
        lambda seal: next(iter(seal)),
        lambda seal: seal.texts in seal,
        lambda seal: copy.copy(seal),
        lambda seal: copy.deepcopy({"inside": [seal]}),
        lambda seal: pickle.dumps(seal),
    ],
)
def test_every_way_to_the_rows_but_opening_is_refused(seal: Seal, reach: Callable[[Seal], Any]) -> None:
    with pytest.raises(SealedError, match="a counted opening"):
        reach(seal)


def test_what_the_seal_shows_of_itself_holds_no_row(seal: Seal) -> None:
    assert repr(seal) == str(seal) == f"<Seal of 40 test rows, {seal.digest[:12]}>"
    assert not hasattr(seal, "__dict__")


def test_refused_attempts_are_no_look(seal: Seal) -> None:
    with pytest.raises(SealedError):
        list(seal)
    seal.texts()
    assert verify() == ()


def reachable_strings(start: object) -> set[str]:
    """Return every string that can be reached by following references between objects, not through code."""
    seen, waiting, strings = set[int](), [start], set[str]()
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(item))
        strings |= {item} if isinstance(item, str) else set()
        waiting.extend(gc.get_referents(item))
    return strings


def training_data() -> tuple[TrainingData, Seal]:
    rows = make_rows(200)
    repeated = tuple(Example(id=f"again:{row.id}", text=row.text, label="yes") for row in rows)  # conflicts everywhere
    return seal_splits(split_examples(rows + repeated))


def test_no_reference_leads_from_what_training_gets_to_a_test_text() -> None:
    data, seal = training_data()
    tests, found = set(seal.texts()), reachable_strings((data, seal))
    assert {row.text for row in data.train + data.validation} <= found  # the walk does find texts
    assert not tests & found


def test_an_opening_does_lead_there() -> None:
    """The planted fault: what the walk above would find if training were handed the rows."""
    data, seal = training_data()
    opening = seal.open(run="r", purpose="test")
    assert set(seal.texts()) <= reachable_strings((data, opening))


def test_training_data_name_the_classes() -> None:
    data, _ = training_data()
    assert data.classes == ("no", "yes")
    assert not hasattr(data, "test")


def test_opening_hands_out_the_rows_and_counts(seal: Seal) -> None:
    first = seal.open(run="a", purpose="judge")
    second = seal.open(run="b", purpose="judge", num_models=3)
    assert first.examples == second.examples == make_rows()
    assert (first.look, second.look) == (1, 2)
    assert (first.first_known, second.first_known) == (True, False)
    assert first.confidence == 0.95
    assert second.confidence == pytest.approx(1 - 0.05 / (4 * 3))
    assert [entry.hash for entry in verify()] == [first.head, second.head]


def test_a_damaged_ledger_keeps_the_seal_shut(seal: Seal, tmp_path: Path) -> None:
    seal.open(run="a", purpose="judge")
    (tmp_path / "pretune-home" / "ledger.jsonl").unlink()
    with pytest.raises(LedgerError):
        seal.open(run="a", purpose="judge")


def test_saved_then_loaded_is_the_same_seal(seal: Seal, tmp_path: Path) -> None:
    path = tmp_path / "run" / "data" / "test.sealed.jsonl"
    seal.save(path)
    loaded = Seal.load(path)
    assert (loaded.digest, loaded.num_rows) == (seal.digest, 40)
    assert loaded.open(run="a", purpose="judge").examples == make_rows()


def test_odd_characters_survive_saving(tmp_path: Path) -> None:
    rows = (Example(id="1", text="line\u2028 \ud800 \x00 \r\n é 😀", label="a", group="g", extra={"b": "ü"}),)
    Seal(rows).save(tmp_path / "seal.jsonl")
    assert Seal.load(tmp_path / "seal.jsonl").open(run="r", purpose="p").examples == rows


def change_label(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"no"', '"yes"'), *lines[2:]]


@pytest.mark.parametrize(
    "damage",
    [
        change_label,
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: ["{", *lines],
        lambda _: [],
        lambda lines: lines[:1],
    ],
    ids=["label", "row lost", "head lost", "not json", "empty", "no rows"],
)
def test_a_changed_file_is_not_loaded(seal: Seal, tmp_path: Path, damage: Callable[[list[str]], list[str]]) -> None:
    path = tmp_path / "seal.jsonl"
    seal.save(path)
    path.write_text("".join(line + "\n" for line in damage(path.read_text().splitlines())))
    with pytest.raises(StorageError, match=r"seal\.jsonl"):
        Seal.load(path)


def test_a_missing_file_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Seal.load(tmp_path / "absent.jsonl")


def test_no_rows_cannot_be_sealed() -> None:
    with pytest.raises(DataError, match="no test rows"):
        Seal(())


def test_the_digest_is_the_one_in_the_receipt() -> None:
    splits = split_examples(make_rows(200))
    assert seal_splits(splits)[1].digest == splits.receipts[2].digest
