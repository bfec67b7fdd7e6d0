"""Rows that do not stand alone: groups, copies, slices, looks and a test that grows, where the truth is known."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.data.alike.units import with_units
from pretune.evaluate.metrics import score_predictions
from pretune.evaluate.slices import find_slices
from pretune.intervals import MIN_UNITS, proportion_bounds, proportion_interval, worth_of
from pretune.records import Copies, Example, Predictions, Terms

CLASSES = ("neg", "pos")
SHARE, FAR = 0.85, 0.95  # true shares of right answers
SETS, FULL_SETS = 2_000, 1_000
Sizes = Sequence[int]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def rates_of(sizes: Sizes, share: float, alike: float, generator: np.random.Generator, kind: str = "beta") -> Floats:
    """Return a true rate for each unit, with this mean and intraclass correlation: beta, logit-normal, or good and bad."""
    if alike == 0:
        return np.full(len(sizes), share)
    if alike == 1:
        return (generator.random(len(sizes)) < share).astype(float)
    if kind == "beta":
        total = (1 - alike) / alike
        return generator.beta(share * total, (1 - share) * total, len(sizes))
    if kind == "logit-normal":
        return generator.choice(logit_normal(share, alike), len(sizes))
    good, spread = share + 0.9 * (1 - share), alike * share * (1 - share)
    num_bad = (good - share) ** 2 / ((good - share) ** 2 + spread)  # as a share of the units
    return np.where(generator.random(len(sizes)) < num_bad, good - (good - share) / num_bad, good)


@cache
def logit_normal(share: float, alike: float) -> Floats:
    """Return rates, evenly many, whose log odds are normal."""
    from scipy.optimize import brentq
    from scipy.special import expit, ndtri

    normal = ndtri((np.arange(4_000) + 0.5) / 4_000)

    def rates(spread: float) -> Floats:
        middle = brentq(lambda at: expit(at + spread * normal).mean() - share, -400, 400)
        return np.asarray(expit(middle + spread * normal))

    return rates(brentq(lambda spread: rates(spread).var() / (share * (1 - share)) - alike, 1e-3, 20))


def miss_rates(
    sizes: Sizes, share: float, alike: float, *, kind: str = "beta", sets: int = SETS, seed: int = 0
) -> dict[str, Any]:
    """Return how often the interval of a share lies above the truth (there a wrong *ship*), below it, or is not given."""
    generator, units = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    has_enough = len(units) ** 2 / float((np.asarray(sizes) ** 2).sum()) >= MIN_UNITS
    above = below = none = 0
    for _ in range(sets):
        hits = generator.random(len(units)) < rates_of(sizes, share, alike, generator, kind)[units]
        low, high = proportion_interval(hits.sum(), len(hits))
        if has_enough and low <= share <= high:
            continue  # fewer rows of worth widen it at both ends, so it covers whatever the units say
        worth = worth_of(hits, units, 0.95)
        if not worth.is_known:
            none += 1
            continue
        low, high = proportion_interval(hits.sum() * worth.share, len(hits) * worth.share)
        above, below = above + (low > share), below + (high < share)
    given = sets - none
    ends = {"above": wilson(above, given), "below": wilson(below, given), "covered": wilson(given - above - below, given)}
    about = {"none": none / sets, "truth": share, "alike": alike, "rates": kind, "sets": sets}
    return {**ends, **about, "wrong": wilson(above, sets), "rows": len(units), "units": len(sizes)}


def wilson(hits: int, total: int) -> list[float | None]:
    """Return a share with its 95 % interval."""
    return [hits / total, *proportion_interval(hits, total)] if total else [None, None, None]


def measure_groups() -> dict[str, Any]:
    """Groups of one size, 2 to 200, and groups of very different sizes."""
    even = ((2, 150), (5, 60), (10, 30), (15, 20), (20, 30), (50, 20), (200, 5))
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
    cells += [
        {"sizes": f"{num} × {size}", **miss_rates([size] * num, SHARE, alike, kind=kind)}
        for kind, alikes in (("logit-normal", (0.1, 0.3)), ("good and bad", (0.3, 0.5)))
        for num, size in ((10, 30), (20, 30), (50, 20))
        for alike in alikes
    ]
    return {"cells": cells, "figures": [full_coverage([size] * num, alike) for num, size, alike in FULL]}


FULL = ((20, 30, 0.1), (50, 20, 0.1), (50, 20, 0.3))


Drawn = tuple[Predictions, list[Example]]


def full_coverage(sizes: Sizes, alike: float) -> dict[str, Any]:
    """Return the coverage of every figure where mistakes of a group agree; the truth is that of 200,000 rows."""
    large = simulate(np.full(4_000, 50), alike, np.random.default_rng(99))[0]
    world = f"{len(sizes)} groups, {int(np.sum(sizes)):,} rows, correlation {alike:g}"
    return {
        "world": world,
        "sets": FULL_SETS,
        "scores": coverage_of(lambda generator: simulate(sizes, alike, generator), large),
    }


def coverage_of(draw: Callable[[np.random.Generator], Drawn], large: Predictions) -> dict[str, list[float | None]]:
    """Return how often each figure of drawn rows has an interval, and how often that covers the figure of ``large``."""
    truth = {score.name: score.value for score in score_predictions(large, Terms(positive="pos"))}
    counts: dict[str, list[int]] = {}
    generator = np.random.default_rng(1)
    for _ in range(FULL_SETS):
        made, rows = draw(generator)
        for score in score_predictions(made, with_units(Terms(positive="pos"), rows, Copies(threshold=None))):
            value = truth[score.name]
            found = counts.setdefault(score.name, [0, 0, 0])
            if score.low is not None and score.high is not None and value is not None:
                found[0] += 1
                found[1] += score.low > value
                found[2] += score.high < value
    return {name: [given, *wilson(given - above - below, given)] for name, (given, above, below) in counts.items()}


def simulate(
    sizes: Sizes | npt.NDArray[np.int64], alike: float, generator: np.random.Generator, *, share: float = SHARE
) -> Drawn:
    """Return answers with probabilities on rows of groups, half of them positive; how sure an answer is goes with its truth."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = (generator.random(len(groups)) < 0.5).astype(int)
    right = generator.random(len(groups)) < rates_of(list(sizes), share, alike, generator)[groups]
    return answers(groups, labels, right, generator.beta(np.where(right, 3.0, 1.5), 1.5))


def simulate_copies(generator: np.random.Generator, *, times: int = 1) -> Drawn:
    """Return answers where texts of one class have copies, labelled and answered alike, as spam comes; ham comes once."""
    sizes = np.tile([*[1] * 600, *[1] * 60, *[3] * 15, *[20] * 2], times)
    labels = np.tile([*[0] * 600, *[1] * 77], times)
    right = generator.random(len(sizes)) < np.where(labels == 0, 0.96, SHARE)
    sure = generator.beta(np.where(right, 3.0, 1.5), 1.5)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return answers(groups, labels[groups], right[groups], sure[groups])


def answers(groups: Codes, labels: Codes, right: npt.NDArray[np.bool_], sure: Floats) -> Drawn:
    """Return rows of groups as predictions; ``sure`` from 0 to 1 is how far above one half the answer's probability is."""
    said = np.where(right, labels, 1 - labels)
    chance = np.where(said == 1, 0.5 + 0.5 * sure, 0.5 - 0.5 * sure)
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
    large = simulate_copies(np.random.default_rng(99), times=300)[0]
    world = {"world": "copies of one class, 745 rows, 677 texts", "sets": FULL_SETS}
    return {"cells": cells, "figures": [world | {"scores": coverage_of(simulate_copies, large)}]}


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
