"""Cells: what a spreadsheet could take for a formula is text in the file, and comes back to the last character."""

import csv
import io
import random
from dataclasses import replace

import pytest

from pretune.records import Predictions
from pretune.run.prediction_tables import parse_predictions, predictions_csv
from pretune.storage.cells import csv_writer, neutral, neutral_row, restored, were_made_neutral

FORMULAS = (
    "=1+1",
    "+A1",
    "-A1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\x1b[31m",
    "\x85x",
    "  =1+1",
    "\u200b=1",
    "\uff1d1+1",
    "- no",
    "-1,5",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_begins_a_formula_or_with_a_control_character_begins_with_a_quote(text):
    assert neutral(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+1.5", "-1e-05", "-inf", "0", "spam", "it's", "'tis", "a=b", "", "'-1", "3 - 4"])
def test_numbers_and_plain_texts_stand_as_they_are(text):
    assert neutral(text) == text
    assert restored(text) == text


def test_every_text_comes_back_exactly():
    draw = random.Random(0)
    for _ in range(20_000):
        text = "".join(draw.choices("'=+-@\t\r\n 1.0eE\x1b\uff1d\ufeffa", k=draw.randint(0, 6)))
        assert restored(neutral(text)) == text


@pytest.mark.parametrize("text", ["'" * 20_000 + "x", " " * 20_000 + "x", "1" * 20_000 + "x", "'" * 9_000 + " " * 9_000])
def test_long_runs_of_one_character_take_no_time(text):
    assert restored(neutral(text)) == text


def test_other_peoples_tables_are_only_undone_where_nothing_in_them_speaks_against_it():
    assert were_made_neutral(["'=a", "b", "-1"])
    assert not were_made_neutral(["'=a", "=b"])
    assert not were_made_neutral(["'a", "b"])


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\nb", 'say "no"', "a,b", "\r"])
def test_what_is_written_is_read_back_by_python(cell):
    out = io.StringIO()
    csv_writer(out).writerow(["id", cell])
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [["id", cell]]


LABELS = ("=cmd|' /C calc'!A0", "-1", "'-1", "'=x", "\r", "plain")
RISKY = Predictions(
    source="finetuned", split="test", classes=LABELS, ids=("@1", "'@1", "-3", "+a", "\tb", "f:1"), labels=(*LABELS[:5], None),
    predicted=LABELS, probabilities=((0.5, 0.1, 0.1, 0.1, 0.1, 0.1),) * 6,
)  # fmt: skip


@pytest.mark.parametrize("shares", [RISKY.probabilities, None])
def test_predictions_of_hostile_classes_come_back_exactly(shares):
    written = replace(RISKY, probabilities=shares, classes=LABELS if shares else tuple(sorted(LABELS)))
    assert parse_predictions(predictions_csv(written), split="test", source="finetuned") == written


def test_no_cell_of_a_written_table_begins_a_formula():
    _, *rows = csv.reader(io.StringIO(predictions_csv(RISKY)))
    assert all(neutral(restored(cell)) == cell for row in rows for cell in row)
    assert neutral_row(["=1"]) == ["'=1"]


def test_a_table_with_nothing_to_make_neutral_has_the_bytes_it_always_had():
    plain = replace(RISKY, classes=("a", "b"), ids=("1",), labels=("a",), predicted=("b",), probabilities=((0.25, 0.75),))
    assert predictions_csv(plain) == "id,label,predicted,p:a,p:b\n1,a,b,0.25,0.75\n"


def test_an_older_table_is_read_as_it_stands():
    """It may hold a class that begins with a quote of its own."""
    older = "id,label,predicted,p:'=x,p:b\n1,'=x,b,0.25,0.75\n"
    assert parse_predictions(older, split="test", source="finetuned").labels == ("'=x",)
