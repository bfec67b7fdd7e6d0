"""By time: train on the oldest rows, choose the epoch on newer ones, and keep the newest for the verdict."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pretune.configs import SplitConfig
from pretune.data.moments import read_asked
from pretune.data.split.divide import Splits, keep_given
from pretune.errors import DataError
from pretune.records import Example
from pretune.records.conversation import OWN


def split_by_time(examples: Sequence[Example], config: SplitConfig, *, by_name: bool = False) -> Splits:
    """Divide rows by the column ``config.time``: training is older than validation, and the test is newest.

    Rows of one moment stay in one split. What an earlier split shares with a later one (texts, nearly the same texts, groups)
    is taken out of the earlier one, as where the user gave the splits; a row without a moment is taken out, too.

    Raises:
        DataError: There is no such column, it holds no moments, or too few of them; or a class is not there yet in training.
    """
    column = str(config.time)
    moments = read_asked(examples, column)
    if not moments:
        raise DataError(
            f"column {column!r} {_why_not(examples, column)}",
            expected="a date, or a number that grows with time, in every row",
            fix="check --time",
        )
    dated = [row for row in examples if row.id in moments]
    when = np.array([moments[row.id] for row in dated])
    ends = _ends(np.sort(when), config)
    if len({when.min(), *ends}) < 3:
        raise DataError(
            f"column {column!r} has {len(np.unique(when))} different moments, too few of them apart for three splits",
            expected="rows from at least three moments",
            fix="name a finer column, or leave out --time",
        )
    place = np.searchsorted(ends, when, side="right")
    parts = [tuple(row for row, at in zip(dated, place, strict=True) if at == number) for number in range(3)]
    _check_classes(parts, column)
    found = keep_given(parts[0], parts[1], parts[2], config, by_name=by_name)
    undated = tuple(row.id for row in examples if row.id not in moments)
    newest = [max(rows, key=lambda row: moments[row.id]).extra[column] for rows in parts]
    spans = ", ".join(f"{name} to {value!r}" for name, value in zip(("training", "validation", "test"), newest, strict=True))
    left_out = (f"{len(undated):,} rows without a date are left out",) if undated else ()
    notes = (f"divided by {column!r}: {spans}", *left_out, *found.notes)
    return replace(found, removed=(*found.removed, *undated), notes=notes)


def _ends(moments: npt.NDArray[np.float64], config: SplitConfig) -> tuple[float, float]:
    """Return the first moment of validation and of the test."""
    total = len(moments)
    shares = (config.validation_share + config.test_share, config.test_share)
    validation, test = (float(moments[min(round(total * (1 - share)), total - 1)]) for share in shares)
    return validation, test


def _why_not(examples: Sequence[Example], column: str) -> str:
    known = {name for row in examples for name in row.extra if not name.startswith(OWN)}
    if column not in known:
        return f"is not there; the others are {', '.join(map(repr, sorted(known)[:10])) or 'none'}"
    shown = next((row.extra[column] for row in examples if row.extra.get(column)), "")
    return f"holds no dates, such as {shown[:40]!r}"


def _check_classes(parts: Sequence[Sequence[Example]], column: str) -> None:
    known = {row.label for row in parts[0]}
    new = sorted({str(row.label) for part in parts[1:] for row in part if row.label not in known})
    if new:
        raise DataError(
            f"by {column!r}, the class {', '.join(map(repr, new[:5]))} comes first in validation or test",
            expected="every class in training, which is the oldest rows",
            fix="leave these rows out with --where, or leave out --time",
        )
