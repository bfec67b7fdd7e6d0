"""How often is the verdict wrong, and does "N more rows would decide" keep its promise? On simulated predictions."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from pretune.intervals import proportion_interval
from pretune.verdict import Policy, load_policy
from pretune.verdict.rows_needed import Question, find_rows_needed
from worlds import (
    OPEN,
    REFUSE,
    SHIP,
    World,
    check_agreement,
    comparisons_of,
    confusion_of,
    judge_sets,
    with_precision,
)

POLICY = load_policy()
# Precision and recall alone: on balanced rows a precision and recall of 0.83 are an accuracy of 0.83, under its own gate.
TWO_GATES = replace(
    POLICY,
    name="precision and recall only",
    goals={"balanced": tuple(gate for gate in POLICY.gates if gate.metric != "accuracy")},
)
GATES_ONLY = replace(POLICY, name="gates only", better_than=())


def share_of(hits: int, total: int) -> list[float | None]:
    """Return a share with its 95 % interval; of nothing, nothing."""
    if total == 0:
        return [None, None, None]
    return [hits / total, *proportion_interval(hits, total)]


def rate(
    outcome: int, world: World, num_rows: int, policy: Policy, *, num_sets: int, positive: str | None = "pos", seed: int = 0
) -> dict[str, Any]:
    """Measure how often an outcome is given in a world."""
    counts = world.draw(num_rows, num_sets, np.random.default_rng([seed, num_rows]))
    codes = judge_sets(counts, policy, positive=positive)
    return {
        "precision": world.precision,
        "recall": world.recall,
        "accuracy": world.accuracy,
        "prevalence": world.prevalence,
        "positive": positive,
        "num_rows": num_rows,
        "policy": policy.name,
        "sets": num_sets,
        "rate": share_of(int((codes == outcome).sum()), num_sets),
        "others": {name: float((codes == code).mean()) for name, code in OUTCOMES.items() if code != outcome},
        "agrees_with_decide": check_agreement(counts, codes, policy, num=10 if num_sets >= 1_000 else 2, positive=positive),
    }


OUTCOMES = {"ship": SHIP, "not enough evidence": OPEN, "do not ship": REFUSE}


def measure_wrong_ship(num_sets: int = 2_000) -> dict[str, Any]:
    """*Ship* although the truth lies 0.001 below one gate, or below all of them."""
    below = {
        "recall 0.799": (World(prevalence=0.5, recall=0.799, specificity=0.97), POLICY, "pos"),
        "precision 0.799": (with_precision(0.799, 0.95, 0.42), POLICY, "pos"),
        "accuracy 0.849": (World(prevalence=0.5, recall=0.849, specificity=0.849), POLICY, "pos"),
        "accuracy 0.849, macro": (World(prevalence=0.5, recall=0.90, specificity=0.798), POLICY, None),
        "all gates": (World(prevalence=0.5, recall=0.799, specificity=0.80), POLICY, "pos"),
        "10 % positive, recall 0.799": (with_precision(0.95, 0.799, 0.1), GATES_ONLY, "pos"),
        "10 % positive, precision 0.799": (with_precision(0.799, 0.95, 0.1), GATES_ONLY, "pos"),
        "30 % positive, macro recall 0.799": (World(prevalence=0.3, recall=0.65, specificity=0.948), GATES_ONLY, None),
    }
    return {
        "cells": [
            {"truth": name, **rate(SHIP, world, rows, policy, num_sets=num_sets, positive=positive)}
            for name, (world, policy, positive) in below.items()
            for rows in (200, 1_000, 5_000)
        ]
    }


def measure_right_ship(num_sets: int = 2_000) -> dict[str, Any]:
    """*Ship* where it is deserved, balanced."""
    asked = [
        ("precision and recall 3 points above", World(prevalence=0.5, recall=0.83, specificity=0.83), 5_000, TWO_GATES),
        ("precision and recall 5 points above", World(prevalence=0.5, recall=0.85, specificity=0.85), 2_000, TWO_GATES),
        ("every gate cleared by 3 points or more", World(prevalence=0.5, recall=0.88, specificity=0.88), 5_000, POLICY),
        ("every gate cleared by 5 points or more", World(prevalence=0.5, recall=0.90, specificity=0.90), 2_000, POLICY),
        ("precision and recall 3 points above", World(prevalence=0.5, recall=0.83, specificity=0.83), 5_000, POLICY),
        ("precision and recall 5 points above", World(prevalence=0.5, recall=0.85, specificity=0.85), 2_000, POLICY),
    ]
    return {"cells": [{"truth": name, **rate(SHIP, *rest, num_sets=num_sets)} for name, *rest in asked]}


def measure_wrong_refusal(num_sets: int = 2_000) -> dict[str, Any]:
    """*Do not ship* although the truth lies 3 points above every gate."""
    world = World(prevalence=0.5, recall=0.88, specificity=0.88)
    rare = with_precision(0.83, 0.83, 0.1)
    cells = [("all gates", world, rows, POLICY) for rows in (1_000, 2_000, 5_000)]
    cells += [("10 % positive", rare, rows, GATES_ONLY) for rows in (1_000, 2_000, 5_000)]
    return {"cells": [{"truth": name, **rate(REFUSE, *rest, num_sets=num_sets)} for name, *rest in cells]}


def measure_right_refusal(num_sets: int = 2_000) -> dict[str, Any]:
    """*Do not ship* where the truth is 5 points below."""
    asked = [
        ("every gate missed by 5 points or more", World(prevalence=0.5, recall=0.75, specificity=0.75), POLICY),
        ("accuracy alone 5 points below", World(prevalence=0.5, recall=0.80, specificity=0.80), POLICY),
        ("recall alone 5 points below", World(prevalence=0.5, recall=0.75, specificity=0.97), POLICY),
        ("precision alone 5 points below", with_precision(0.75, 0.98, 0.42), POLICY),
        ("10 % positive, recall alone", with_precision(0.95, 0.75, 0.1), GATES_ONLY),
    ]
    return {
        "cells": [
            {"truth": name, **rate(REFUSE, world, rows, policy, num_sets=num_sets)}
            for name, world, policy in asked
            for rows in (1_000, 2_000)
        ]
    }


def measure_rows_needed(num_first: int = 2_000, *, seed: int = 0) -> dict[str, Any]:
    """Draw truths, ask for N, give N more rows from the same truth, judge all rows at the second look."""
    generator = np.random.default_rng(seed)
    plans = [
        ("balanced, recall and specificity from 0.70 to 1", POLICY, lambda: _balanced(generator, 0.15)),
        ("balanced, recall and specificity from 0.75 to 0.95", POLICY, lambda: _balanced(generator, 0.10)),
        ("20 % positive, precision and recall from 0.60 to 1", GATES_ONLY, lambda: _rare(generator, 0.20)),
        ("20 % positive, precision and recall from 0.70 to 0.90", GATES_ONLY, lambda: _rare(generator, 0.10)),
    ]
    return {"cells": [_follow(name, policy, make, num_first // len(plans), generator) for name, policy, make in plans]}


def _balanced(generator: np.random.Generator, reach: float) -> World:
    """Return a truth around the gate of accuracy."""
    recall, specificity = np.minimum(generator.uniform(0.85 - reach, 0.85 + reach, 2), 0.999)
    return World(prevalence=0.5, recall=float(recall), specificity=float(specificity))


def _rare(generator: np.random.Generator, reach: float) -> World:
    """Return a truth around the gates of precision and recall."""
    precision, recall = np.minimum(generator.uniform(0.80 - reach, 0.80 + reach, 2), 0.999)
    return with_precision(float(precision), float(recall), 0.2)


def _follow(name: str, policy: Policy, make: Any, num_first: int, generator: np.random.Generator) -> dict[str, Any]:
    found: list[tuple[int, int | None, int, bool]] = []  # first rows, N, code after, whether it should ship
    num_decided_at_once = 0
    for _ in range(num_first):
        world, rows = make(), int(generator.choice([100, 200, 500, 1_000]))
        counts = world.draw(rows, 1, generator)
        if judge_sets(counts, policy)[0] != OPEN:
            num_decided_at_once += 1
            continue
        needed = ask(counts[0], policy)
        code = OPEN
        if needed is not None:
            code = int(judge_sets(counts + world.draw(needed, 1, generator), policy, look=2)[0])
        found.append((rows, needed, code, deserves(world, policy)))
    finite = [item for item in found if item[1] is not None]
    decided = [item for item in finite if item[2] != OPEN]
    wrong = [item for item in decided if (item[2] == SHIP) != item[3]]
    return {
        "truth": name,
        "policy": policy.name,
        "first sets": num_first,
        "decided at once": num_decided_at_once,
        "open": len(found),
        "without a number": share_of(len(found) - len(finite), len(found)),
        "decided given N more": share_of(len(decided), len(finite)),
        "decided wrongly": share_of(len(wrong), len(finite)),
        "median N": float(np.median([item[1] for item in finite])) if finite else None,
        "by first rows": {
            str(rows): [*share_of(*_count(item for item in finite if item[0] == rows))] for rows in (100, 200, 500, 1_000)
        },
    }


def _count(items: Iterable[tuple[int, int | None, int, bool]]) -> tuple[int, int]:
    codes = [item[2] for item in items]
    return sum(code != OPEN for code in codes), len(codes)


def ask(counts: Any, policy: Policy) -> int | None:
    """Return the rows needed that pretune names for one simulated test set at its first look."""
    confusion, confidence = confusion_of(counts), policy.confidence_at(1)
    sizes = [sum(row) for row in confusion.counts]
    balanced = max(sizes) <= policy.max_balanced_share * sum(sizes)
    gates = tuple(gate for gate in policy.gates if balanced or not gate.only_balanced)
    comparisons = tuple(comparisons_of(counts, policy, confidence))
    return find_rows_needed(Question(confusion, gates, comparisons, "pos", policy.confidence_at(2)), policy).rows


def deserves(world: World, policy: Policy) -> bool:
    """Whether the truth passes every gate (and, as in all these worlds, gains over the baselines)."""
    truth = {"accuracy": world.accuracy, "precision": world.precision, "recall": world.recall}
    balanced = max(world.prevalence, 1 - world.prevalence) <= policy.max_balanced_share
    return all(truth[gate.metric] >= gate.minimum for gate in policy.gates if balanced or not gate.only_balanced)
