"""Rows that do not stand alone: groups, copies, slices, looks and a test that grows, where the truth is known."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.data.alike.units import with_units
from pretune.evaluate.codes import rows_of
from pretune.evaluate.metrics import confusion_of, score_predictions
from pretune.evaluate.shares import accuracy_score, class_scores
from pretune.evaluate.slices import find_slices
from pretune.intervals import confidence_at, proportion_bounds, proportion_interval, worth_of
from pretune.records import Copies, Evaluation, Example, Outcome, Predictions, Score, Terms, Verdict
from pretune.verdict import Gate, Policy, decide, load_policy

CLASSES = ("neg", "pos")
SHARE, FAR = 0.85, 0.95  # true shares of right answers
SETS, FULL_SETS = 2_000, 150
Sizes = Sequence[int]


def rates_of(sizes: Sizes, share: float, alike: float, generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a true rate for each unit: beta, with this mean and intraclass correlation."""
    if alike == 0:
        return np.full(len(sizes), share)
    if alike == 1:
        return (generator.random(len(sizes)) < share).astype(float)
    total = (1 - alike) / alike
    return generator.beta(share * total, (1 - share) * total, len(sizes))


def miss_rates(sizes: Sizes, share: float, alike: float, *, sets: int = SETS, seed: int = 0) -> dict[str, Any]:
    """Return how often the interval of a share lies above the truth (there a wrong *ship*), below it, or is not given."""
    generator, units = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    above = below = none = 0
    for _ in range(sets):
        hits = generator.random(len(units)) < rates_of(sizes, share, alike, generator)[units]
        worth = worth_of(hits, units, 0.95)
        if not worth.is_known:
            none += 1
            continue
        low, high = proportion_interval(hits.sum() * worth.share, len(hits) * worth.share)
        above, below = above + (low > share), below + (high < share)
    given = sets - none
    ends = {"above": wilson(above, given), "below": wilson(below, given), "covered": wilson(given - above - below, given)}
    return {**ends, "none": none / sets, "truth": share, "alike": alike, "sets": sets, "rows": len(units), "units": len(sizes)}


def wilson(hits: int, total: int) -> list[float | None]:
    """Return a share with its 95 % interval."""
    return [hits / total, *proportion_interval(hits, total)] if total else [None, None, None]


def measure_groups() -> dict[str, Any]:
    """Groups of one size, 2 to 200, and groups of very different sizes."""
    even = [(num, size) for num, size in ((2, 150), (5, 60), (10, 30), (15, 20), (20, 30), (50, 20), (200, 5))]
    cells = [
        {"sizes": f"{num} × {size}", **miss_rates([size] * num, share, alike)}
        for share in (SHARE, FAR)
        for num, size in even
        for alike in ((0.0, 0.05, 0.1, 0.3) if share == SHARE else (0.1, 0.3))
    ]
    for num in (20, 50):
        drawn = np.random.default_rng(5).lognormal(0, 1, num)
        sizes = np.maximum(1, (drawn / drawn.mean() * 20).round()).astype(int).tolist()
        name = f"{num} uneven, up to {max(sizes)}"
        cells += [{"sizes": name, **miss_rates(sizes, SHARE, alike)} for alike in (0.0, 0.1, 0.3)]
    return {"cells": cells, "figures": [full_coverage([size] * num, alike) for num, size, alike in FULL]}


FULL = ((20, 30, 0.1), (50, 20, 0.1), (50, 20, 0.3))


def full_coverage(sizes: Sizes, alike: float) -> dict[str, Any]:
    """Return the coverage of every figure where mistakes of a group agree; the truth is that of a million rows."""
    large = simulate(np.full(4_000, 50), alike, np.random.default_rng(99))[0]
    truth = {score.name: score.value for score in score_predictions(large, Terms(positive="pos"))}
    counts: dict[str, list[int]] = {}
    generator = np.random.default_rng(1)
    for _ in range(FULL_SETS):
        made, rows = simulate(sizes, alike, generator)
        for score in score_predictions(made, with_units(Terms(positive="pos"), rows, Copies(threshold=None))):
            value = truth[score.name]
            found = counts.setdefault(score.name, [0, 0, 0])
            if score.low is not None and score.high is not None and value is not None:
                found[0] += 1
                found[1] += score.low > value
                found[2] += score.high < value
    return {
        "units": len(sizes),
        "rows": int(np.sum(sizes)),
        "alike": alike,
        "sets": FULL_SETS,
        "scores": {name: [given, *wilson(given - above - below, given)] for name, (given, above, below) in counts.items()},
    }


def simulate(
    sizes: Sizes | npt.NDArray[np.int64], alike: float, generator: np.random.Generator, *, share: float = SHARE
) -> tuple[Predictions, list[Example]]:
    """Return answers with probabilities on rows of groups, half of them positive; how sure an answer is goes with its truth."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = (generator.random(len(groups)) < 0.5).astype(int)
    right = generator.random(len(groups)) < rates_of(list(sizes), share, alike, generator)[groups]
    said = np.where(right, labels, 1 - labels)
    sure = 0.5 + 0.5 * generator.beta(np.where(right, 3.0, 1.5), 1.5)
    chance = np.where(said == 1, sure, 1 - sure)
    ids = tuple(map(str, range(len(groups))))
    made = Predictions(
        source="finetuned",
        split="test",
        classes=CLASSES,
        ids=ids,
        labels=tuple(CLASSES[label] for label in labels),
        predicted=tuple(CLASSES[label] for label in said),
        probabilities=tuple((1 - p, p) for p in chance.tolist()),
    )
    return made, [Example(id=row, text="", group=str(group)) for row, group in zip(ids, groups, strict=True)]


def measure_copies() -> dict[str, Any]:
    """Copies of texts, whose answers agree: of every text, of a few, and of one class alone, as spam comes."""
    worlds: list[tuple[str, list[int]]] = [
        ("each text once", [1] * 400),
        ("each text twice", [2] * 200),
        ("each text 20 times", [20] * 60),
        ("one text in ten twice", [1] * 360 + [2] * 40),
        ("ten texts 20 times, 200 once", [20] * 10 + [1] * 200),
        ("a rare class: ten texts 20 times, 50 once", [20] * 10 + [1] * 50),
        ("like sms-spam: 650 once, 30 three times, one 30 times", [1] * 650 + [3] * 30 + [30]),
    ]
    cells = [
        {"copies": name, **miss_rates(sizes, share, 1.0), "as_rows": ignoring(sizes, share)}
        for share in (SHARE, FAR)
        for name, sizes in worlds
    ]
    return {"cells": cells}


def ignoring(sizes: Sizes, share: float, *, sets: int = SETS) -> float:
    """Return how often the interval would miss if every copy counted as a row."""
    generator, counts = np.random.default_rng(0), np.asarray(sizes)
    hits = (generator.random((sets, len(sizes))) < share) @ counts
    low, high = proportion_bounds(hits, np.full(sets, counts.sum()), 0.95)
    return float(((low > share) | (high < share)).mean())


def measure_slices(*, sets: int = 150) -> dict[str, Any]:
    """How often any slice is called worse although none is, where a column is constant within groups."""
    cells = []
    for num, size, alike, kinds in ((40, 25, 0.05, 4), (40, 25, 0.2, 4), (40, 25, 0.2, 2), (100, 10, 0.3, 4)):
        generator, counted = np.random.default_rng(2), {"units": 0, "rows": 0}
        for _ in range(sets):
            made, rows = simulate([size] * num, alike, generator)
            kind = generator.integers(kinds, size=num)
            known = [
                Example(id=row.id, text="", group=row.group, extra={"kind": str(kind[int(row.group or 0)])}) for row in rows
            ]
            by_units = find_slices(made, known, with_units(Terms(), known, Copies(threshold=None)))
            counted["units"] += any(item.is_worse for item in by_units)
            counted["rows"] += any(item.is_worse for item in find_slices(made, known))
        found = {name: wilson(count, sets) for name, count in counted.items()}
        cells.append({"groups": num, "size": size, "alike": alike, "kinds": kinds, "sets": sets, **found})
    return {"cells": cells}


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
