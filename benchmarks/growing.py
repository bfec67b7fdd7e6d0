"""A test that is looked at again and one that grows: looks, and the further rows that a verdict asks for."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pretune.data.alike.units import with_units
from pretune.evaluate.codes import rows_of
from pretune.evaluate.metrics import confusion_of
from pretune.evaluate.shares import accuracy_score, class_scores
from pretune.intervals import confidence_at, proportion_bounds
from pretune.records import Copies, Evaluation, Example, Outcome, Predictions, Score, Terms, Verdict
from pretune.verdict import Gate, Policy, decide, load_policy
from units import CLASSES, SHARE, simulate, wilson


def measure_looks(*, sets: int = 20_000, rows: int = 1_000) -> dict[str, Any]:
    """Models that are exactly at a gate, one after another: wrongly shipped at this look, and so far."""
    generator, any_so_far, cells = np.random.default_rng(3), np.zeros(sets, bool), []
    for look in range(1, 11):
        hits = generator.binomial(rows, SHARE, sets)
        low, _ = proportion_bounds(hits, np.full(sets, rows), confidence_at(look))
        any_so_far |= low >= SHARE
        if look in (1, 2, 5, 10):
            at_look = wilson(int((low >= SHARE).sum()), sets)
            cells.append(
                {"look": look, "rows": rows, "sets": sets, "at": at_look, "so_far": wilson(int(any_so_far.sum()), sets)}
            )
    return {"cells": cells}


def measure_pooled(*, sets: int = 200) -> dict[str, Any]:
    """A first test of 200 rows that leaves an accuracy gate open, then N more test rows, pooled as by ``judge --more``."""
    worlds = (("rows alone", 1, 0.0), ("groups of 10, correlation 0.1", 10, 0.1), ("groups of 10, correlation 0.3", 10, 0.3))
    cells = [{"world": name, **_grow(group, alike, sets)} for name, group, alike in worlds]
    return {"cells": cells}


GATE, TRUTHS = 0.85, (0.76, 0.80, 0.90, 0.94)


def _grow(size: int, alike: float, sets: int) -> dict[str, Any]:
    generator, policy = np.random.default_rng(4), _gate_only()
    opened = decided = wrong = none = 0
    numbers = []
    while opened < sets and none < 4 * sets:
        truth = float(generator.choice(TRUTHS))
        first, rows = simulate([size] * (200 // size), alike, generator, share=truth)
        verdict = _decide(first, rows, policy, look=1)
        if verdict.outcome is not Outcome.NOT_ENOUGH_EVIDENCE:
            continue
        if verdict.rows_needed is None:
            none += 1
            continue
        opened += 1
        numbers.append(verdict.rows_needed)
        more, added = simulate([size] * -(-verdict.rows_needed // size), alike, generator, share=truth)
        outcome = _decide(*_pool(first, rows, more, added), policy, look=2).outcome
        decided += outcome is not Outcome.NOT_ENOUGH_EVIDENCE
        wrong += (outcome is Outcome.SHIP and truth < GATE) or (outcome is Outcome.DO_NOT_SHIP and truth > GATE)
    shares = {"decided": wilson(decided, opened), "wrong": wilson(wrong, opened)}
    return {**shares, "opened": opened, "no_number": none, "median": float(np.median(numbers))}


def _pool(
    first: Predictions, rows: list[Example], more: Predictions, added: list[Example]
) -> tuple[Predictions, list[Example]]:
    pooled = Predictions(
        source="finetuned",
        split="test",
        classes=CLASSES,
        ids=(*first.ids, *(f"more {row}" for row in more.ids)),
        labels=first.labels + more.labels,
        predicted=first.predicted + more.predicted,
    )
    return pooled, [*rows, *(Example(id=f"more {row.id}", text="", group=f"more {row.group}") for row in added)]


def _decide(made: Predictions, rows: list[Example], policy: Policy, *, look: int) -> Verdict:
    terms = with_units(Terms(positive="pos", confidence=policy.confidence_at(look), look=look), rows, Copies(threshold=None))
    answered, make = (
        rows_of(made, terms),
        partial(Score, split="test", source="finetuned", confidence=terms.confidence, look=look),
    )
    scores = [accuracy_score(make, answered), *class_scores(make, answered, 0), *class_scores(make, answered, 1)]
    return decide(Evaluation(scores=tuple(scores), confusions=(confusion_of(made),)), (), policy, terms)


def _gate_only() -> Policy:
    policy = load_policy()
    return replace(policy, goals={policy.goal: (Gate(metric="accuracy", minimum=GATE),)}, better_than=(), required_checks=())
