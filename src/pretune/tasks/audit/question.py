"""What is asked about a table of predictions, and the name of each set of predictions."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pretune.configs import AuditConfig
from pretune.records import PERSON

AUDITED = "audited"  # the predictions that are judged
SPLIT = "test"  # the rows that they are judged on

_OURS = frozenset({AUDITED, "majority", "prior", "linear", "encoder_linear", PERSON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about a table of predictions.

    Args:
        config: Columns, threshold, gates.
        train: Training rows of the model, for baselines and leakage: whatever ``read_table`` reads.
        against: Predictions of another model on the same rows.
        is_sealed: Count the opening of these rows in the ledger.
    """

    config: AuditConfig = field(default_factory=AuditConfig)
    train: Any = None
    against: Any = None
    is_sealed: bool = False


def shown(source: Any) -> str:
    """Return what the user named, or what kind of thing it is."""
    return str(source) if isinstance(source, (str, Path)) else f"a {type(source).__name__}"


def name_of(source: Any) -> str:
    """Return the file's name without its endings.

    Example:
        >>> name_of("out/preds.csv.gz"), name_of([{"id": 1}])
        ('preds', 'predictions')
    """
    return Path(source).name.split(".")[0] or "predictions" if isinstance(source, (str, Path)) else "predictions"


def other_name(against: Any) -> str:
    """Return what the predictions are called that the judged ones are compared with.

    Example:
        >>> other_name("b.csv"), other_name("linear.csv")
        ('b', 'against linear')
    """
    name = name_of(against)
    return f"against {name}" if name in _OURS else name
