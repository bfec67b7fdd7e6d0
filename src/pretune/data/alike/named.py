"""Named apart: are two nearly equal questions one template, filled in with the names of two subjects?

"What research is being done for migraine?" and the same for stroke are one word of ten apart. Where the user named the column
that says what each is about, they are two questions; by their words alone nobody could tell. One without a group is apart only
where it has no word of its own: then it is the template itself, with nothing filled in.
"""

from collections.abc import Callable, Mapping, Sequence

from pretune.data.alike.numbered import NumberedWords
from pretune.data.alike.ragged import Numbers

Apart = Callable[[int, int], bool]


def named_apart(
    words: NumberedWords, folded: Numbers, groups: Sequence[str | None], names: Mapping[str, frozenset[str]]
) -> Apart:
    """Return whether two distinct texts are of different groups, and differ in nothing but words of the names of their own.

    Args:
        words: Of the distinct texts.
        folded: Number of each row's distinct text, shape (num_rows,).
        groups: Each row's group, or ``None``.
        names: The words of each group's name.
    """
    owners: list[set[str | None]] = [set() for _ in range(len(words.ids))]
    for number, group in zip(folded.tolist(), groups, strict=True):
        owners[number].add(group)

    def words_of(number: int) -> frozenset[str]:
        return frozenset(words.vocabulary[place] for place in words.ids[number].tolist())

    def explains(number: int, rest: frozenset[str]) -> bool:
        return not rest or all(group is not None and rest <= names[group] for group in owners[number])

    def are_apart(first: int, second: int) -> bool:
        if owners[first] & owners[second]:
            return False
        own, other = words_of(first), words_of(second)
        return own != other and explains(first, own - other) and explains(second, other - own)

    return are_apart
