"""The logistic regression over vectors: it learns what is in them, and survives the disk."""

import numpy as np
import pytest

from pretune.errors import DataError, MissingLabelsError, StorageError
from pretune.evaluate.encoder_linear import fit_encoder_linear, load_encoder_linear
from pretune.records import Example


def rows_with_vectors(num_rows=200, classes=("a", "b", "c"), seed=0):
    """Return rows and vectors whose first columns hold the class, the others noise of very different sizes."""
    generator = np.random.default_rng(seed)
    codes = np.arange(num_rows) % len(classes)
    vectors = generator.normal(0, 1, (num_rows, 12)) * np.logspace(-3, 3, 12)
    vectors[:, : len(classes)] += 4 * np.eye(len(classes))[codes] * np.logspace(-3, 3, 12)[: len(classes)]
    return [Example(id=str(i), text="t", label=classes[code]) for i, code in enumerate(codes)], vectors.astype(np.float32)


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_it_learns_what_the_vectors_hold(classes):
    rows, vectors = rows_with_vectors(400, classes)
    model = fit_encoder_linear(vectors[:300], rows[:300], encoder="minilm", max_length=64)
    found = model.predict(vectors[300:], rows[300:], split="validation")
    assert np.mean([a == b for a, b in zip(found.predicted, found.labels, strict=True)]) > 0.9
    assert np.sum(found.probabilities, axis=1) == pytest.approx(1)
    assert (found.source, found.split) == ("encoder_linear", "validation")


def test_columns_follow_the_order_that_is_asked_for():
    rows, vectors = rows_with_vectors()
    model = fit_encoder_linear(vectors, rows, encoder="minilm", max_length=64)
    own = model.predict(vectors, rows, split="test")
    other = model.predict(vectors, rows, split="test", classes=("c", "d", "b", "a"))
    assert other.predicted == own.predicted
    assert [row[1] for row in other.probabilities] == [0.0] * len(rows)


def test_it_is_the_same_after_a_trip_to_the_disk_threshold_included(tmp_path):
    rows, vectors = rows_with_vectors(classes=("no", "yes"))
    model = fit_encoder_linear(vectors, rows, encoder="minilm", max_length=64).decided_by("yes", 0.9)
    model.save(tmp_path / "x")
    loaded = load_encoder_linear(tmp_path / "x")
    assert loaded.predict(vectors, rows, split="test") == model.predict(vectors, rows, split="test")
    assert (loaded.encoder, loaded.max_length, loaded.threshold) == ("minilm", 64, 0.9)
    (tmp_path / "x" / "features.safetensors").unlink()
    with pytest.raises(StorageError, match="is missing"):
        load_encoder_linear(tmp_path / "x")


def test_no_rows_give_no_predictions():
    rows, vectors = rows_with_vectors()
    model = fit_encoder_linear(vectors, rows, encoder="minilm", max_length=64)
    assert model.predict(vectors[:0], [], split="test").probabilities == ()


def test_rows_that_cannot_be_learned_from_are_errors():
    rows, vectors = rows_with_vectors()
    with pytest.raises(DataError, match="1 classes"):
        fit_encoder_linear(vectors[:1], rows[:1], encoder="minilm", max_length=64)
    with pytest.raises(MissingLabelsError):
        fit_encoder_linear(vectors[:2], [rows[0], Example(id="x", text="t")], encoder="minilm", max_length=64)
