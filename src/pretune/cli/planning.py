"""What ``pretune plan`` reads from its flags."""

from collections.abc import Mapping
from typing import Any

from pretune.errors import UsageError
from pretune.verdict.gate import Gate
from pretune.verdict.plan import Expected, Plan, plan_rows
from pretune.verdict.policy import load_policy

FIGURES = ("accuracy", "precision", "recall")


def make_plan(flags: Mapping[str, Any]) -> Plan:
    """Return the plan that the flags ask for.

    Raises:
        UsageError: A share is none, ``--gate`` does not say whose gate it is, or no figure is expected.
    """
    for name in (*FIGURES, "prevalence", "gate"):
        if flags[name] is not None and not 0 < flags[name] < 1:
            raise UsageError(f"--{name} is {flags[name]:g}", expected="a share above 0 and below 1", fix="80 % is 0.8")
    effect = flags["effect"] if flags["effect"] is not None else 1.0
    if not effect >= 1:
        raise UsageError(
            f"--effect is {effect:g}", expected="rows per independent row, at least 1", fix="1 where rows stand alone"
        )
    named = [name for name in FIGURES if flags[name] is not None]
    if not named:
        raise UsageError(
            "no figure is expected", expected="--accuracy, or --precision and --recall", fix="name what you hope for"
        )
    minimums = {name: flags[f"min_{name}"] for name in FIGURES}
    policy = load_policy(flags["policy"], **{f"min_{name}": value for name, value in minimums.items()})
    gates = tuple(gate for gate in policy.gates if gate.metric in named or minimums.get(gate.metric) is not None)
    if flags["gate"] is not None:
        if len(named) > 1:
            raise UsageError(
                f"--gate beside {' and '.join(f'--{name}' for name in named)}",
                expected="the one figure that it is the gate of",
                fix=" ".join(f"--min-{name}" for name in named) + " instead",
            )
        gates = (Gate(metric=named[0], minimum=flags["gate"]),)
    prevalence = flags["prevalence"] if flags["prevalence"] is not None else 0.5
    expected = Expected(**{name: flags[name] for name in FIGURES}, prevalence=prevalence)
    return plan_rows(expected, gates, policy, look=flags["look"] or 1, effect=effect)
