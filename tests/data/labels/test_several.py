"""Several: cells that hold a list of labels, or labels joined by a comma."""

import numpy as np
import pytest

from pretune.data.labels.several import label_in, note_joined
from pretune.data.read.table import as_cell


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (["praise"], "praise"),
        (("praise",), "praise"),
        (np.array(["praise"]), "praise"),
        ({"praise"}, "praise"),
        ([["praise"]], "praise"),
        ({"choices": ["praise"]}, "praise"),
        ([{"value": {"choices": ["praise"]}}], "praise"),
        (["pos", "pos"], "pos"),
        ([1], "1"),
        ([], None),
        ([None], None),
        ([""], None),
        ({"choices": []}, None),
        ("['praise']", "praise"),
        ('["praise"]', "praise"),
        ('{"choices": ["praise"]}', "praise"),
        ("[]", None),
        ("[1]", "1"),
        ("['praise' ]", "praise"),
    ],
)
def test_a_list_of_one_label_is_its_label_and_an_empty_one_is_missing(value, label):
    assert label_in(as_cell(value)) == label


@pytest.mark.parametrize(
    "label",
    [
        "Sci/Tech",
        "Smith, John",
        "[unclear]",
        "[",
        "[a, b]",
        "{x}",
        "(0, 10]",
        "[0, 10)",
        "(0, 10)",
        "a|b",
        "['a'",
        "[" * 5_000,
        "[" + "1," * 90_000 + "]",
    ],
)
def test_text_that_is_no_list_is_a_label_as_it_stands(label):
    assert label_in(label) == label


@pytest.mark.parametrize(
    "value",
    [
        ["app", "billing"],
        "['app', 'billing']",
        '["app", "billing"]',
        "['app' 'billing']",
        "['app'\n 'billing']",
        "{'app', 'billing'}",
        {"choices": ["app", "billing"]},
        '{"choices": ["app", "billing"]}',
        np.array(["app", "billing"]),
        "[3, 7]",
    ],
)
def test_several_labels_are_refused_as_such(value):
    with pytest.raises(ValueError, match=r"holds several labels .*a text has one class here"):
        label_in(as_cell(value))


@pytest.mark.parametrize("value", [{"start": 1, "end": 4}, '{"start": 1}', [[0, 4, "PER"], [5, 9, "LOC"]]])
def test_an_object_or_a_list_of_spans_is_no_label(value):
    with pytest.raises(ValueError, match="not text"):
        label_in(as_cell(value))


def test_bytes_are_no_label():
    with pytest.raises(ValueError, match="is bytes, not text"):
        label_in(as_cell(b"pos"))


@pytest.mark.parametrize("separator", [",", ", ", ";", "|", " | "])
def test_labels_joined_in_one_cell_are_named_with_their_rows(separator):
    both = f"app{separator}billing"
    (note,) = note_joined({"app": 9, "billing": 8, "delivery": 9, both: 7, f"billing{separator}delivery": 3})
    assert note.startswith(f"2 classes look like several labels in one cell ({both!r}")
    assert "10 rows" in note


def test_joined_labels_are_named_without_single_ones_where_the_parts_recombine():
    assert len(note_joined({"a,b": 9, "a,c": 8, "b,c": 9})) == 1
    assert len(note_joined({"a;b;c": 9, "b;c": 8, "a;c": 9})) == 1


@pytest.mark.parametrize(
    "classes",
    [
        ["Sci/Tech", "Sci", "Tech", "World"],
        ["Smith, John", "Smith, Jane", "Doe, John", "Doe, Jane"],
        ["Paris, France", "Lyon, France", "Rome, Italy"],
        ["Arts, Crafts & Sewing", "Toys, Games", "Games"],
        ["a,b", "c"],
        ["good", "bad"],
        [",", "a,", "b"],
        ["1,5", "2,5", "1,0"],
        ["James, Henry", "Henry, O.", "Twain, Mark"],
        ["yes, of course", "no, of course not"],
    ],
)
def test_classes_whose_names_have_commas_raise_no_alarm(classes):
    assert note_joined(dict.fromkeys(classes, 9)) == ()
