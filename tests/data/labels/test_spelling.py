"""Spelling: what a label is cleaned of, which spellings are one class, which are only named."""

import math
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from pretune.data.labels.spelling import (
    class_key,
    clean_label,
    find_near,
    is_missing,
    join_spellings,
    near_key,
    note_missing_words,
    note_near,
)


@pytest.mark.parametrize(
    "value",
    [None, math.nan, np.float32("nan"), np.datetime64("NaT"), pd.NA, pd.NaT, "", "  ", "\u200b", "\ufeff", "\u200d", "\u00a0"],
    ids=repr,
)
def test_what_stands_for_no_value_is_missing(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, False, 0.0, "nan", "None", "NA", "0", np.array([1, 2]), datetime(2020, 1, 1, tzinfo=UTC)])
def test_what_is_a_value_or_a_word_is_not_missing(value):
    assert not is_missing(value)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (" bad ", "bad"), ("\ufeffspam", "spam"), ("sp\u00adam", "spam"), ("cafe\u0301", "caf\u00e9"),
        ("not\u00a0spam", "not spam"),
        ("a\tb", "a b"), ("Q&amp;A", "Q&amp;A"), ("<unk>", "<unk>"), ("a  b", "a  b"), ("❤\ufe0f", "❤\ufe0f"),
        ("spam\x07", "spam"),
    ],
)  # fmt: skip
def test_a_label_is_cleaned_of_what_no_reader_would_see(raw, clean):
    assert clean_label(raw) == clean


@given(st.text(max_size=12))
def test_cleaning_a_label_again_changes_nothing(label):
    assert clean_label(clean_label(label)) == clean_label(label)


@pytest.mark.parametrize(
    "labels",
    [("1", "1.0", "1.00", "1e0", "+1", "1."), ("0", "0.0", "-0", "0e5"), ("100", "1e2", "100.0"), ("True", "true", "TRUE"),
     ("❤", "❤\ufe0f"), ("spam", "spam\u200d"), ("-2", "-2.0")],
)  # fmt: skip
def test_spellings_of_one_class_have_one_key(labels):
    assert len({class_key(label) for label in labels}) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [("01", "1"), ("1.1", "1.10"), ("1", "10"), ("1", "-1"), ("Spam", "spam"), ("1", "true"), ("0", "False"), ("a b", "ab"),
     ("1,0", "1"), ("1_0", "10"), ("10000000000000000000000000000000001", "10000000000000000000000000000000002"), ("1e", "1")],
)  # fmt: skip
def test_other_labels_are_other_classes(first, second):
    assert class_key(first) != class_key(second)


def test_a_number_of_absurd_length_or_size_costs_no_time():
    assert class_key("9" * 1_000_000) == "9" * 1_000_000
    assert class_key("1e999") == class_key("10e998")
    assert class_key("1e999999999") == "1e999999999"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Spam", "spam"),
        ("not spam", "Not  Spam"),
        ("Sci/Tech", "Sci / Tech"),
        ("ｓｐａｍ", "spam"),
        ("0.5", "0.50"),
        ("Q&amp;A", "Q&A"),
    ],
)
def test_what_differs_in_case_or_spacing_only_is_near_and_not_the_same(first, second):
    assert near_key(first) == near_key(second)
    assert class_key(first) != class_key(second)
    assert find_near(first, [first, second, "other"]) == second


def test_a_class_has_the_name_that_most_rows_have():
    found = join_spellings({"1": 20, "1.0": 60, "0": 40, "0.0": 40, "01": 9})
    assert found.names == {"1": "1.0", "1.0": "1.0", "0": "0", "0.0": "0", "01": "01"}
    assert found.notes == (
        "labels '1.0' (60) and '1' (20) are spellings of one class, named '1.0'",
        "labels '0' (40) and '0.0' (40) are spellings of one class, named '0'",
    )


def test_labels_that_are_clean_are_left_alone():
    counts = {"2": 5, "10": 5, "1.0": 3, "Spam": 2, "spam": 2, "true": 1}
    assert join_spellings(counts).names == {label: label for label in counts}
    assert join_spellings(counts).notes == ()


def test_known_classes_keep_their_names():
    found = join_spellings({"1": 60, "0": 40, "True": 3}, known=("0.0", "1.0", "true"))
    assert found.names == {"1": "1.0", "0": "0.0", "True": "true"}


def test_a_model_that_knows_two_spellings_keeps_both_as_classes():
    found = join_spellings({"1": 60, "1.0": 40, "1.00": 1}, known=("1", "1.0"))
    assert found.names == {"1": "1", "1.0": "1.0", "1.00": "1.00"}


def test_merging_joins_what_differs_in_case_or_spacing_and_counts_it():
    found = join_spellings({"happy": 50, "Happy": 1, "HAPPY": 2, "n/a": 1, "1": 4, "1.0": 3}, merge=True)
    assert set(found.names.values()) == {"happy", "n/a", "1"}
    assert (
        found.notes[1] == "labels 'happy' (50), 'HAPPY' (2) and 'Happy' (1) are merged, as --merge-labels asks, named 'happy'"
    )


def test_near_labels_are_named_with_their_counts():
    assert note_near(Counter({"spam": 7, "Spam": 2, "ham": 3})) == (
        "labels 'Spam' (2) and 'spam' (7) differ only by case or spacing: are they one class? --merge-labels makes them one",
    )
    assert "how the number is written" in note_near({"0.5": 1, "0.50": 1})[0]
    assert note_near({"spam": 1, "ham": 1}) == ()


def test_words_for_missing_values_are_named_and_keep_their_spelling():
    assert note_missing_words({"nan": 84, "good": 9, "None": 1}, column="mood") == (
        "84 labels read 'nan': were missing values written as text? --where 'mood!=nan' leaves them out",
        "1 label reads 'None': were missing values written as text? --where 'mood!=None' leaves them out",
    )
    assert note_missing_words({"good": 9, "nancy": 2}) == ()
