"""Given: texts and labels passed in Python: lists, arrays, frames, tensors; a wrong shape is one message."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pretune.errors import DataError, MissingLabelsError, UsageError

SHOWN = 8


def columns_in(value: Any) -> dict[str, list[Any]] | None:
    """Return the columns of a frame (pandas, polars, pyarrow, ``datasets``) or of a dict of lists; ``None`` for others.

    Raises:
        DataError: Two columns have one name.
    """
    if isinstance(value, Mapping):
        _check_once(value, list(value))
        return {str(name): _column(value[name], f"the value of {name!r}") for name in value}
    names = getattr(value, "column_names", None)  # pyarrow, datasets
    if names is None and hasattr(value, "columns") and hasattr(value, "shape"):
        names = value.columns  # pandas, polars
    if names is None or callable(names):
        return None
    _check_once(value, list(names))
    if hasattr(value, "iloc"):
        return {f"{name}": value.iloc[:, index].tolist() for index, name in enumerate(names)}
    return {str(name): _listed(value[name]) for name in names}


def texts_in(value: Any, own: Sequence[str] = ()) -> list[Any]:
    """Return the texts as a list, not looked at one by one.

    Args:
        value: A list, an array of shape (n,) or (n, 1), a series, a generator, or a frame.
        own: The columns that the model was fitted on, which a frame is read by; several are joined as ``load_data`` joins
            them. A frame without them must have one column.

    Raises:
        UsageError: It is one text, a set, or nothing that holds texts.
        DataError: It has several columns, none of which is known to be the text.
    """
    if isinstance(value, (str, bytes)):
        raise UsageError(f"texts is one string, {value[:40]!r}", expected="a list of texts", fix="pass [text]")
    columns = columns_in(value)
    if columns is None:
        return _flat(value, "texts", "pass one column of texts, such as frame['text']")
    if own and all(name in columns for name in own):
        return _joined([columns[name] for name in own])
    if len(columns) == 1:
        return next(iter(columns.values()))
    held = ", ".join(map(repr, list(columns)[:SHOWN])) or "no columns"
    known = f", or the columns of the model: {', '.join(map(repr, own))}" if own else ""
    raise DataError(
        f"texts is a {type(value).__name__} with {len(columns)} columns: {held}",
        expected=f"one column of texts{known}",
        fix="pass that column, such as frame['text']",
    )


def labels_in(value: Any) -> list[Any]:
    """Return the labels as a list, not looked at one by one; shape (n, 1) and a frame of one column are taken as n labels.

    Raises:
        MissingLabelsError: There are none.
        UsageError: It is one string, a set, or nothing that holds labels.
        DataError: It has several columns, as one-hot codes have.
    """
    if value is None:
        raise MissingLabelsError(
            "texts came without labels", expected="one label per text", fix="pass y as well; predict needs no labels"
        )
    if isinstance(value, (str, bytes)):
        raise UsageError(f"y is one string, {value[:40]!r}", expected="one label per text", fix="pass a list of labels")
    columns = columns_in(value)
    if columns is None:
        found = _flat(value, "y", "pass one label per text: of one-hot codes, y.argmax(axis=1)")
        return _unpacked(found)
    if len(columns) != 1:
        raise DataError(
            f"y is a {type(value).__name__} with {len(columns)} columns: {', '.join(map(repr, list(columns)[:SHOWN]))}",
            expected="one label per text: one column",
            fix="pass that column, such as frame['label']; of one-hot columns, frame.idxmax(axis=1)",
        )
    return next(iter(columns.values()))


def pair_in(value: Any, option: str) -> tuple[Any, Any]:
    """Return texts and labels that were given as one pair.

    Raises:
        UsageError: It is no pair.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return value[0], value[1]
    raise UsageError(
        f"{option} is a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (tuple, list)) else ""),
        expected="a pair: (texts, labels)",
        fix=f"pass {option}=(x, y)",
    )


def _flat(value: Any, name: str, fix: str) -> list[Any]:
    """Return an array, a series, a tensor or an iterable as a list of n items."""
    if isinstance(value, (set, frozenset)):
        raise UsageError(f"{name} is a set, which has no order", expected="a list, in the order of the rows")
    shape = getattr(value, "shape", None)
    if shape is not None and not callable(shape):
        if len(shape) == 2 and shape[1] == 1 and hasattr(value, "reshape"):
            value, shape = value.reshape(-1), shape[:1]
        if len(shape) != 1:
            raise DataError(
                f"{name} is a {type(value).__name__} of shape ({', '.join(map(str, shape))}{',' * (len(shape) == 1)})",
                expected="one dimension: shape (n,) or (n, 1)",
                fix=fix,
            )
    if not isinstance(value, Iterable):
        raise UsageError(f"{name} is a {type(value).__name__}, {value!r:.40}", expected="a list")
    return _listed(value)


def _listed(value: Any) -> list[Any]:
    """Values of Python where the container knows how to give them; other iterables as they are."""
    if hasattr(value, "to_pylist"):  # pyarrow
        return list(value.to_pylist())
    if hasattr(value, "detach"):  # torch, also on another device
        return list(value.detach().cpu().tolist())
    if hasattr(value, "tolist"):  # numpy, pandas
        return list(value.tolist())
    return list(value.to_list()) if hasattr(value, "to_list") else list(value)  # polars


def _check_once(value: Any, names: Sequence[Any]) -> None:
    counts = Counter(map(str, names))
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        places = [str(index) for index, name in enumerate(names) if str(name) == twice]
        raise DataError(
            f"the {type(value).__name__} has {counts[twice]} columns {twice!r}, at {', '.join(places[:SHOWN])} (from 0)",
            expected="each name once",
            fix="rename or remove one of them, or pass the one column, such as frame.iloc[:, 0]",
        )


def _column(value: Any, name: str) -> list[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise UsageError(
            f"{name} is {value!r:.40}, a {type(value).__name__}",
            expected="a list for each column",
            fix="pass lists of one length",
        )
    return _listed(value)


def _joined(columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Join several text columns as tables are read; what is missing, or no text, is left for the message about texts."""
    if len(columns) == 1:
        return list(columns[0])
    return [
        "\n".join(part for part in parts if isinstance(part, str) and part and not part.isspace())
        for parts in zip(*columns, strict=True)
    ]


def _unpacked(labels: list[Any]) -> list[Any]:
    """Take the label out of each list of one; ``y`` is then n lists of one, as (n, 1) arrays are when they become lists."""
    if not labels or not all(isinstance(label, (list, tuple)) or getattr(label, "shape", None) == (1,) for label in labels):
        return labels
    found = [list(label) for label in labels]
    wrong = next((index for index, label in enumerate(found) if len(label) != 1), None)
    if wrong is not None:
        raise DataError(
            f"label {wrong} is {labels[wrong]!r:.60}, of {len(found[wrong])}",
            expected="one label per text: shape (n,) or (n, 1)",
            fix="pass one label per text: of one-hot codes, y.argmax(axis=1)",
        )
    return [label[0] for label in found]
