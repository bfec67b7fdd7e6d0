"""Given: what Python hands over as texts and labels is read, or is one message about its shape."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from pretune.data.arrays import as_texts, label_names, to_examples, to_training_data
from pretune.data.read.given import labels_in, pair_in
from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.run.trace import Trace
from tiny import make_rows

TEXTS = ["one text", "two texts", "three texts"]


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS).reshape(-1, 1),
        pd.Series(TEXTS),
        pd.Index(TEXTS),
        pd.DataFrame({"anything": TEXTS}),
        {"anything": TEXTS},
        {"anything": pd.Series(TEXTS)},
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        pa.table({"anything": TEXTS}),
        (text for text in TEXTS),
        dict.fromkeys(TEXTS).keys(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_column_of_texts_is_taken(texts):
    assert as_texts(texts) == TEXTS


@pytest.mark.parametrize("make", [pd.DataFrame, dict, pa.table])
def test_a_frame_is_read_by_the_columns_of_the_model(make):
    frame = make({"id": [1, 2, 3], "title": ["a", "b", " "], "text": TEXTS})
    assert as_texts(frame, ("text",)) == TEXTS
    assert as_texts(frame, ("title", "text")) == ["a\none text", "b\ntwo texts", "three texts"]


@pytest.mark.parametrize(
    ("texts", "error", "words"),
    [
        ("one text", UsageError, "one string"),
        (b"one text", UsageError, "one string"),
        ({"one text"}, UsageError, "no order"),  # one element: the name of this test must not depend on an order
        (5, UsageError, "texts is a int, 5"),
        (None, UsageError, "texts is a NoneType"),
        (pd.DataFrame({"id": [1], "text": ["a"]}), DataError, "2 columns: 'id', 'text'"),
        (pd.DataFrame({"text": ["a"], "label": ["b"]}), DataError, "2 columns"),
        (pd.DataFrame(), DataError, "0 columns"),
        ({"text": "a"}, UsageError, "a list for each column"),
        ({}, DataError, "0 columns"),
        (np.array([["a", "b"]]), DataError, "shape (1, 2)"),
        (np.array("a"), DataError, "shape ()"),
        (torch.zeros(3, 2), DataError, "shape (3, 2)"),
        (torch.zeros(3), DataError, "text 0 is 0.0, a float"),
        ([["a"], ["b"]], DataError, "text 0 is ['a'], a list"),
        ([b"a"], DataError, "text 0 is b'a', a bytes"),
        (["a", None], DataError, "text 1 is None"),
    ],
    ids=repr,
)
def test_texts_of_another_shape_are_one_message(texts, error, words):
    with pytest.raises(error) as caught:
        as_texts(texts)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 0],
        np.array([0, 1, 0]),
        np.array([[0], [1], [0]]),
        pd.Series([0, 1, 0]),
        pd.Series([0, 1, 0], dtype="category"),
        pd.DataFrame({"y": [0, 1, 0]}),
        torch.tensor([0, 1, 0]),
        torch.tensor([[0], [1], [0]]),
        pa.array([0, 1, 0]),
        {"y": [0, 1, 0]},
        [[0], [1], [0]],
        [np.array([0]), np.array([1]), np.array([0])],
        (label for label in [0, 1, 0]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_label_a_text_is_taken_whatever_holds_it(labels):
    assert labels_in(labels) == [0, 1, 0]


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (None, MissingLabelsError, "without labels"),
        ("pos", UsageError, "one string"),
        ({0, 1}, UsageError, "no order"),
        (1, UsageError, "y is a int"),
        (np.array(1), DataError, "shape ()"),
        (np.eye(3), DataError, "shape (3, 3)"),
        (torch.eye(3), DataError, "argmax"),
        (pd.DataFrame({"a": [1, 0], "b": [0, 1]}), DataError, "2 columns: 'a', 'b'"),
        ([[1, 0], [0, 1]], DataError, "label 0 is [1, 0], of 2"),
    ],
    ids=repr,
)
def test_labels_of_another_shape_are_one_message(labels, error, words):
    with pytest.raises(error) as caught:
        labels_in(labels)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "value", [float("nan"), None, "", "  ", "\u200b", pd.NA, pd.NaT, np.float32("nan"), [], np.datetime64("NaT")], ids=repr
)
def test_missing_labels_are_refused_and_the_first_is_named(value):
    with pytest.raises(MissingLabelsError, match=r"2 of 4 labels are missing, the first is label 1 \("):
        label_names(["good", value, "bad", value])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["a ", " a", "a\u200b"], ["a", "a", "a"]),
        ([1, 2], ["1", "2"]),
        ([True, False], ["True", "False"]),
        ([1, True, 1.0], ["1", "True", "1.0"]),
        (["01", 1], ["01", "1"]),
        ([["pos"], ("neg",)], ["pos", "neg"]),
        (["nan", "None"], ["nan", "None"]),
    ],
)
def test_labels_become_clean_text_as_their_type_writes_it(labels, names):
    assert label_names(labels) == names


@pytest.mark.parametrize("label", [b"pos", ["a", "b"], {"start": 1}])
def test_what_is_no_label_is_named_with_its_place(label):
    with pytest.raises(DataError, match="label 1 "):
        label_names(["pos", label])


def test_validation_data_that_is_no_pair_is_one_message():
    with pytest.raises(UsageError, match=r"validation_data is a list of 3"):
        pair_in(TEXTS, "validation_data")


ROWS = make_rows(80)
X = [text for text, _ in ROWS]


def trained(y, **options):
    return to_training_data(X, y, options.get("validation"), Trace())


@pytest.mark.parametrize(
    ("y", "classes", "kind"),
    [
        ([2 if label == "good" else 10 for _, label in ROWS], ("2", "10"), "int"),
        (np.array([label == "good" for _, label in ROWS]), ("False", "True"), "bool"),
        ([0.5 if label == "good" else 2.0 for _, label in ROWS], ("0.5", "2.0"), "float"),
        ([f"0{int(label == 'good')}" for _, label in ROWS], ("00", "01"), "str"),
        ([label for _, label in ROWS], ("bad", "good"), "str"),
    ],
)
def test_classes_are_in_the_order_of_the_labels_and_their_type_is_known(y, classes, kind):
    found = trained(y)
    assert (found.classes, found.label_type) == (classes, kind)


def test_equal_numbers_in_one_list_are_one_class():
    y = [1 if index % 4 == 0 else 1.0 if index % 2 == 0 else 0 for index in range(80)]
    found = trained(np.array(y, dtype=object))
    assert len(found.classes) == 2
    assert found.label_type == "float"


def test_validation_and_evaluation_rows_take_the_spelling_of_training():
    y = [int(label == "good") for _, label in ROWS]
    held_out = (X[:10], [float(label) for label in y[:10]])
    found = trained(y, validation=held_out)
    assert {row.label for row in found.validation} == {"0", "1"}
    rows = to_examples(["a"], [1.0], known=("0", "1"))
    assert rows[0].label == "1"


def test_missing_labels_of_validation_data_are_refused():
    with pytest.raises(MissingLabelsError, match="label 1"):
        trained([label for _, label in ROWS], validation=(["a", "b"], ["good", None]))


def test_what_is_odd_in_the_labels_is_told():
    y = ["Good" if index % 8 == 0 else label for index, (_, label) in enumerate(ROWS)]
    notes = []
    trace = Trace()
    trace.note = notes.append
    to_training_data(X, [*y[:-2], "nan", "nan"], None, trace)
    assert any("'Good' (10)" in note and "--" not in note for note in notes)
    assert any("2 labels read 'nan'" in note for note in notes)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([["a", "b"], ["c", "d"]], columns=["text", "text"]),
        pd.DataFrame([["a", "b"], ["c", "d"]], columns=[1, "1"]),
        {1: ["a"], "1": ["b"]},
        pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]),
    ],
    ids=["pandas", "number and text", "dict", "arrow"],
)
def test_two_columns_of_one_name_are_refused(frame):
    for read in (as_texts, labels_in):
        with pytest.raises(DataError, match=r"2 columns '(text|1)', at 0, 1") as caught:
            read(frame)
        assert "rename" in caught.value.fix
