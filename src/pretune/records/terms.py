"""The terms of every figure: whose precision and recall, how sure an interval is, and which rows belong together."""

from dataclasses import dataclass, field

from pretune.records.base import Record

# The version of the rules by which figures and verdicts are made. A policy carries it, so a run is recomputed by those that it
# was judged by; ``pretune judge`` judges it again by these.
# 1: rows are independent unless --group names a column; slices, costs and proofs take every row as independent all the same.
# 2: copies and near copies of a text are one unit, joined with the groups, for every interval and test; few units, and units
#    of very different size, are allowed for (docs/decisions/0038).
# 3: a source of the run that is better than the judged one is named first; a floor of many classes or slices fails only where
#    one is below it with an interval that allows for their number (docs/decisions/0041); how far rows of a unit agree is taken
#    at a bound that few units allow, not at an estimate (docs/decisions/0038); macro precision and F1 allow for the bias of
#    ratios (docs/decisions/0008).
# 4: macro figures of many classes have an interval however few rows each class has, and their ends allow for what so few rows
#    do to a ratio (docs/decisions/0008).
RULES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Record):
    """On what terms figures are computed and compared.

    Args:
        positive: The class that precision and recall are about; ``None`` for averages over the classes.
        confidence: Probability that an interval covers the truth; a test passes where its p value is at most 1 less this.
        look: How often these rows have been opened, this time included.
        groups: Unit of each row that shares one, by its id: rows of a unit repeat each other, so every interval and every
            test keeps them together. Rows that are not named stand alone.
        unit: What units are called: ``groups``, or ``different texts`` where copies alone make them.
        rules: Version of the rules.
    """

    positive: str | None = None
    confidence: float = 0.95
    look: int = 1
    groups: dict[str, str] = field(default_factory=dict)
    unit: str = "groups"
    rules: int = RULES


# Averages over the classes, at a first look, each row alone.
USUAL = Terms()
