"""The terms of every figure: whose precision and recall, how sure an interval is, and which rows belong together."""

from dataclasses import dataclass, field

from pretune.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Record):
    """On what terms figures are computed and compared.

    Args:
        positive: The class that precision and recall are about; ``None`` for averages over the classes.
        confidence: Probability that an interval covers the truth; a test passes where its p value is at most 1 less this.
        look: How often these rows have been opened, this time included.
        groups: Group of each row that has one, by its id: rows of one group repeat each other, so every interval and every
            test keeps them together. Rows that are not named stand alone.
    """

    positive: str | None = None
    confidence: float = 0.95
    look: int = 1
    groups: dict[str, str] = field(default_factory=dict)


# Averages over the classes, at a first look, each row alone.
USUAL = Terms()
