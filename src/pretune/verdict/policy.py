"""What must hold before a model ships: data, not code."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pretune.configs import JudgeConfig
from pretune.configs.shares import parse_shares
from pretune.errors import UsageError
from pretune.intervals import confidence_at
from pretune.records import PERSON, RULES, Record
from pretune.verdict.constraint import check_constraint, constrained
from pretune.verdict.gate import METRICS, Gate
from pretune.verdict.limits import Limit, check_limit, limits_asked

DEFAULT = Path(__file__).with_name("default.toml")
READY = ("fraud", "intents", "moderation", "medical-screening")  # when to take which: docs/policies.md
BUILT_IN = {"classification": DEFAULT} | {name: DEFAULT.with_name(f"{name}.toml") for name in ("domain", "audit", *READY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsNeeded(Record):
    """How ``rows_needed`` is sought."""

    probability: float = 0.9  # of a decision, given that many more rows
    max_rows: int = 20_000
    max_factor: int = 10  # of the rows there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain(Record):
    """What point values are called good or bad."""

    good_accuracy: float = 0.85
    good_precision: float = 0.80
    good_recall: float = 0.80
    bad_precision: float = 0.50
    bad_recall: float = 0.50
    near_chance: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Record):
    """All that a verdict is decided by; ``default.toml`` explains each field."""

    name: str
    goals: dict[str, tuple[Gate, ...]]
    goal: str = "balanced"
    confidence: float = 0.95
    max_balanced_share: float = 0.60
    min_positives: int = 5
    better_than: tuple[str, ...] = ()  # sources, on the goal's figure
    better_on: dict[str, tuple[str, ...]] = field(default_factory=dict)  # source -> METRICS, each on a paired test
    simple_baseline: str | None = None
    min_gain: float = 0.01
    required_checks: tuple[str, ...] = ()
    max_measured: dict[str, float] = field(default_factory=dict)  # check -> above this it fails, whatever its severity
    rows_needed: RowsNeeded = RowsNeeded()
    plain: Plain = Plain()
    limits: tuple[Limit, ...] = ()  # on figures besides the gates of the goal
    prevalence: dict[str, float] = field(default_factory=dict)  # class -> share in production, by which figures are weighed
    not_worse: dict[str, float] = field(default_factory=dict)  # source -> margin: not worse than it by more than this
    votes: tuple[str, ...] = ()  # columns with what several annotators said; ``not_worse.person`` holds the model beside them
    rules: int = 1  # version of the rules by which figures are made (``records.RULES``); the newest where TOML is read

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates of the chosen goal."""
        return self.goals[self.goal]

    def confidence_at(self, look: int, num_models: int = 1) -> float:
        """Return the confidence of every interval at this look: the error is shared out as 1 / look².

        Example:
            >>> round(load_policy().confidence_at(2), 4)
            0.9875
        """
        return confidence_at(look, num_models, error=round(1 - self.confidence, 12))


def load_policy(
    path: Path | str | None = None,
    *,
    goal: str | None = None,
    min_precision: float | None = None,
    min_recall: float | None = None,
    min_accuracy: float | None = None,
    further: Sequence[Limit] = (),
) -> Policy:
    """Read a policy, choose its goal, and put the user's own gates in place of its.

    Args:
        path: A TOML file, or the name of one of ``BUILT_IN``; ``None`` for the default policy.
        goal: Which of the policy's goals, each with its own gates; ``None`` keeps the policy's (``balanced``).
        min_precision: Replaces that gate, or adds it; likewise the next two.
        min_recall: See above.
        min_accuracy: See above; it then holds on unbalanced data, too, because the user asked for it.
        further: Limits of the user's own; each replaces the policy's on the same figure.

    Raises:
        UsageError: No such file or goal, an unknown key, or a gate that is no share.
    """
    file = _find(path)
    policy = parse_policy(_read(file), str(file))
    if goal is not None:
        policy = _with_goal(policy, goal)
    for metric, minimum in (("precision", min_precision), ("recall", min_recall), ("accuracy", min_accuracy)):
        if minimum is not None:
            policy = _with_gate(policy, Gate(metric=metric, minimum=minimum))
    for limit in further:
        check_limit(limit, "a flag")
        others = (item for item in policy.limits if (item.metric, item.label) != (limit.metric, limit.label))
        policy = replace(policy, limits=(*others, limit))
    return with_constraint(policy)


def with_constraint(policy: Policy, *, at_precision: float | None = None, max_alerts: float | None = None) -> Policy:
    """Return the policy with what its gate on recall is asked under (``verdict.constraint``).

    Args:
        policy: Its goal chosen.
        at_precision: Recall is asked at this precision.
        max_alerts: Recall is asked with at most so many alerts per 1,000 rows.

    Raises:
        UsageError: What ``constrained`` raises.
    """
    gates, limits = constrained(policy.gates, policy.limits, at_precision=at_precision, max_alerts=max_alerts)
    return replace(policy, goals={**policy.goals, policy.goal: gates}, limits=limits)


def policy_of(judge: JudgeConfig, name: str | None = None) -> Policy:
    """Return the policy that a config asks for: the file or name, its goal, and the gates and limits of the user's own.

    Args:
        judge: What the user asked.
        name: Of the policy where the config names none.

    Raises:
        UsageError: It cannot be read, or what is asked cannot be meant.
    """
    policy = load_policy(
        judge.policy or name,
        goal=judge.goal or ("cost" if judge.cost is not None else None),
        min_precision=judge.min_precision,
        min_recall=judge.min_recall,
        min_accuracy=judge.min_accuracy,
        further=limits_asked(judge),
    )
    if judge.at_precision is not None and judge.min_precision is not None:
        raise UsageError("--at-precision with --min-precision", expected="one of them: both bound the precision")
    policy = with_constraint(policy, at_precision=judge.at_precision, max_alerts=judge.max_alerts)
    return _with_votes(replace(policy, prevalence=parse_shares(judge.prevalence)) if judge.prevalence else policy, judge)


def _with_votes(policy: Policy, judge: JudgeConfig) -> Policy:
    policy = replace(policy, votes=judge.votes) if judge.votes else policy
    if judge.human_margin is not None:
        policy = replace(policy, not_worse={**policy.not_worse, PERSON: judge.human_margin})
    if PERSON in policy.not_worse and not policy.votes:
        raise UsageError(
            "a margin to people without their votes",
            expected="columns with the votes of annotators",
            fix="name them with --votes",
        )
    if policy.votes and policy.prevalence:
        raise UsageError(
            "--votes with --prevalence: people are compared on the rows as they are",
            expected="one of them",
            fix="judge once with each",
        )
    return policy


def parse_policy(value: Mapping[str, Any], name: str) -> Policy:
    """Build a policy from parsed TOML.

    Raises:
        UsageError: A key is unknown or missing, or a value cannot be.
    """
    _check_keys(value, Policy, name)
    try:
        _check_keys(value.get("rows_needed", {}), RowsNeeded, f"{name}, [rows_needed]")
        _check_keys(value.get("plain", {}), Plain, f"{name}, [plain]")
        for limit in value.get("limits", ()):
            _check_keys(limit, Limit, f"{name}, [[limits]]")
        for goal, gates in value.get("goals", {}).items():
            for gate in gates:
                _check_keys(gate, Gate, f"{name}, goal {goal}")
        policy = Policy.from_json({**value, "rules": RULES})
        _check_values(policy, name)
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{name}: {error}", expected="the keys of the default policy", fix=f"start from a copy of {DEFAULT.name}"
        ) from error
    return _with_goal(policy, policy.goal)


def _find(path: Path | str | None) -> Path:
    if path is None:
        return DEFAULT
    is_file = Path(path).is_file()  # a file of the user's goes before a name of ours
    return Path(path) if is_file else BUILT_IN.get(str(path), Path(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"cannot read the policy {path}: {error}",
            expected="a TOML file, or " + " or ".join(BUILT_IN),
            fix="check the path of --policy",
        ) from error


def _with_goal(policy: Policy, goal: str) -> Policy:
    if goal not in policy.goals:
        known = ", ".join(policy.goals)
        raise UsageError(
            f"the policy {policy.name!r} has no goal {goal!r}", expected=f"one of {known}", fix="choose another --goal"
        )
    return replace(policy, goal=goal)


def _with_gate(policy: Policy, gate: Gate) -> Policy:
    _check_gate(gate, f"--min-{gate.metric}")
    if any(item.metric == gate.metric for item in policy.gates):
        gates = tuple(gate if item.metric == gate.metric else item for item in policy.gates)
    else:
        gates = (*policy.gates, gate)
    return replace(policy, goals={**policy.goals, policy.goal: gates})


def _check_gate(gate: Gate, name: str) -> None:
    _check_metric(gate.metric, f"{name}: a gate")
    if not 0 < gate.minimum < 1:
        raise UsageError(
            f"{name}: {gate.metric} of at least {gate.minimum}", expected="a share above 0 and below 1", fix="80 % is 0.8"
        )
    check_constraint(gate, name)


def _check_values(policy: Policy, name: str) -> None:
    needed, plain = policy.rows_needed, policy.plain
    shares = {"confidence": policy.confidence, "max_balanced_share": policy.max_balanced_share}
    shares |= {"rows_needed.probability": needed.probability, "min_gain": policy.min_gain}
    shares |= {f"plain.{item.name}": getattr(plain, item.name) for item in fields(plain)}
    counts = {"min_positives": policy.min_positives, "rows_needed.max_rows": needed.max_rows}
    counts |= {"rows_needed.max_factor": needed.max_factor}
    for key, share in shares.items():
        if not isinstance(share, float) or not 0 <= share < 1:
            raise UsageError(f"{name}: {key} is {share!r}", expected="a share from 0 to below 1", fix="80 % is 0.8")
    for key, count in counts.items():
        if type(count) is not int or count < 1:
            raise UsageError(f"{name}: {key} is {count!r}", expected="a whole number, at least 1", fix=f"correct {key}")
    for source, metrics in policy.better_on.items():
        for metric in metrics:
            _check_metric(metric, f"{name}: {source} to be beaten")
    for gates in policy.goals.values():
        for gate in gates:
            _check_gate(gate, name)
    for limit in policy.limits:
        check_limit(limit, name)
    for label, share in policy.prevalence.items():
        if not isinstance(share, float) or not 0 < share < 1:
            raise UsageError(
                f"{name}: prevalence of {label!r} is {share!r}", expected="a share above 0 and below 1", fix="0.5 % is 0.005"
            )
    for source, margin in policy.not_worse.items():
        if not isinstance(margin, float) or not 0 < margin < 1:
            raise UsageError(
                f"{name}: not_worse.{source} is {margin!r}", expected="a margin above 0 and below 1", fix="1 point is 0.01"
            )


def _check_metric(metric: str, what: str) -> None:
    if metric not in METRICS:
        raise UsageError(f"{what} on {metric!r}", expected="one of " + ", ".join(METRICS), fix="name another figure")


def _check_keys(value: Mapping[str, Any], record: type[Record], name: str) -> None:
    known = {item.name for item in fields(record)} - {"rules"}  # type: ignore[arg-type]
    unknown = sorted(set(value) - known)
    if unknown:
        raise UsageError(
            f"{name}: unknown key {unknown[0]!r}", expected="one of " + ", ".join(sorted(known)), fix="remove or rename it"
        )
