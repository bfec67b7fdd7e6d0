"""Wording: a count with its noun, and lists of limited length."""

from collections.abc import Callable, Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun.

    Example:
        >>> counted(1, "row"), counted(10605, "row"), counted(0, "class", "classes")
        ('1 row', '10,605 rows', '0 classes')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(items: Sequence[object], most: int, *, write: Callable[[object], str] = repr) -> str:
    """Write the first of some items, and how many more there are.

    Example:
        >>> listed(["a", "b"], 3), listed(["a", "b", "c"], 2), listed([3, 5, 7], 1, write=str)
        ("'a', 'b'", "'a', 'b' and 1 more", '3 and 2 more')
    """
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(map(write, items[:most])) + more
