"""Comparing two runs: which rows, whose look, which to prefer."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from running import call, cover, read_strictly

import pretune
from pretune.errors import DataError, StorageError, UsageError
from pretune.records import Preference, RunComparison
from pretune.run import RunFolder


def looks() -> list[dict]:
    path = Path("pretune-home/ledger.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def worsen(run: Path, split: str, number: int) -> None:
    """Turn the first right answers of a run's stored predictions into wrong ones."""
    path = run / "predictions" / f"{split}.finetuned.csv"
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    classes = [name.removeprefix("p:") for name in header[3:]]
    right = [row for row in rows if row[1] == row[2]][:number]
    for row in right:
        row[2] = next(name for name in classes if name != row[1])
        row[3:] = ["0.45" if name == row[1] else "0.55" for name in classes]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    cover(run)


def second_run(first: Path, *, status: str | None = None) -> Path:
    second = Path("runs/second")
    shutil.copytree(first, second)
    if status is not None:
        folder = RunFolder(second)
        folder.write_record(replace(folder.read_record(), status=status))
    return second


def test_the_better_of_two_judged_runs_is_named_with_its_pairs(judged):
    worsen(second_run(judged), "test", 12)
    found = pretune.compare(judged, "runs/second")
    assert (found.split, found.num_examples, found.num_rows) == ("test", 36, (36, 36))
    assert (found.preference.preferred, found.preference.metric, found.preference.is_proven) == ("first", "accuracy", True)
    assert found.comparisons[0].p_value == found.preference.p_value == pytest.approx(1 / 2**12)
    assert RunComparison.from_json(found.to_json()) == found
    other_way = pretune.compare("runs/second", judged)
    assert (other_way.preference.preferred, other_way.comparisons[0].difference) == ("first", -found.comparisons[0].difference)


def test_on_test_rows_it_is_a_look_for_two_models_and_intervals_widen(judged):
    second_run(judged)
    found = pretune.compare(judged, "runs/second")
    assert [(look["purpose"], look["num_models"]) for look in looks()] == [("judge", 1), ("compare", 2)]
    assert (found.look, found.comparisons[0].confidence) == (2, 1 - 0.05 / 8)


def test_where_one_run_is_not_judged_validation_is_compared_and_it_says_so(judged):
    worsen(second_run(judged, status="trained"), "validation", 10)
    found = pretune.compare(judged, "runs/second")
    assert (found.split, found.look, found.preference.preferred) == ("validation", None, "first")
    assert found.notes[0].startswith("on validation rows, since second was not judged: they chose the epoch")
    assert len(looks()) == 1, "no sealed row was opened"


def test_rows_that_only_one_run_has_are_left_out_and_counted(judged):
    second = second_run(judged, status="trained")
    path = second / "predictions" / "validation.finetuned.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-6]) + "\n")
    cover(second)
    found = pretune.compare(judged, second)
    assert (found.num_examples, found.num_rows) == (30, (36, 30))
    assert found.notes[1] == "30 of the 36 validation rows of first are in both runs; the others are left out"


def test_no_row_in_common_is_refused_before_any_look(judged):
    second = second_run(judged, status="trained")
    rows = [replace(row, text=f"another {row.text}") for row in RunFolder(second).read_examples("validation")]
    RunFolder(second).write_examples("validation", rows)
    cover(second)
    with pytest.raises(DataError, match="no validation row in common"):
        pretune.compare(judged, second)
    assert len(looks()) == 1


def test_a_run_that_was_cut_off_is_refused(judged):
    second_run(judged, status="started")
    with pytest.raises(UsageError, match="was cut off"):
        pretune.compare(judged, "runs/second")


def test_damaged_predictions_are_one_message(judged):
    second = second_run(judged)
    path = second / "predictions" / "test.finetuned.csv"
    path.write_text(path.read_text().replace("\n", "\nx,good\n", 1))
    with pytest.raises(StorageError, match=r"test\.finetuned\.csv"):
        pretune.compare(judged, second)
    assert len(looks()) == 1


def test_the_command_says_which_and_why_to_people_and_programs(judged, capsys):
    worsen(second_run(judged), "test", 12)
    assert call("compare", judged, "runs/second", "--json") == 0
    value = read_strictly(capsys.readouterr().out)
    assert value.keys() >= {"schema", "split", "num_examples", "num_rows", "look", "preference", "comparisons", "scores"}
    assert Preference.from_json(value["preference"]).preferred == "first"
    assert call("compare", judged, "runs/second") == 0
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "first is better: accuracy" in out
    assert "Proven (difference +0.333" in out
    assert "36 test rows of both runs, by id and text; look 3 at these rows, and two models in it" in out
    assert "Holm over" in out
