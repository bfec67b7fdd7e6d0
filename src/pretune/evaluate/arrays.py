"""Named arrays on disk, as safetensors: written, read back, and compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pretune import storage
from pretune.errors import StorageError
from pretune.hashing import digest_of_file, known_digest

# What describes arrays that `save_arrays` wrote. Under schema 1 a matrix went to disk as it lay in memory, and that of
# three or more classes lay by columns: read by rows it is another matrix.
LAYOUT_SCHEMA = 2
Order = Literal["C", "F"]


def save_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by rows, whatever their order in memory, then read the file back and compare every value.

    safetensors writes the buffer of an array as it lies (0.8.0 does so for arrays in Fortran order as well), so
    it is given nothing but contiguous little-endian copies.

    Args:
        path: In a folder that ``storage.replace`` fills, which makes the writing durable.
        arrays: By name.

    Raises:
        StorageError: What was read back differs.
    """
    plain = {name: np.require(value, value.dtype.newbyteorder("<"), ["C"]) for name, value in arrays.items()}
    path.write_bytes(save(plain))
    found = load_arrays(path)
    for name, value in arrays.items():
        same = name in found and found[name].shape == value.shape and found[name].dtype == plain[name].dtype
        if not same or not np.array_equal(found[name], value, equal_nan=value.dtype.kind in "fc"):
            raise StorageError(f"{path} does not give back the values of {name}", fix="check the disk")
    if len(found) != len(arrays):
        raise StorageError(f"{path} does not hold what was written to it", fix="check the disk")


def load_arrays(path: Path, *, order: Order = "C") -> dict[str, npt.NDArray[Any]]:
    """Read arrays back.

    Args:
        path: What ``save_arrays`` wrote.
        order: How the file lies: ``"F"`` restores the matrices of an earlier version that wrote them by columns.

    Raises:
        StorageError: The file is missing or damaged.
    """
    if not path.is_file() or path.is_symlink():
        raise StorageError(f"{path} is missing", expected="the weights beside their description", fix="fit the run again")
    try:
        found = load_file(path)
    except (SafetensorError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(f"{path} is damaged: {error}", fix="restore the file, or fit the run again") from error
    return {name: value.reshape(-1).reshape(value.shape, order=order) for name, value in found.items()}


def write_described(folder: Path, name: str, described: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays and what describes them, each with a digest: ``NAME.safetensors`` and ``NAME.json``."""
    weights = folder / f"{name}.safetensors"
    save_arrays(weights, arrays)
    value = {"schema": LAYOUT_SCHEMA, **described, "digests": {weights.name: digest_of_file(weights)}}
    storage.replace_json(folder / f"{name}.json", storage.sealed(value))


def read_described(folder: Path, name: str, order: Order | None) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read back what ``write_described`` wrote, or what an earlier version wrote without digests.

    Raises:
        StorageError: A file is missing or was changed, or the weights may be scrambled.
    """
    described, weights = storage.read_json(folder / f"{name}.json"), folder / f"{name}.safetensors"
    try:
        lies = order_of(described, len(described["classes"]), order, folder)
        if described["schema"] == LAYOUT_SCHEMA:
            known = known_digest(weights) if weights.is_file() and not weights.is_symlink() else None
            if not storage.is_sealed(described) or known not in (described["digests"][weights.name], None):
                raise ValueError("its digests do not match its contents")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(f"{folder} is damaged: {error}", fix="restore the folder, or fit the run again") from error
    return described, load_arrays(weights, order=lies)


def order_of(described: Mapping[str, Any], num_classes: int, order: Order | None, place: Path) -> Order:
    """Return how the weights beside a description lie.

    Raises:
        StorageError: An earlier version wrote them, perhaps by columns, and no ``order`` says which; or a later one did.
    """
    schema = described.get("schema")
    if schema not in (1, LAYOUT_SCHEMA):
        raise StorageError(
            f"{place} has schema {schema!r}", expected=f"1 or {LAYOUT_SCHEMA}", fix="use the version of pretune that wrote it"
        )
    if schema == LAYOUT_SCHEMA or num_classes < 3:
        return "C"
    if order is None:
        raise StorageError(
            f"{place} was written by an earlier version, which scrambled the weights of three or more classes",
            expected="weights whose order is known",
            fix="use it inside its run folder, whose validation predictions tell the order; or fit the run again",
        )
    return order
