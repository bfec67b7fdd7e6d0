"""Further test rows: sealed with the first, judged together, and none that training has seen."""

import csv
import json
from pathlib import Path

import pytest
from running import call

from pretune.run import RunFolder
from pretune.tasks.classify.recompute import recompute
from tiny import make_rows


def read_lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(rows: list[tuple[str, str]], columns: tuple[str, str], path: str = "more.csv") -> str:
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def further(judged: Path) -> str:
    """Sixty new rows, one of training, one of training with a word more, and one of the test."""
    receipt = RunFolder(judged).read_record().receipt
    known = read_lines(judged / "data/train.jsonl")
    sealed = read_lines(judged / "data/test.sealed.jsonl")[1:]
    rows = make_rows(60, seed=99)
    old = [(known[0]["text"], known[0]["label"]), (known[1]["text"] + " indeed", known[1]["label"])]
    held = [(sealed[0]["text"].upper(), sealed[0]["label"])]
    return write([*rows, *old, *held], (receipt.columns.text[0], receipt.columns.label))


def test_further_rows_are_judged_with_the_first_at_the_next_look(judged: Path, further: str) -> None:
    before = RunFolder(judged).read_record()
    assert call("judge", judged, "--more", further, "--quiet") in (0, 1, 3)
    after = RunFolder(judged).read_record()
    assert (before.look, after.look) == (1, 2)
    first = before.receipt.splits[-1].num_rows
    assert after.more[0].num_rows + after.more[0].num_seen + after.more[0].num_held == 63
    assert after.more[0].num_seen >= 2
    assert after.more[0].num_held >= 1
    assert after.receipt.splits[-1].num_rows == first + after.more[0].num_rows == after.sample.num_rows
    assert after.scores[0].num_examples == first + after.more[0].num_rows
    assert after.receipt.num_rows == before.receipt.num_rows + 63


def test_the_pooled_verdict_is_recomputed_and_verified(judged: Path, further: str) -> None:
    call("judge", judged, "--more", further, "--quiet")
    assert recompute(RunFolder(judged)).differences == ()
    (judged / "data/more-1.sealed.jsonl").write_text("")
    assert call("judge", judged, "--quiet") == 4


def test_no_row_of_training_is_sealed(judged: Path, further: str) -> None:
    call("judge", judged, "--more", further, "--quiet")
    texts = {row["text"] for row in read_lines(judged / "data/train.jsonl")}
    added = read_lines(judged / "data/more-1.sealed.jsonl")[1:]
    assert added
    assert not texts & {row["text"].removesuffix(" indeed") for row in added}


def test_the_same_rows_a_second_time_are_refused_and_cost_no_look(
    judged: Path, further: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call("judge", judged, "--more", further, "--quiet")
    assert call("judge", judged, "--more", further, "--quiet") == 2
    assert "no row of more.csv is new" in capsys.readouterr().err
    assert RunFolder(judged).read_record().look == 2


def test_rows_of_an_unknown_class_are_refused_before_the_seal_is_opened(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = RunFolder(judged).read_record().receipt.columns
    file = write([("a film of no kind", "strange")], (columns.text[0], columns.label))
    assert call("judge", judged, "--more", file, "--quiet") == 2
    assert "strange" in capsys.readouterr().err
    assert RunFolder(judged).read_record().look == 1
    assert not (judged / "data/more-1.sealed.jsonl").exists()


def test_a_judging_cut_off_after_the_rows_were_sealed_can_be_repeated(judged: Path, further: str) -> None:
    """The file is there, the record does not know it: the rows are read again."""
    (judged / "data/more-1.sealed.jsonl").write_text("half a line")
    assert call("judge", judged, "--more", further, "--quiet") in (0, 1, 3)
    assert recompute(RunFolder(judged)).differences == ()


def test_more_beside_recompute_is_refused(judged: Path, further: str) -> None:
    assert call("judge", judged, "--more", further, "--recompute", "--quiet") == 2
