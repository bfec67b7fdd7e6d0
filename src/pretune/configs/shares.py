"""Class shares of production, as a user writes them."""

from collections.abc import Mapping

from pretune.configs.base import shown
from pretune.errors import UsageError

# Stands for the class that is looked for, where a share alone was named; no label is empty.
POSITIVE = ""
ROUNDING = 1e-6


def parse_shares(text: str | None) -> dict[str, float]:
    """Read ``0.005``, the share of the class that is looked for, or ``spam=0.005`` of one or several classes.

    Raises:
        UsageError: It is no such thing.

    Example:
        >>> parse_shares("0.005"), parse_shares("a=0.2,b=0.3")
        ({'': 0.005}, {'a': 0.2, 'b': 0.3})
    """
    found: dict[str, float] = {}
    for part in [] if text is None else text.split(","):
        label, sign, number = part.rpartition("=")
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        if not 0 < share < 1 or (sign and not label.strip()) or label.strip() in found:
            raise UsageError(
                f"--prevalence {shown(text)}: {shown(part.strip())} cannot be read",
                expected="the share of the positive class, such as 0.005, or of several: a=0.2,b=0.3",
                fix="0.5 % is 0.005",
            )
        found[label.strip()] = share
    if sum(found.values()) > 1 + ROUNDING:
        raise UsageError(
            f"--prevalence {shown(text)} adds up to {sum(found.values()):g}", expected="shares of at most 1 together"
        )
    return found


def share_of(asked: Mapping[str, float], positive: str | None) -> float | None:
    """Return the share that was named for the class that is looked for, or ``None``.

    Example:
        >>> share_of({"": 0.005}, "spam"), share_of({"ham": 0.9}, "spam")
        (0.005, None)
    """
    return None if positive is None else asked.get(POSITIVE, asked.get(positive))
