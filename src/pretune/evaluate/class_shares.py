"""The class shares of production: what the user named, and the rest as the test rows have it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pretune.configs.shares import POSITIVE, ROUNDING
from pretune.errors import UsageError


def fill_shares(
    asked: Mapping[str, float], labels: Sequence[str], classes: Sequence[str], positive: str | None
) -> dict[str, float]:
    """Return the share of every class; classes that were not named share the rest as the labels do.

    Args:
        asked: What ``parse_shares`` returned.
        labels: Of the test rows.
        classes: All there are.
        positive: The class that a share alone is about.

    Raises:
        UsageError: A class does not exist, a share has no class, or the shares leave something for classes without rows.
    """
    if POSITIVE in asked and positive is None:
        raise UsageError(
            f"--prevalence {asked[POSITIVE]:g} without a positive class",
            expected="the class that it is the share of",
            fix="name it with --positive, or write LABEL=SHARE",
        )
    named = {positive or "" if label == POSITIVE else label: share for label, share in asked.items()}
    unknown = [label for label in named if label not in classes]
    if unknown:
        raise UsageError(f"--prevalence of {unknown[0]!r}", expected="one of " + ", ".join(classes), fix="check the label")
    counts = Counter(labels)
    others = {label: counts[label] for label in classes if label not in named}
    rest, num_others = 1 - sum(named.values()), sum(others.values())
    if rest > ROUNDING and not num_others:
        raise UsageError(
            f"--prevalence leaves {rest:g} for classes that no test row has", expected="shares that add up to 1", fix="name all"
        )
    return {label: named[label] if label in named else max(rest, 0.0) * others[label] / max(num_others, 1) for label in classes}
