"""Slices: a weak kind of row is found, chance is not announced, and the numbers are those of an exact test."""

import random
from dataclasses import replace

import numpy as np
import pytest
from judging import from_pairs
from scipy.stats import hypergeom

from pretune.errors import DataError, MissingLabelsError
from pretune.evaluate.slices import MAX_SLICES, columns_left_out, find_slices, holm, tail_probability
from pretune.records import Example, Predictions, Terms


def make_predictions(num_rows: int, accuracy: float = 0.9, *, seed: int = 0) -> Predictions:
    draw = random.Random(seed)
    labels = [draw.choice(("neg", "pos")) for _ in range(num_rows)]
    other = {"neg": "pos", "pos": "neg"}
    return from_pairs([(label, label if draw.random() < accuracy else other[label]) for label in labels])


def make_examples(predictions: Predictions, *, seed: int = 1) -> list[Example]:
    draw = random.Random(seed)
    return [
        Example(
            id=id,
            text="x" * draw.randint(5, 400),
            label=label,
            extra={"source": draw.choice(("web", "mail", "sms")), "age": str(draw.randint(18, 90)), "row": f"r{number}"},
        )
        for number, (id, label) in enumerate(zip(predictions.ids, predictions.labels, strict=True))
    ]


def spoil(predictions: Predictions, examples: list[Example], column: str, value: str, accuracy: float) -> Predictions:
    """Make the model right on the rows of one slice with this probability only."""
    draw = random.Random(5)
    other = {"neg": "pos", "pos": "neg"}
    wrong = {item.id for item in examples if item.extra[column] == value and draw.random() > accuracy}
    pairs = zip(predictions.ids, predictions.labels, predictions.predicted, strict=True)
    return replace(predictions, predicted=tuple(other[label] if id in wrong else said for id, label, said in pairs))


def test_a_planted_weak_slice_stands_first_and_is_called_worse():
    predictions = make_predictions(600)
    examples = make_examples(predictions)
    first, *others = find_slices(spoil(predictions, examples, "source", "sms", 0.6), examples)
    assert (first.column, first.value, first.is_worse) == ("source", "sms", True)
    assert not any(item.is_worse for item in others)
    assert first.low < first.accuracy < first.high < first.rest


def test_slices_of_a_clean_twin_are_not_announced():
    """200 tables in which mistakes fall anywhere: at most 5 % may announce one; 18 is the 99.5 % point of 200 at 5 %."""
    announced = 0
    for seed in range(200):
        predictions = make_predictions(300, seed=seed)
        announced += any(item.is_worse for item in find_slices(predictions, make_examples(predictions, seed=seed + 1000)))
    assert announced <= 18


def test_without_correction_chance_would_be_announced_far_more_often():
    """The twin of the test above: what Holm is for."""
    raw = 0
    for seed in range(100):
        predictions = make_predictions(300, seed=seed)
        found = find_slices(predictions, make_examples(predictions, seed=seed + 1000))
        is_right = np.array(predictions.labels) == np.array(predictions.predicted)
        raw += any(tail_probability(item.num_hits, item.num_examples, is_right) <= 0.05 for item in found)
    assert raw > 20


def test_a_later_look_asks_for_more():
    predictions = make_predictions(600)
    examples = make_examples(predictions)
    spoiled = spoil(predictions, examples, "source", "sms", 0.8)
    first = find_slices(spoiled, examples)[0]
    assert first.is_worse
    strict = find_slices(spoiled, examples, Terms(confidence=1 - first.p_value / 2))
    assert not any(item.is_worse for item in strict)


@pytest.mark.parametrize(
    ("total", "right", "drawn", "hits"), [(100, 90, 30, 22), (50, 25, 20, 3), (40, 40, 20, 20), (9, 0, 4, 0)]
)
def test_the_tail_is_that_of_the_hypergeometric_distribution(total, right, drawn, hits):
    is_right = np.arange(total) < right
    assert tail_probability(hits, drawn, is_right) == pytest.approx(hypergeom.cdf(hits, total, right, drawn))


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.5: times 3, 2, 1; 0.03, 0.04, 0.5
    assert holm([0.5, 0.01, 0.02]) == pytest.approx([0.5, 0.03, 0.04])


def test_lengths_and_numbers_are_cut_into_quarters_that_cover_every_row():
    predictions = make_predictions(400)
    found = find_slices(predictions, make_examples(predictions))
    for column in ("length", "age"):
        parts = [item for item in found if item.column == column]
        assert len(parts) == 4
        assert sum(item.num_examples for item in parts) == 400
    assert {item.value for item in found if item.column == "label"} == {"neg", "pos"}


def test_missing_values_are_a_slice_of_their_own():
    predictions = make_predictions(200)
    examples = [replace(item, extra={"age": "" if n % 2 else str(n)}) for n, item in enumerate(make_examples(predictions))]
    sizes = {item.value: item.num_examples for item in find_slices(predictions, examples) if item.column == "age"}
    assert sizes["(empty)"] == 100
    assert sum(sizes.values()) == 200


def test_many_equal_numbers_stay_together():
    predictions = make_predictions(200)
    values = ["0"] * 150 + [str(number) for number in range(1, 51)]
    examples = [Example(id=id, text="", extra={"n": value}) for id, value in zip(predictions.ids, values, strict=True)]
    sizes = {item.value: item.num_examples for item in find_slices(predictions, examples) if item.column == "n"}
    assert sizes == {"0 to 0": 150, "1 to 50": 50}


def test_a_slice_of_few_rows_is_left_out():
    predictions = make_predictions(200)
    examples = [Example(id=id, text="", extra={"k": "rare" if n < 19 else "common"}) for n, id in enumerate(predictions.ids)]
    assert {item.value for item in find_slices(predictions, examples) if item.column == "k"} == {"common"}


def test_a_column_of_names_is_not_sliced_and_is_said_to_be_left_out():
    predictions = make_predictions(100)
    examples = make_examples(predictions)
    assert "row" not in {item.column for item in find_slices(predictions, examples)}
    assert columns_left_out(examples) == ("row",)


def test_rows_are_found_by_id_whatever_their_order():
    predictions = make_predictions(300)
    examples = make_examples(predictions)
    assert find_slices(predictions, examples) == find_slices(predictions, examples[::-1])


def test_without_examples_labels_are_the_only_slices():
    assert {item.column for item in find_slices(make_predictions(100))} == {"label"}


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_a_model_that_is_always_right_or_always_wrong_has_no_worse_slice(accuracy):
    found = find_slices(make_predictions(100, accuracy))
    assert found
    assert not any(item.is_worse for item in found)


def test_the_examples_of_a_slice_are_its_mistakes():
    predictions = make_predictions(200, 0.5)
    wrong = {id for id, a, b in zip(predictions.ids, predictions.labels, predictions.predicted, strict=True) if a != b}
    for item in find_slices(predictions):
        assert len(item.examples) == 5
        assert set(item.examples) <= wrong


def test_more_columns_than_anyone_reads_are_cut_to_the_worst():
    predictions = make_predictions(200)
    extra = [{f"c{column}": str((row >> column % 7) % 2) for column in range(60)} for row in range(200)]
    examples = [Example(id=id, text="", extra=values) for id, values in zip(predictions.ids, extra, strict=True)]
    assert len(find_slices(predictions, examples)) == MAX_SLICES


def test_a_row_without_label_is_an_error():
    predictions = make_predictions(40)
    with pytest.raises(MissingLabelsError):
        find_slices(replace(predictions, labels=(None, *predictions.labels[1:])))


def test_an_example_that_is_there_twice_is_an_error():
    predictions = make_predictions(40)
    examples = make_examples(predictions)
    with pytest.raises(DataError, match="twice"):
        find_slices(predictions, [*examples, examples[0]])
