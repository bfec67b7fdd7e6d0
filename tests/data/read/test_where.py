"""Where: rows left out by the value of a column are counted, and what an annotator rejected is noticed."""

import json

import pandas as pd
import pytest

import pretune
from pretune.configs import ReadConfig
from pretune.data.read.path import read_table
from pretune.errors import DataError, UsageError
from tiny import make_rows

ANSWERS = ("accept", "accept", "reject", "accept", "ignore")


@pytest.fixture
def annotated(tmp_path):
    """The export of an annotation tool: JSON lines, some of which were rejected."""
    lines = [
        json.dumps({"text": text, "label": [label], "answer": ANSWERS[index % 5], "done": index % 4 < 2, "score": index % 3})
        for index, (text, label) in enumerate(make_rows(200))
    ]
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rows_are_left_out_and_counted(annotated):
    receipt = pretune.load_data(annotated, where="answer=accept").receipt
    assert (receipt.num_rows, receipt.num_used, receipt.num_rejected, receipt.num_filtered) == (200, 120, 0, 80)
    assert (
        receipt.files[0].num_rows == receipt.files[0].num_used + len(receipt.files[0].rejected) + receipt.files[0].num_filtered
    )


@pytest.mark.parametrize(
    ("where", "num_used"),
    [
        ("answer!=reject", 160),
        (("answer!=reject", "answer!=ignore"), 120),
        (("answer=reject", "answer=ignore"), 80),
        (("answer=accept", "done=True"), 60),
        ("score=1.0", 67),
        (" answer = accept ", 120),
        ("done!=false", 100),
        ("answer!=", 200),
    ],
)
def test_conditions_on_one_column_are_alternatives_and_on_several_must_all_hold(where, num_used, annotated):
    assert pretune.load_data(annotated, where=where).receipt.num_used == num_used


def test_a_frame_and_given_splits_are_filtered_alike(annotated):
    frame = pd.read_json(annotated, lines=True)
    data = pretune.load_data(frame[:120], test=frame[120:], where=["answer=accept"])
    assert data.receipt.num_filtered == 80
    assert data.receipt.num_rows == data.receipt.num_used + data.receipt.num_filtered


def test_what_an_annotator_rejected_is_noticed_unless_it_is_left_out(annotated):
    (note,) = [note for note in pretune.load_data(annotated).receipt.notes if "answer" in note]
    assert note == (
        "column 'answer' says 'reject' in 40 and 'ignore' in 40 of 200 rows, which are still read: "
        "--where 'answer=accept' leaves them out"
    )
    assert not [note for note in pretune.load_data(annotated, where="answer=accept").receipt.notes if "says" in note]


@pytest.mark.parametrize("values", [("yes", "no"), ("accept", "accept"), ("reject", "maybe")])
def test_a_column_that_says_something_else_is_left_alone(values, write_csv):
    rows = [(text, label, values[index % 2]) for index, (text, label) in enumerate(make_rows(60))]
    data = pretune.load_data(write_csv(rows, columns=("text", "label", "status")))
    assert not [note for note in data.receipt.notes if "status" in note]


@pytest.mark.parametrize(
    ("where", "error", "words"),
    [
        ("answr=accept", DataError, "did you mean 'answer'"),
        ("answer", UsageError, "COL=VALUE"),
        ("answer=acept", DataError, "'accept' (120)"),
    ],
)
def test_a_condition_that_fits_nothing_is_refused_and_shows_what_there_is(where, error, words, annotated):
    with pytest.raises(error) as caught:
        pretune.load_data(annotated, where=where)
    assert words in str(caught.value)


@pytest.mark.parametrize(("where", "is_noted"), [("answer2=x", True), ("answer!=reject", False), (" answer = accept", False)])
def test_a_condition_on_another_column_hides_no_note(where, is_noted):
    rows = [
        {"text": text, "label": label, "answer": "accept" if at % 5 else "reject", "answer2": "x"}
        for at, (text, label) in enumerate(make_rows(100))
    ]
    notes = pretune.load_data(pd.DataFrame(rows), where=where).receipt.notes
    assert any("column 'answer' says 'reject' in 20" in note for note in notes) is is_noted


@pytest.mark.parametrize("where", ["answer", "answer=acept"])
def test_a_further_table_does_not_hide_what_is_wrong_with_a_condition(where, annotated):
    with pytest.raises((DataError, UsageError), match="answer"):
        read_table(annotated, ReadConfig(where=(where,)), is_further=True)
