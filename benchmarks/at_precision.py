"""Recall at a precision and within a budget of alerts: a threshold chosen on validation rows, judged on test rows.

Scores of two classes are normal, so the truth of every threshold is known. At the edge no threshold has both what is kept and
the recall, so that any *ship* is wrong. The most that a rule could reach knows the best threshold and needs no validation rows.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from error_rates import share_of
from pretune.configs import JudgeConfig
from pretune.evaluate import evaluate_sources
from pretune.evaluate.aims import make_aim
from pretune.evaluate.asked import add_asked
from pretune.evaluate.decide import apply_threshold
from pretune.evaluate.threshold import choose_threshold
from pretune.intervals import quantile
from pretune.records import Outcome, Predictions, Terms
from pretune.verdict import Policy, decide
from pretune.verdict.policy import policy_of

SETS, ROWS, RECALL, GAINS = 150, 2_000, 0.60, (0.05, 0.10, 0.15)
PREVALENCE = 0.2
KEPT = {"precision": 0.80, "alerts": 150.0}  # the alerts per 1,000 rows
Floats = npt.NDArray[np.float64]


def truth(threshold: Floats | float, distance: float) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and share of alerts at a threshold on the scores."""
    recall, alarms = ndtr(distance - np.asarray(threshold)), ndtr(-np.asarray(threshold))
    alerts = PREVALENCE * recall + (1 - PREVALENCE) * alarms
    return PREVALENCE * recall / alerts, recall, alerts


def distance_with(kept: str, recall: float) -> float:
    """Return the distance of the classes at which the threshold that just keeps what is asked has this recall."""

    def short(distance: float) -> float:
        threshold = distance - brentq(lambda at: ndtr(at) - recall, -8, 8)
        precision, _, alerts = truth(threshold, distance)
        return float(precision - KEPT[kept] if kept == "precision" else KEPT[kept] / 1_000 - alerts)

    return float(brentq(short, 0.05, 8))


def draw(distance: float, split: str, generator: np.random.Generator) -> Predictions:
    """Return rows with probabilities that rise with their scores."""
    labels = (generator.random(ROWS) < PREVALENCE).astype(int)
    shares = expit(generator.standard_normal(ROWS) + distance * labels - distance)
    names = np.array(["neg", "pos"], object)
    return Predictions(
        source="finetuned",
        split=split,
        classes=("neg", "pos"),
        ids=tuple(f"{split} {row}" for row in range(ROWS)),
        labels=tuple(names[labels].tolist()),
        predicted=tuple(names[(shares > 0.5).astype(int)].tolist()),
        probabilities=tuple(zip((1 - shares).tolist(), shares.tolist(), strict=True)),
    )


def policy_for(kept: str) -> Policy:
    """Return the policy that asks for recall, without comparisons and checks."""
    if kept == "precision":
        config = JudgeConfig(min_recall=RECALL, at_precision=KEPT[kept])
    else:
        config = JudgeConfig(min_recall=RECALL, max_alerts=KEPT[kept])
    return replace(policy_of(config), better_than=(), better_on={}, required_checks=())


def ships(kept: str, distance: float, generator: np.random.Generator) -> bool:
    """Choose a threshold on validation rows, and judge test rows."""
    policy = policy_for(kept)
    gates = {gate.metric: gate.minimum for gate in policy.gates}
    at = {kept: KEPT[kept] if kept == "precision" else KEPT[kept] / 1_000}
    aim = make_aim(positive="pos", goal=None, default_goal=policy.goal, gates=gates, keep=None, cost=None, at=at)
    choice = choose_threshold(draw(distance, "validation", generator), aim)
    terms, test = Terms(positive="pos"), apply_threshold(draw(distance, "test", generator), choice)
    found = add_asked(evaluate_sources((test,), terms, main="finetuned"), (test,), {kept}, terms, None)
    return decide(found, (), policy, terms).outcome is Outcome.SHIP


def most(kept: str, distance: float) -> float:
    """Return the chance that both pass at the best threshold, if the noise were known."""
    precision, recall, alerts = truth(np.linspace(-2, 5, 2_001), distance)
    by_recall = _passes(recall, RECALL, PREVALENCE * ROWS)
    by_kept = (
        _passes(precision, KEPT[kept], alerts * ROWS) if kept == "precision" else _passes(-alerts, -KEPT[kept] / 1_000, ROWS)
    )
    return float((by_recall * by_kept).max())


def _passes(values: Floats, least: float, rows: Floats | float) -> Floats:
    error = np.sqrt(np.abs(values) * (1 - np.abs(values)) / rows)
    return np.asarray(ndtr((values - least) / error - quantile(0.95)))


def measure(sets: int = SETS) -> dict[str, Any]:
    """Measure both at the edge, and with a recall 5, 10 and 15 points above."""
    cells = []
    for kept, said in (("precision", "precision 0.80"), ("alerts", "150 alerts per 1,000")):
        generator, edge = np.random.default_rng(0), distance_with(kept, RECALL)
        wrong = share_of(sum(ships(kept, edge, generator) for _ in range(sets)), sets)
        for gain in GAINS:
            if kept == "alerts" and 1_000 * PREVALENCE * (RECALL + gain) >= KEPT[kept]:
                continue  # so many positives leave no room for a false alarm: no model has that recall
            good = distance_with(kept, RECALL + gain)
            cells.append(
                {
                    "gate": f"recall at least {RECALL:.2f} at {said}, 20 % positive; {100 * gain:.0f} points above",
                    "wrong": wrong,
                    "power": share_of(sum(ships(kept, good, generator) for _ in range(sets)), sets),
                    "most": [most(kept, good), None, None],
                }
            )
    return {"rows": ROWS, "sets": sets, "cells": cells}
