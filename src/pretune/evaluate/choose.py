"""Which class are precision and recall about, and is accuracy misleading here?"""

from collections import Counter
from collections.abc import Sequence

from pretune.configs.judge import MAX_POSITIVE_SHARE
from pretune.errors import UsageError

# Share of one class above which a constant answer is right so often that accuracy misleads.
MAX_BALANCED_SHARE = 0.60


def choose_positive(labels: Sequence[str], wanted: str | None = None) -> str | None:
    """Return the class that precision and recall are about; ``None`` where they are averaged over the classes.

    Of two classes it is the rarer one, if it holds at most 40 %. With more than two there is no such class unless
    the user names it: the rarest of ten is not what the other nine are searched for.

    Args:
        labels: Labels of the training rows, so that the choice does not depend on the test.
        wanted: The class that the user named.

    Raises:
        UsageError: No row has the label ``wanted``.

    Example:
        >>> choose_positive(["ham"] * 87 + ["spam"] * 13)
        'spam'
    """
    counts = Counter(labels)
    if wanted is not None:
        if wanted not in counts:
            raise UsageError(
                f"the positive class is {wanted!r}, which no row has",
                expected="one of " + ", ".join(repr(label) for label in sorted(counts)[:20]),
                fix="pass --positive with one of these labels",
            )
        return wanted
    if len(counts) != 2:
        return None
    rarer, count = min(counts.items(), key=lambda item: item[1])
    return rarer if count <= MAX_POSITIVE_SHARE * len(labels) else None


def is_unbalanced(labels: Sequence[str]) -> bool:
    """Whether one class holds more than 60 % of the rows.

    Example:
        >>> is_unbalanced(["ham"] * 87 + ["spam"] * 13)
        True
    """
    return bool(labels) and max(Counter(labels).values()) > MAX_BALANCED_SHARE * len(labels)
