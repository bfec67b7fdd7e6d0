"""Arrays on disk: whatever their order in memory, the values come back."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from pretune.errors import StorageError
from pretune.evaluate import arrays
from pretune.evaluate.arrays import load_arrays, order_of, save_arrays

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    "value",
    [
        MATRIX,
        np.asfortranarray(MATRIX),
        MATRIX.T,
        MATRIX[:, ::2],
        MATRIX[::-1],
        np.broadcast_to(MATRIX[:, :1], (3, 4)),
        np.float32(3.5),
        np.array([], dtype=np.int64),
        np.array([np.nan, np.inf, -0.0]),
        MATRIX.astype(">f4"),
    ],
    ids=["rows", "columns", "turned", "steps", "backwards", "broadcast", "scalar", "empty", "not finite", "big-endian"],
)
def test_the_values_come_back_whatever_lay_in_memory(value, tmp_path):
    save_arrays(tmp_path / "x.safetensors", {"value": np.asarray(value)})
    found = load_file(tmp_path / "x.safetensors")["value"]
    assert found.shape == np.shape(value)
    assert np.array_equal(found, value, equal_nan=True)


def test_a_library_that_writes_another_matrix_is_found_out_on_saving(monkeypatch, tmp_path):
    real = arrays.save
    monkeypatch.setattr(arrays, "save", lambda given: real({name: item[::-1].copy() for name, item in given.items()}))
    with pytest.raises(StorageError, match="does not give back the values of value"):
        save_arrays(tmp_path / "x.safetensors", {"value": MATRIX})


def test_a_matrix_that_was_written_by_columns_is_restored_by_naming_the_order(tmp_path):
    save_arrays(tmp_path / "x.safetensors", {"value": MATRIX.ravel(order="F").reshape(3, 4)})
    assert np.array_equal(load_arrays(tmp_path / "x.safetensors", order="F")["value"], MATRIX)


def test_weights_of_three_classes_without_a_mark_of_their_order_are_not_taken_on_trust(tmp_path):
    assert order_of({"schema": 2}, 3, None, tmp_path) == "C"
    assert order_of({"schema": 1}, 2, None, tmp_path) == "C"
    assert order_of({"schema": 1}, 3, "F", tmp_path) == "F"
    with pytest.raises(StorageError, match="scrambled the weights of three or more classes"):
        order_of({"schema": 1}, 3, None, tmp_path)
    with pytest.raises(StorageError, match="has schema 3"):
        order_of({"schema": 3}, 3, "C", tmp_path)


def test_a_missing_a_linked_and_a_torn_file_are_errors(tmp_path):
    save_arrays(tmp_path / "x.safetensors", {"value": MATRIX})
    (tmp_path / "link").symlink_to(tmp_path / "x.safetensors")
    (tmp_path / "torn").write_bytes((tmp_path / "x.safetensors").read_bytes()[:-3])
    for name, why in (("none", "is missing"), ("link", "is missing"), ("torn", "is damaged")):
        with pytest.raises(StorageError, match=why):
            load_arrays(tmp_path / name)
