"""Shared texts: what do the given splits have in common, and which texts have two labels?"""

from collections.abc import Mapping, Sequence

from pretune.data.alike.duplicates import Duplicates
from pretune.records import Conflict, Example, Shared

# The first of each pair gives up the rows: training before validation, and both before the test.
PAIRS = (("train", "validation"), ("train", "test"), ("validation", "test"))


def find_shared(
    given: Mapping[str, Sequence[Example]], duplicates: Duplicates, *, keep: bool = False
) -> tuple[tuple[Shared, ...], frozenset[int]]:
    """Count what each pair of given splits shares: texts, nearly the same texts, groups.

    Near goes by cluster: once the leaking rows are gone, no cluster and no group is in two splits.

    Args:
        given: Rows by name of the split.
        duplicates: Of all their texts, in the order of ``given``.
        keep: Count only.

    Returns:
        One record a pair, and the numbers of the leaking rows in the order of ``given``.
    """
    starts, total = dict[str, int](), 0
    for name, rows in given.items():
        starts[name], total = total, total + len(rows)
    records, leaking = list[Shared](), set[int]()
    for first, second in PAIRS:
        if first in given and second in given:
            found, leaks = _compare(given, starts, (first, second), duplicates)
            leaking |= set() if keep else leaks
            removed = () if keep else tuple(given[first][row - starts[first]].id for row in sorted(leaks))
            records.append(Shared(first=first, second=second, removed=removed, **found))
    return tuple(records), frozenset(leaking)


def find_conflicts(examples: Sequence[Example], duplicates: Duplicates) -> tuple[Conflict, ...]:
    """Return each text, case and spacing aside, that has more than one label."""
    rows: dict[int, list[Example]] = {}
    for number, example in zip(duplicates.folded.tolist(), examples, strict=True):
        rows.setdefault(number, []).append(example)
    return tuple(
        Conflict(text=same[0].text, ids=tuple(row.id for row in same), labels=tuple(labels))
        for same in rows.values()
        if len(same) > 1 and len(labels := sorted({row.label for row in same if row.label is not None})) > 1
    )


def _compare(
    given: Mapping[str, Sequence[Example]], starts: Mapping[str, int], pair: tuple[str, str], duplicates: Duplicates
) -> tuple[dict[str, int], set[int]]:
    first, second = (range(starts[name], starts[name] + len(given[name])) for name in pair)
    folded, component = duplicates.folded.tolist(), duplicates.component.tolist()
    texts, clusters = {folded[row] for row in second}, {component[row] for row in second}
    groups = {row.group for row in given[pair[1]]} - {None}
    exact = {row for row in first if folded[row] in texts}
    near = {row for row in first if component[row] in clusters} - exact
    grouped = {row for row, example in zip(first, given[pair[0]], strict=True) if example.group in groups} - exact - near
    found = {
        "num_exact": len({folded[row] for row in exact}),
        "num_exact_rows": len(exact),
        "num_near_rows": len(near),
        "num_group_rows": len(grouped),
    }
    return found, exact | near | grouped
