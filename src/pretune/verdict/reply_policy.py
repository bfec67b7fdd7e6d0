"""What must hold before a model that replies ships: data, not code (``converse.toml``)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pretune.errors import UsageError
from pretune.intervals import confidence_at
from pretune.records import RULES, Record
from pretune.verdict.policy import RowsNeeded

CONVERSE = Path(__file__).with_name("converse.toml")
# Figures that a policy may compare, with what they are called.
FIGURES = {"chrf": "chrF", "loss": "loss", "subject": "naming the subject", "exact": "exact answers"}
LESS_IS_BETTER = frozenset({"loss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy(Record):
    """What a review by people has to show."""

    min_pairs: int = 50
    max_harmful: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPolicy(Record):
    """All that the verdict on a model that replies is decided by; ``converse.toml`` explains each field."""

    name: str
    confidence: float = 0.95
    better_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    better_on_one: dict[str, tuple[str, ...]] = field(default_factory=dict)
    not_worse_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    max_forgetting: float = 0.05
    required_checks: tuple[str, ...] = ()
    max_measured: dict[str, float] = field(default_factory=dict)  # check → above this it fails, whatever its severity
    review: ReviewPolicy = ReviewPolicy()
    rows_needed: RowsNeeded = field(default_factory=RowsNeeded)
    rules: int = 1  # version of the rules by which figures are made; the newest where TOML is read

    def confidence_at(self, look: int, num_models: int = 1) -> float:
        """Return the confidence of every interval at this look: the error is shared out as 1 / look² and over the models."""
        return confidence_at(look, num_models, error=round(1 - self.confidence, 12))


def load_reply_policy(path: Path | str | None = None) -> ReplyPolicy:
    """Read a policy for conversations; ``None``, or the name ``conversation`` where no file has it, is the built-in one.

    Raises:
        UsageError: No such file, an unknown key, or a value that cannot be.

    Example:
        >>> load_reply_policy().better_on_one
        {'retrieval': ('chrf', 'subject')}
    """
    file = CONVERSE if path is None or (str(path) == "conversation" and not Path(path).is_file()) else Path(path)
    try:
        value = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"cannot read the policy {file}: {error}", expected="a TOML file, or conversation", fix="check the path of --policy"
        ) from error
    return parse_reply_policy(value, str(file))


def parse_reply_policy(value: Mapping[str, Any], name: str) -> ReplyPolicy:
    """Build a policy from parsed TOML.

    Raises:
        UsageError: A key is unknown or missing, or a value cannot be.
    """
    _check_keys(value, ReplyPolicy, name)
    try:
        _check_keys(value.get("review", {}), ReviewPolicy, f"{name}, [review]")
        _check_keys(value.get("rows_needed", {}), RowsNeeded, f"{name}, [rows_needed]")
        policy = ReplyPolicy.from_json({**value, "rules": RULES})
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        fix = f"start from a copy of {CONVERSE.name}"
        raise UsageError(f"{name}: {error}", expected="the keys of the policy for conversations", fix=fix) from error
    _check_values(policy, name)
    return policy


def _check_values(policy: ReplyPolicy, name: str) -> None:
    for part in ("better_on", "better_on_one", "not_worse_on"):
        for source, metrics in getattr(policy, part).items():
            for metric in metrics:
                if metric not in FIGURES:
                    got = f"{name}: {part}.{source} names {metric!r}"
                    raise UsageError(got, expected="one of " + ", ".join(FIGURES), fix="name another figure")
    shares = {"confidence": policy.confidence, "rows_needed.probability": policy.rows_needed.probability}
    for key, share in shares.items():
        if not 0 <= share < 1:
            raise UsageError(f"{name}: {key} is {share!r}", expected="a share from 0 to below 1", fix="80 % is 0.8")
    if not policy.max_forgetting > 0:
        got = f"{name}: max_forgetting is {policy.max_forgetting!r}"
        raise UsageError(got, expected="a number above 0", fix="5 % is 0.05")
    counts = {"review.min_pairs": (policy.review.min_pairs, 1), "review.max_harmful": (policy.review.max_harmful, 0)}
    counts |= {f"rows_needed.{key}": (getattr(policy.rows_needed, key), 1) for key in ("max_rows", "max_factor")}
    for key, (count, least) in counts.items():
        if count < least:
            got = f"{name}: {key} is {count!r}"
            raise UsageError(got, expected=f"a whole number, at least {least}", fix=f"correct {key}")


def _check_keys(value: Mapping[str, Any], record: type[Record], name: str) -> None:
    known = {item.name for item in fields(record)} - {"rules"}  # type: ignore[arg-type]
    unknown = sorted(set(value) - known)
    if unknown:
        got = f"{name}: unknown key {unknown[0]!r}"
        raise UsageError(got, expected="one of " + ", ".join(sorted(known)), fix="remove or rename it")
