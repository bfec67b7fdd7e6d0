"""What a threshold is chosen for: the goal, the conditions to keep, and the cost of mistakes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pretune.errors import UsageError

# Goals with a rule of their own; any other goal of a policy is sought as ``balanced`` is, by its gates.
KEPT = ("precision", "recall")
COSTS = ("fn", "fp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """By what a threshold is chosen.

    Args:
        positive: The class whose probability is held against the threshold; ``None`` leaves the decision to the largest class.
        goal: What to maximize.
        gates: Least value of each figure that the verdict will ask for, by the lower end of its interval.
        keep: Least value of precision or recall on the rows of the choice.
        costs: ``fn`` and ``fp``: what a positive missed and a false alarm cost, in any one unit.
        at: What recall is asked under: a least ``precision``, or the largest share of ``alerts``, by the end of its interval.
        prevalence: Share of the positive class in production, by which figures are weighed.
        is_asked: Whether the user asked for any of this; else the largest class is left only for what is surely better.
    """

    positive: str | None
    goal: str = "balanced"
    gates: Mapping[str, float] = field(default_factory=dict)
    keep: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    at: Mapping[str, float] = field(default_factory=dict)
    prevalence: float | None = None
    is_asked: bool = True

    @property
    def floors(self) -> dict[str, float]:
        """Gates that hold a goal of one figure back where the user names no constraint, by the lower end."""
        if self.keep or self.goal not in KEPT:
            return {}
        return {metric: least for metric, least in self.gates.items() if metric in KEPT and metric != self.goal}


def make_aim(
    *,
    positive: str | None,
    goal: str | None,
    default_goal: str,
    gates: Mapping[str, float],
    keep: str | None,
    cost: str | None,
    at: Mapping[str, float] | None = None,
) -> Aim:
    """Build the aim from what the user wrote.

    Args:
        positive: The class that figures are about.
        goal: As asked for; costs without a goal mean ``cost``.
        default_goal: Of the policy.
        gates: Of the policy's goal.
        keep: Such as ``recall=0.95``.
        cost: Such as ``fn=10,fp=1``.
        at: What recall is asked under (``Aim.at``).

    Raises:
        UsageError: A part cannot be read, parts contradict each other, or there is no positive class to threshold.

    Example:
        >>> make_aim(positive="spam", goal=None, default_goal="balanced", gates={}, keep=None, cost="fn=10,fp=1").goal
        'cost'
    """
    chosen = goal or ("cost" if cost is not None else default_goal)
    kept, costs = parse_keep(keep), parse_costs(cost)
    if chosen == "cost" and not costs:
        raise UsageError("--goal cost without costs", expected='what mistakes cost, such as --cost "fn=10,fp=1"', fix="add it")
    if costs and chosen != "cost":
        raise UsageError(f"--cost with --goal {chosen}", expected="--goal cost, or no --goal", fix="leave one of them out")
    if chosen in kept:
        raise UsageError(
            f"--goal {chosen} with --keep {keep}: the goal cannot be its own constraint",
            expected="the other of precision and recall in --keep",
            fix=f"--goal {next(name for name in KEPT if name != chosen)} --keep {keep}",
        )
    if positive is None and (kept or costs):
        raise UsageError(
            f"{'--keep' if kept else '--cost'} without a positive class: no class is the one looked for",
            expected="a class that precision and recall are about",
            fix="name it with --positive",
        )
    if at:
        _check_at(at, positive, {"--goal": chosen if chosen not in ("balanced", "recall") else None, "--keep": keep})
    is_asked = bool(at) or any(item is not None for item in (goal, keep, cost))
    return Aim(positive=positive, goal=chosen, gates=gates, keep=kept, costs=costs, at=dict(at or {}), is_asked=is_asked)


def say_rule(aim: Aim) -> str:
    """Return the rule in one sentence.

    Example:
        >>> say_rule(Aim(positive="spam", goal="precision", keep={"recall": 0.9}))
        'the greatest precision, by the lower end of its 95 % interval, with recall at least 0.9'
    """
    limits = [f"{metric} at least {least:g}" for metric, least in aim.keep.items()]
    limits += [f"the lower end of {metric} at least {least:g}" for metric, least in aim.floors.items()]
    kept = " with " + " and ".join(limits) if limits else ""
    if aim.at:
        return _say_constraint(aim)
    if aim.goal == "cost":
        missed, alarm = aim.costs["fn"], aim.costs["fp"]
        return f"the least cost, {missed:g} a missed positive and {alarm:g} a false alarm{',' + kept if kept else ''}"
    by = "by the lower end of its 95 % interval"
    if aim.goal in (*KEPT, "f1"):
        return f"the greatest {'F1' if aim.goal == 'f1' else aim.goal}, {by}{',' + kept if kept else ''}"
    gates = ", ".join(f"{metric} {least:g}" for metric, least in gates_of(aim).items())
    return f"the greatest margin of the figure that is nearest to its gate ({gates}), {by}{',' + kept if kept else ''}"


def _say_constraint(aim: Aim) -> str:
    gates = ", ".join(f"{metric} {least:g}" for metric, least in gates_of(aim).items())
    kept = f"the lower end of precision at least {aim.at['precision']:g}" if "precision" in aim.at else ""
    if "alerts" in aim.at:
        kept = f"the upper end of alerts at most {1000 * aim.at['alerts']:g} per 1,000 rows"
        gates += f", alerts {1000 * aim.at['alerts']:g} per 1,000"
    return f"{kept}; of such thresholds, the one with the most room to its nearest gate ({gates}), in widths of 95 % intervals"


def gates_of(aim: Aim) -> dict[str, float]:
    """Return what each figure is compared with; without gates, only precision and recall count."""
    return dict(aim.gates) or {"precision": 0.0, "recall": 0.0}


def _check_at(at: Mapping[str, float], positive: str | None, others: Mapping[str, str | None]) -> None:
    what = "recall at a precision" if "precision" in at else "recall within a budget of alerts"
    given = [f"{flag} {value}" for flag, value in others.items() if value is not None]
    if given:
        raise UsageError(
            f"{what} with {given[0]}", expected="one aim: the constraint sets the threshold", fix="leave one of them out"
        )
    if positive is None:
        raise UsageError(
            f"{what} without a positive class: no class is the one looked for",
            expected="a class that recall is about",
            fix="name it with --positive",
        )


def parse_keep(text: str | None) -> dict[str, float]:
    """Read ``recall=0.95``; more than one may be given.

    Raises:
        UsageError: It is no such thing.

    Example:
        >>> parse_keep("recall=0.95")
        {'recall': 0.95}
    """
    found = _parse(text, KEPT, "--keep", "such as recall=0.95")
    for name, value in found.items():
        if not 0 < value <= 1:
            raise UsageError(f"--keep {name}={value:g}", expected="a share above 0 and up to 1", fix="95 % is 0.95")
    return found


def parse_costs(text: str | None) -> dict[str, float]:
    """Read ``fn=10,fp=1``: what a missed positive and a false alarm cost.

    Raises:
        UsageError: It is no such thing.

    Example:
        >>> parse_costs("fp=1, fn=10")
        {'fn': 10.0, 'fp': 1.0}
    """
    found = _parse(text, COSTS, "--cost", 'such as "fn=10,fp=1"')
    for name, value in found.items():
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"--cost {name}={value:g}", expected="a cost above 0", fix="only the ratio of the two matters")
    if found and len(found) < len(COSTS):
        raise UsageError(f"--cost {text}", expected='both costs, such as "fn=10,fp=1"', fix="name fn and fp")
    return {name: found[name] for name in COSTS if name in found}


def _parse(text: str | None, names: tuple[str, ...], flag: str, example: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in [] if text is None else text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        wrong = not sign or name not in names or name in found
        number = None if wrong else _number(value)
        if number is None:
            raise UsageError(
                f"{flag} {text!r}: {part.strip()!r} cannot be read",
                expected=f"{' and '.join(names)} with a number, each once, {example}",
                fix="check the spelling",
            )
        found[name] = number
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
