"""Counts: a run's confusion matrix, whole or of one class, as numbers and as the sentence that a question shows."""

from collections.abc import Sequence

from pretune.report.practice.facts import Facts

MAX_CLASSES = 5  # of a confusion matrix that is shown whole


def read_matrix(facts: Facts) -> tuple[list[str], list[list[int]], str] | None:
    """Return classes, counts and the sentence that shows them, where there are few enough."""
    found = _counts(facts)
    return None if found is None or len(found[0]) > MAX_CLASSES else (*found[:2], _say_matrix(*found))


def _counts(facts: Facts) -> tuple[list[str], list[list[int]], str] | None:
    """Return classes, counts and the split that they are of: of the test, where it was judged."""
    for split in ("test", "validation"):
        found = facts.counts(split)
        if found is not None and len(found[0]) > 1 and any(any(row) for row in found[1]):
            return *found, split
    return None


def _say_matrix(classes: Sequence[str], counts: Sequence[Sequence[int]], split: str) -> str:
    lines = [
        f"{name}: " + ", ".join(f"{count:,} called {other}" for other, count in zip(classes, row, strict=True))
        for name, row in zip(classes, counts, strict=True)
    ]
    return f"True rows of {split}, by what the model called them. {'; '.join(lines)}."


def of_class(facts: Facts) -> tuple[dict[str, object], int, int, int, int] | None:
    """Draw a class; return what texts name, and its hits, true rows and predicted rows, and all rows."""
    found = _counts(facts)
    if found is None:
        return None
    classes, counts, split = found
    called_so = [sum(column) for column in zip(*counts, strict=True)]
    places = range(len(classes))
    mistaken = [place for place in places if counts[place][place] < max(sum(counts[place]), called_so[place])]
    place = facts.pick(mistaken or places)  # all of a class being right leaves nothing to work out
    hits, true, called = counts[place][place], sum(counts[place]), called_so[place]
    rows = sum(map(sum, counts))
    told = (
        f"Of {rows:,} rows of {split}, {true:,} are {classes[place]}. The model called {called:,} rows {classes[place]}, "
        f"and was right about {hits:,} of these."
    )
    is_told = len(classes) > MAX_CLASSES or facts.draw.random() < 0.5
    said = told if is_told else _say_matrix(classes, counts, split)
    given = {"matrix": said, "name": classes[place], "hits": hits, "true": true, "called": called, "rows": rows, "split": split}
    return given, hits, true, called, rows
