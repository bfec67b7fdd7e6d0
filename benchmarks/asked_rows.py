"""Rows that a verdict asks for where a limit, a margin or a figure at class shares of production is open: do they decide it?"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from asked_gates import scores_of
from gates import predictions
from pretune.evaluate.alerts import score_alerts
from pretune.evaluate.at_prevalence import weigh_evaluation
from pretune.evaluate.compare import compare
from pretune.evaluate.cost import score_cost
from pretune.evaluate.metrics import confusion_of
from pretune.records import Evaluation, Outcome, Predictions, Terms, Verdict
from pretune.verdict import Gate, Limit, Policy, decide, load_policy
from units import wilson

SETS, FIRST, MOST_TRIED = 100, 300, 12
GAINS = (-0.09, -0.05, 0.05, 0.09)  # how much better the truth is than the bound
COSTS = {"fn": 2.0, "fp": 1.0}
OTHER = "production"
# Draws (rows, gain) and returns answers, and those of another model.
Draw = Callable[[np.random.Generator, int, float], tuple[Predictions, Predictions]]


def answers(generator: np.random.Generator, rows: int, gain: float, *, positive: float, recall: float, alarms: float) -> Any:
    """Return a model with this recall and share of false alarms, each better by ``gain``, and another without the gain."""
    labels = (generator.random(rows) < positive).astype(np.int64)
    both = generator.random(rows)  # mistakes of the two overlap
    made = []
    for better in (gain, 0.0):
        right = both < np.where(labels == 1, recall + better, 1 - alarms + better)
        made.append(predictions(labels, np.where(right, labels, 1 - labels)))
    swapped = generator.random(rows) < 0.05  # and differ in both ways
    other = np.where(swapped, 1 - (np.array(made[1].predicted) == "pos"), np.array(made[1].predicted) == "pos").astype(np.int64)
    return made[0], replace(predictions(labels, other), source=OTHER)


def policy_with(*limits: Limit, gates: tuple[Gate, ...] = (), **others: Any) -> Policy:
    """Return the default policy with these bounds alone."""
    policy = load_policy()
    return replace(policy, goals={policy.goal: gates}, limits=limits, better_than=(), required_checks=(), **others)


def judge(pair: tuple[Predictions, Predictions], policy: Policy, look: int) -> Verdict:
    """Judge the first model beside the second."""
    made, other = pair
    terms = Terms(positive="pos", confidence=policy.confidence_at(look), look=look)
    scores = (*scores_of(made, terms), score_cost(made, terms, costs=COSTS), score_alerts(made, terms))
    compared = (compare(made, other, terms),) if policy.not_worse else ()
    evaluation = Evaluation(scores=scores, comparisons=compared, confusions=(confusion_of(made),))
    return decide(weigh_evaluation(evaluation, (made,), terms, policy.prevalence, COSTS), (), policy, terms)


def pool(first: tuple[Predictions, ...], more: tuple[Predictions, ...]) -> tuple[Predictions, ...]:
    """Return the rows of both as one test."""
    return tuple(
        replace(
            one,
            ids=tuple(map(str, range(len(one.ids) + len(two.ids)))),
            labels=one.labels + two.labels,
            predicted=one.predicted + two.predicted,
        )
        for one, two in zip(first, more, strict=True)
    )


def follow(draw: Draw, policy: Policy, sets: int) -> dict[str, Any]:
    """Open first tests until enough of them ask for a number; add so many rows, and judge the pooled ones."""
    generator, opened, decided, wrong, none, numbers = np.random.default_rng(6), 0, 0, 0, 0, []
    while opened < sets and none < MOST_TRIED * sets:
        gain = float(generator.choice(GAINS))
        first = draw(generator, FIRST, gain)
        verdict = judge(first, policy, 1)
        if verdict.outcome is not Outcome.NOT_ENOUGH_EVIDENCE:
            continue
        if verdict.rows_needed is None:
            none += 1
            continue
        opened, numbers = opened + 1, [*numbers, verdict.rows_needed]
        one, other = pool(first, draw(generator, verdict.rows_needed, gain))
        outcome = judge((one, other), policy, 2).outcome
        decided += outcome is not Outcome.NOT_ENOUGH_EVIDENCE
        wrong += (outcome is Outcome.SHIP and gain < 0) or (outcome is Outcome.DO_NOT_SHIP and gain > 0)
    median = float(np.median(numbers)) if numbers else 0.0
    return {
        "decided": wilson(decided, opened),
        "wrong": wilson(wrong, opened),
        "opened": opened,
        "no_number": none,
        "median": median,
    }


def worlds() -> dict[str, tuple[Draw, Policy]]:
    """Return every bound with the models that are held against it; without a gain a model is exactly at it."""
    even = partial(answers, positive=0.5, recall=0.80, alarms=0.20)
    rare = partial(answers, positive=0.2, recall=0.80, alarms=0.10)
    at_five = 0.05 * 0.80 + 0.95 * 0.90  # accuracy at 5 % positive of the model without a gain
    return {
        "mean cost, fn=2, fp=1": (even, policy_with(Limit(metric="cost", maximum=0.5 * 0.2 * 2 + 0.5 * 0.2))),
        "alerts, of a model that only raises false ones": (
            partial(alarms_only, recall=0.8, alarms=0.20),
            policy_with(Limit(metric="alerts", maximum=0.5 * 0.8 + 0.5 * 0.2)),
        ),
        "not worse than another model by more than 0.001": (even, policy_with(not_worse={OTHER: 0.001})),
        "accuracy at 5 % positive, 20 % in the test": (
            rare,
            policy_with(gates=(Gate(metric="accuracy", minimum=at_five),), prevalence={"": 0.05}),
        ),
    }


def alarms_only(generator: np.random.Generator, rows: int, gain: float, *, recall: float, alarms: float) -> Any:
    """Return a model whose share of alerts lies ``gain`` under the limit, by its false alarms."""
    labels = (generator.random(rows) < 0.5).astype(np.int64)
    called = generator.random(rows) < np.where(labels == 1, recall, alarms - 2 * gain)
    made = predictions(labels, called.astype(np.int64))
    return made, replace(made, source=OTHER)


def measure(sets: int = SETS) -> dict[str, Any]:
    """Measure every bound."""
    found = worlds().items()
    return {
        "first": FIRST,
        "sets": sets,
        "cells": [{"world": name, **follow(draw, policy, sets)} for name, (draw, policy) in found],
    }
