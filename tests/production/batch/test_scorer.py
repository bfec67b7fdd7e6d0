"""The scorer of batches: the answers of predict, joined to their rows, in whatever kind of batch they came."""

import csv
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pandas
import pytest
from running import call

from pretune.batch import Scorer
from pretune.errors import ModelLoadError, UsageError

TEXT = "Critique (text)"


@pytest.fixture
def frame(judged):  # noqa: ARG001 - its file is read
    """The rows of the run's file, one of them without a text, with an index that is no running number."""
    with Path("reviews.csv").open(encoding="utf-8", newline="") as file:
        frame = pandas.DataFrame(list(csv.DictReader(file)))
    frame.loc[3, TEXT] = None
    frame.index = pandas.Index([f"row {number}" for number in range(len(frame))])
    return frame


def shares_of(batch):
    return np.array([[float(value) for value in batch[name]] for name in ("p:bad", "p:good")])


def test_the_answers_are_those_of_predict_to_the_bit(judged, frame):
    frame.to_csv("table.csv", index=False)
    call("predict", judged, "--file", "table.csv", "--output", "answers.jsonl", "--quiet")
    known = [json.loads(line) for line in Path("answers.jsonl").read_text().splitlines()]
    found = Scorer(judged)(frame)
    assert found["predicted"].tolist()[4:] == [row["predicted"] for row in known][4:]
    assert found["error"].tolist()[3] == known[3]["error"]
    assert found["error"].isna().tolist()[4]
    wanted = np.array([[np.nan if row[name] is None else row[name] for row in known] for name in ("p:bad", "p:good")])
    assert np.array_equal(shares_of(found), wanted, equal_nan=True)


def test_rows_stay_as_they_are_and_in_their_order(judged, frame):
    found = Scorer(judged)(frame)
    assert found.index.equals(frame.index)
    assert found[list(frame.columns)].equals(frame)
    assert list(found.columns[-4:]) == ["predicted", "p:bad", "p:good", "error"]


def test_a_dict_of_arrays_comes_back_as_one(judged, frame):
    whole, found = Scorer(judged)(frame), Scorer(judged)({name: frame[name].to_numpy(dtype=object) for name in frame})
    assert isinstance(found["predicted"], np.ndarray)
    assert found["predicted"].tolist()[4:] == whole["predicted"].tolist()[4:]
    assert found["p:bad"].dtype == np.float64
    assert np.array_equal(shares_of(found), shares_of(whole), equal_nan=True)


def test_a_table_of_arrow_comes_back_as_one(judged, frame):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    found = Scorer(judged)(pyarrow.Table.from_pandas(frame, preserve_index=False))
    assert found.schema.field("predicted").type == pyarrow.string()
    assert found["predicted"].null_count == 1
    whole = Scorer(judged)(frame)
    assert [value for value in found["p:good"].to_pylist() if value == value] == whole["p:good"].dropna().tolist()


def test_parts_of_a_table_have_the_answers_of_the_whole(judged, frame):
    """Texts of other lengths beside it move a probability in its last digits; no answer."""
    scorer = Scorer(judged)
    whole, parts = scorer(frame), pandas.concat(scorer.over(frame.iloc[start : start + 7] for start in range(0, 240, 7)))
    assert parts["predicted"].equals(whole["predicted"])
    assert np.nanmax(np.abs(shares_of(parts) - shares_of(whole))) < 1e-6


def test_no_rows_give_no_rows(judged, frame):
    found = Scorer(judged)(frame.iloc[:0])
    assert (len(found), list(found.columns[-1:])) == (0, ["error"])
    assert found["p:bad"].dtype == np.float64


def test_it_is_sent_in_a_few_bytes_and_answers_the_same(judged, frame):
    scorer = Scorer(judged)
    whole = scorer(frame)
    sent = pickle.dumps(scorer)
    assert len(sent) < 500
    assert pickle.loads(sent)(frame)["p:bad"].equals(whole["p:bad"])  # noqa: S301 - as engines do


def test_the_column_of_the_text_can_be_named(judged, frame):
    renamed = frame.rename(columns={TEXT: "body"})
    assert Scorer(judged, text="body")(renamed)["predicted"].equals(Scorer(judged)(frame)["predicted"])


def test_the_baseline_of_a_run_answers_as_well(judged, frame):
    assert set(Scorer(judged / "linear")(frame)["predicted"].dropna()) <= {"bad", "good"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda frame: frame.rename(columns={TEXT: "body"}), TEXT),
        (lambda frame: frame.assign(predicted="x"), "'predicted' already"),
        (lambda _: [1, 2], "a list"),
        (lambda _: {}, "a dict"),
    ],
    ids=["no such column", "scored already", "a list", "nothing"],
)
def test_a_batch_that_cannot_be_scored_has_one_clear_message(change, named, judged, frame):
    with pytest.raises(UsageError, match=re.escape(named)):
        Scorer(judged)(change(frame))


def test_what_is_no_run_is_told_at_the_first_batch(frame):
    with pytest.raises(ModelLoadError, match="nosuch"):
        Scorer("runs/nosuch")(frame)
