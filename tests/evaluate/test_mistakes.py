"""Confident mistakes: only wrong rows, the surest first, with their texts."""

from dataclasses import replace

import pytest
from judging import from_pairs

from pretune.errors import MissingLabelsError
from pretune.evaluate.mistakes import MAX_TEXT, find_mistakes
from pretune.records import Example

PAIRS = [("pos", "pos"), ("pos", "neg"), ("neg", "pos"), ("neg", "neg"), ("neg", "pos")]
SHARES = ((0.01, 0.99), (0.7, 0.3), (0.05, 0.95), (0.9, 0.1), (0.45, 0.55))  # neg, pos


@pytest.fixture
def predictions():
    return replace(from_pairs(PAIRS), probabilities=SHARES)


def test_the_surest_wrong_answer_stands_first(predictions):
    found = find_mistakes(predictions)
    assert [(item.id, item.probability) for item in found] == [("row-2", 0.95), ("row-1", 0.7), ("row-4", 0.55)]
    assert (found[0].label, found[0].predicted) == ("neg", "pos")


def test_texts_are_found_by_id_and_cut(predictions):
    examples = [Example(id="row-1", text="x" * 5_000), Example(id="row-2", text="dull")]
    found = find_mistakes(predictions, examples)
    assert [item.text for item in found] == ["dull", "x" * MAX_TEXT, ""]


def test_no_more_than_asked_for_are_returned(predictions):
    assert len(find_mistakes(predictions, limit=2)) == 2


def test_without_probabilities_nothing_is_ranked():
    assert find_mistakes(from_pairs(PAIRS)) == ()


def test_the_certainty_of_the_answer_alone_is_enough():
    found = find_mistakes(from_pairs(PAIRS), certainty=(0.9, 0.6, 0.5, 0.9, 0.8))
    assert [item.id for item in found] == ["row-4", "row-1", "row-2"]


def test_a_stored_threshold_may_make_an_answer_of_less_than_one_half(predictions):
    """Predicted is what was decided, not the largest probability."""
    moved = replace(predictions, predicted=("pos", "pos", "pos", "pos", "pos"))
    assert [(item.id, item.probability) for item in find_mistakes(moved)] == [("row-2", 0.95), ("row-4", 0.55), ("row-3", 0.1)]


def test_a_row_without_label_is_an_error(predictions):
    with pytest.raises(MissingLabelsError):
        find_mistakes(replace(predictions, labels=(None,) * 5))
