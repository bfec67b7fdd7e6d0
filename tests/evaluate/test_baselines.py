"""The baselines a language model has to beat."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pretune.errors import DataError, MissingLabelsError, StorageError
from pretune.evaluate.baselines import LinearModel, fit_linear, load_linear, majority, prior
from pretune.records import Example


@pytest.fixture
def examples(separable_rows) -> list[Example]:
    rows = separable_rows(num_rows=200, seed=1)
    return [Example(id=str(number), text=text, label=label) for number, (text, label) in enumerate(rows)]


@pytest.fixture
def model(examples) -> LinearModel:
    return fit_linear(examples[:150])


def test_the_majority_class_is_predicted_with_the_shares_of_training():
    rows = [Example(id="1", text="x", label="b")]
    found = majority(["a", "b", "b", "b"], rows, split="test", classes=("a", "b"))
    assert (found.source, found.predicted, found.probabilities) == ("majority", ("b",), ((0.25, 0.75),))


def test_the_guess_comes_as_often_as_the_class_does_in_training_whatever_the_labels_are():
    rows = [Example(id=str(number), text="x", label="b") for number in range(4_000)]
    found = prior(["a", "b", "b", "b"], rows, split="test", classes=("a", "b", "c"))
    shares = [found.predicted.count(label) / 4_000 for label in found.classes]
    assert (found.source, set(found.probabilities)) == ("prior", {(0.25, 0.75, 0.0)})
    assert shares == pytest.approx([0.25, 0.75, 0.0], abs=0.03)  # four standard errors
    assert found == prior(["a", "b", "b", "b"], rows, split="test", classes=("a", "b", "c"))
    assert found.predicted != prior(["a", "b", "b", "b"], rows, split="test", classes=("a", "b", "c"), seed=1).predicted


def test_the_guess_copes_with_classes_that_only_one_side_knows_and_with_no_rows():
    rows = [Example(id="1", text="x", label="b"), Example(id="2", text="x", label="a")]
    assert set(prior(["a", "z", "z"], rows, split="test", classes=("a", "b")).predicted) == {"a"}
    assert set(prior(["z"], rows * 20, split="test", classes=("a", "b")).predicted) == {"a", "b"}
    assert prior(["a"], [], split="test", classes=("a", "b")).ids == ()


def test_the_linear_model_learns_what_words_tell(model, examples):
    found = model.predict(examples[150:], split="test")
    assert found.source == "linear"
    assert np.mean([label == said for label, said in zip(found.labels, found.predicted, strict=True)]) > 0.95
    assert np.array(found.probabilities).sum(axis=1) == pytest.approx(np.ones(50))


def test_saved_and_loaded_it_predicts_the_same_bits(model, examples, tmp_path):
    model.save(tmp_path / "linear")
    loaded = load_linear(tmp_path / "linear")
    assert loaded.predict(examples, split="test") == model.predict(examples, split="test")
    assert sorted(file.name for file in (tmp_path / "linear").iterdir()) == ["model.json", "model.safetensors"]


def test_the_same_rows_and_seed_give_the_same_bits(model, examples):
    twin = fit_linear(examples[:150])
    assert twin.terms == model.terms
    assert np.array_equal(twin.weights, model.weights)


def test_three_classes_give_three_probabilities_in_the_order_asked_for():
    words = {"a": "apple red", "b": "bird wing", "c": "car wheel"}
    rows = [Example(id=f"{label}{n}", text=f"{text} {n}", label=label) for label, text in words.items() for n in range(30)]
    found = fit_linear(rows).predict(rows, split="test", classes=("c", "b", "a"))
    assert found.predicted == tuple(row.label for row in rows)
    assert np.array(found.probabilities).argmax(axis=1).tolist() == [2] * 30 + [1] * 30 + [0] * 30


def test_rare_rows_are_weighed_up_where_data_is_unbalanced():
    """5 % of the rows are rare, and one word in two tells: an unweighted model would never call them."""
    rows = [Example(id=str(n), text=f"plain {n % 7}", label="ham") for n in range(380)]
    rows += [Example(id=f"s{n}", text=f"{'prize' if n % 2 else 'plain'} {n % 7}", label="spam") for n in range(20)]
    assert Counter(fit_linear(rows).predict(rows, split="train").predicted)["spam"] >= 10


def test_texts_of_signs_alone_are_no_error(model):
    rows = [Example(id="1", text="!!! :)", label="good"), Example(id="2", text="??", label="bad")] * 3
    assert fit_linear(rows).classes == ("bad", "good")
    assert len(model.predict(rows, split="test").predicted) == 6
    assert model.predict([], split="test").predicted == ()


def test_missing_labels_and_a_single_class_are_errors(examples):
    with pytest.raises(MissingLabelsError, match="1 training rows"):
        fit_linear([*examples, replace(examples[0], label=None)])
    with pytest.raises(DataError, match="1 classes"):
        fit_linear([example for example in examples if example.label == examples[0].label])


def test_a_folder_without_weights_is_an_error(model, tmp_path):
    model.save(tmp_path / "linear")
    (tmp_path / "linear" / "model.safetensors").unlink()
    with pytest.raises(StorageError, match="is missing"):
        load_linear(tmp_path / "linear")
