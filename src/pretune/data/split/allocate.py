"""Allocate: which split does each row go to, when some rows must stay together?

Units (rows that stay together) are visited in the order of a hash of their text and the seed. A split takes a unit if that
brings it closer to its quota of each label; units that no split takes are for training. So a unit's place depends on its
text, the seed and the quotas: neither the order of the rows nor their ids matter, and added rows move few others. Large
units are neither preferred nor avoided until a quota is nearly full.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pretune.errors import DataError
from pretune.hashing import fingerprint
from pretune.records import Example


@dataclass(frozen=True, slots=True)
class _Unit:
    key: str
    rows: tuple[int, ...]
    labels: Counter[str]


def allocate(
    examples: Sequence[Example], component: NDArray[np.int64], shares: Mapping[str, float], seed: int
) -> tuple[str, ...]:
    """Return the name of each row's split; rows of one component get the same.

    Every class is in every split. Sizes are as near to the shares, per class, as the components allow.

    Args:
        examples: The rows.
        component: Rows of one number stay together, shape (num_rows,).
        shares: Share of the rows that each split except training should have.
        seed: Another seed gives another split.

    Raises:
        DataError: A class has fewer separable rows than there are splits.
    """
    units = sorted(_units_of(examples, component, seed), key=lambda unit: unit.key)
    names = ("train", *shares)
    _check_separable(units, names)
    totals = sum((unit.labels for unit in units), Counter[str]())
    left, parts = units, {name: list[_Unit]() for name in names}
    for name, share in shares.items():
        quota = {label: max(int(share * total + 0.5), 1) for label, total in totals.items()}
        parts[name], left = _take(left, quota)
    parts["train"] = left
    _complete(parts, totals)
    name_of = {row: name for name, part in parts.items() for unit in part for row in unit.rows}
    return tuple(name_of[row] for row in range(len(examples)))


def _units_of(examples: Sequence[Example], component: NDArray[np.int64], seed: int) -> list[_Unit]:
    rows: dict[int, list[int]] = {}
    for row, number in enumerate(component.tolist()):
        rows.setdefault(number, []).append(row)
    keys = [blake2b(f"{seed} {fingerprint(example.text)}".encode(), digest_size=8).hexdigest() for example in examples]
    return [
        _Unit(min(keys[row] for row in unit), tuple(unit), Counter(examples[row].label or "" for row in unit))
        for unit in rows.values()
    ]


def _check_separable(units: Sequence[_Unit], names: Sequence[str]) -> None:
    num_units = Counter(label for unit in units for label in unit.labels)
    short = {label: number for label, number in sorted(num_units.items()) if number < len(names)}
    if short:
        if set(num_units) == {""}:
            raise _too_few(units, names)
        num_rows = sum((unit.labels for unit in units), Counter[str]())
        shown = [f"{label!r} ({num_rows[label]} rows, {number} that can be separated)" for label, number in short.items()]
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        raise DataError(
            f"too few separate rows of class {', '.join(shown[:5])}{more} to divide into {', '.join(names)}",
            expected=f"at least {len(names)} rows of each class that are neither duplicates of each other nor in one group",
            fix="label more rows of that class, merge it with another or leave it out; if texts differ only in "
            "a number or a name, name the column of their template with --group COL, or keep leaks with --keep-leaks",
        )


def _too_few(units: Sequence[_Unit], names: Sequence[str]) -> DataError:
    """Return the error for rows without labels, such as conversations, of which too few can be separated."""
    total = sum(len(unit.rows) for unit in units)
    return DataError(
        f"{total:,} row{'s' * (total > 1)} cannot be divided into {', '.join(names)}: {len(units):,} can be separated",
        expected=f"at least {len(names)} that are neither nearly the same as each other nor in one group",
        fix="add rows, use a finer --group column, or give the splits yourself (--validation FILE, --test FILE)",
    )


def _take(units: Sequence[_Unit], quota: Mapping[str, int]) -> tuple[list[_Unit], list[_Unit]]:
    taken, left, have = list[_Unit](), list[_Unit](), Counter[str]()
    for unit in units:
        gain = sum(
            abs(have[label] - quota[label]) - abs(have[label] + number - quota[label]) for label, number in unit.labels.items()
        )
        (taken if gain > 0 else left).append(unit)
        if gain > 0:
            have.update(unit.labels)
    return taken, left


def _complete(parts: dict[str, list[_Unit]], totals: Mapping[str, int]) -> None:
    """Move the smallest units that will do until every split has every class; large groups make this necessary."""
    for label in sorted(totals, key=lambda label: (totals[label], label)):
        for part in parts.values():
            if not any(label in unit.labels for unit in part):
                donor, unit = _find_spare(parts, label)
                parts[donor].remove(unit)
                part.append(unit)


def _find_spare(parts: Mapping[str, list[_Unit]], label: str) -> tuple[str, _Unit]:
    spare = list[tuple[int, str, str, _Unit]]()
    for name, part in parts.items():
        num_units = Counter(item for unit in part for item in unit.labels)
        able = (unit for unit in part if label in unit.labels and all(num_units[item] > 1 for item in unit.labels))
        spare.extend((len(unit.rows), unit.key, name, unit) for unit in able)
    if not spare:
        raise DataError(
            f"class {label!r} cannot be in every split: its groups are tied to the only groups of other classes",
            expected="groups that can be divided so that each split has each class",
            fix="use a finer --group column, or give the splits yourself (--validation FILE, --test FILE)",
        )
    _, _, name, unit = min(spare, key=lambda item: item[:2])
    return name, unit
