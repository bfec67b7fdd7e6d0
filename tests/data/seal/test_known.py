"""Known rows: whatever door they come in by, test rows of a run are recognized, and looks at them are counted alike."""

import json
import logging
from pathlib import Path

import pytest
from running import COLUMNS, call, write_reviews

import pretune
from pretune.data.seal.known import count_look, known_rows, open_known, register_seal, warn_of
from pretune.data.seal.ledger import record_opening, verify
from pretune.data.seal.seal import Seal
from pretune.records import Example
from tiny import make_rows

ROWS = [f"text number {row}" for row in range(90)]
OTHERS = [f"other row {row}" for row in range(90)]


def seal_of(texts: list[str]) -> Seal:
    return Seal([Example(id=str(number), text=text, label="a") for number, text in enumerate(texts)])


def test_nothing_is_known_where_nothing_was_sealed_and_nothing_is_written(tmp_path: Path) -> None:
    assert known_rows(ROWS).num_known == 0
    assert open_known(ROWS, run="r", purpose="p") is None
    assert count_look(ROWS, "score") == 1
    assert not (tmp_path / "pretune-home").exists()


def test_sealed_rows_are_known_to_later_commands_by_the_name_of_their_run() -> None:
    register_seal(seal_of(ROWS), "runs/a")
    found = known_rows([ROWS[0].upper(), *OTHERS])
    assert (found.num_sealed, found.num_opened, found.runs) == (1, 0, ("runs/a",))
    assert found.describe() == "of the 91 texts 1 are sealed test rows of runs/a"


def test_a_seal_that_is_held_is_known_before_it_belongs_to_a_run() -> None:
    seal = seal_of(ROWS)
    assert known_rows(ROWS[:5]).num_sealed == 5
    del seal
    assert known_rows(ROWS[:5]).num_sealed == 0


def test_a_seal_is_entered_once(tmp_path: Path) -> None:
    for run in ("runs/a", "runs/a", "runs/b"):
        register_seal(seal_of(ROWS), run)
    assert len((tmp_path / "pretune-home/sealed.jsonl").read_text().splitlines()) == 2
    assert len(list((tmp_path / "pretune-home/sealed.rows").iterdir())) == 1


def test_a_torn_or_odd_line_of_the_registry_is_passed_over(tmp_path: Path) -> None:
    register_seal(seal_of(ROWS), "runs/a")
    with (tmp_path / "pretune-home/sealed.jsonl").open("a") as file:
        file.write('[]\n{"rows": 3}\nnonsense\n{"run": "torn')
    assert known_rows(ROWS).num_sealed == 90


def test_a_look_at_known_rows_counts_and_any_other_does_not(caplog: pytest.LogCaptureFixture) -> None:
    register_seal(seal_of(ROWS), "runs/a")
    assert count_look(OTHERS, "score") == 1
    assert known_rows(OTHERS).num_opened == 0
    with caplog.at_level(logging.WARNING):
        assert [count_look([*ROWS[:30], *OTHERS], "score"), count_look(ROWS, "evaluate")] == [1, 2]
    assert "in the ledger" in caplog.text
    assert [entry.purpose for entry in verify()] == ["score", "evaluate"]


def test_rows_that_were_opened_are_known_too() -> None:
    record_opening(OTHERS, run="r", purpose="p")
    assert known_rows(OTHERS[:3]).num_opened == 3
    assert "3 were opened before" in warn_of(OTHERS[:3], "this is not counted")


def test_python_and_the_command_line_count_alike(finetuned: Path) -> None:
    sealed = [json.loads(line) for line in (finetuned / "data/test.sealed.jsonl").read_text().splitlines()[1:]]
    texts, labels = [row["text"] for row in sealed], [row["label"] for row in sealed]
    model = pretune.load_model(finetuned)
    new = make_rows(20, seed=9)
    model.score(*map(list, zip(*new, strict=True)))
    assert known_rows(texts).num_opened == 0
    model.score(texts, labels)
    assert model.evaluate(texts, labels).scores[0].look == 2
    write_reviews(Path("same.csv"), list(zip(texts, labels, strict=True)))
    assert call("evaluate", finetuned, "same.csv", "--text", COLUMNS[1], "--label", COLUMNS[2], "--json") == 0
    assert [entry.look for entry in verify()] == [1, 2, 3]
    assert call("judge", finetuned, "--quiet") in (0, 1, 3)
    assert verify()[-1].look == 4


def test_commands_that_do_not_count_say_what_they_see(finetuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = [json.loads(line) for line in (finetuned / "data/test.sealed.jsonl").read_text().splitlines()[1:]]
    lines = ["text,label,predicted", *(f"{row['text']},{row['label']},{row['label']}" for row in sealed)]
    Path("answers.csv").write_text("\n".join(lines) + "\n")
    assert call("audit", "answers.csv") in (0, 1, 3)
    assert "sealed test rows of runs/first" in capsys.readouterr().err
    write_reviews(Path("same.csv"), [(row["text"], row["label"]) for row in sealed])
    assert call("predict", finetuned / "linear", "--file", "same.csv", "--text", COLUMNS[1]) == 0
    assert "36 are sealed test rows of runs/first" in capsys.readouterr().err
    assert not verify()
