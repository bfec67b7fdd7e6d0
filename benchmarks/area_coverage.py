"""How often intervals of ROC and PR area, correlation, Brier score and calibration error hold the truth: docs/decisions/0008.

``python benchmarks/area_coverage.py --draws 1000`` simulates binormal scores with a known truth. Beside ours stand the plain
interval (value ± z standard errors, from the same pulls) and how often none is given.
"""

import argparse
import math
from functools import partial

import numpy as np

from pretune.evaluate.areas import area_of, area_scores, pr_area, roc_area, spread_of
from pretune.evaluate.calibration import MAX_BINS, MIN_IN_BIN, brier_score, calibration_score
from pretune.evaluate.codes import Rows
from pretune.intervals import quantile
from pretune.records import Score

CASES = [(50, 0.5), (200, 0.1), (500, 0.05), (2_000, 0.01), (5_000, 0.01), (500, 0.3)]
DISTANCES = [0.36, 1.47, 2.66, 3.29]  # of the two normals: ROC areas 0.60, 0.85, 0.97, 0.99
CLASSES = ("neg", "pos")
MAKE = partial(Score, split="test", source="m", confidence=0.95, look=1)


def simulate(size: int, share: float, distance: float, generator: np.random.Generator, *, temperature: float = 1.5) -> Rows:
    """Scores whose log odds are known, told with too much confidence where the temperature is above 1."""
    labels = (generator.random(size) < share).astype(np.int64)
    logits = distance * (generator.normal(size=size) + distance * labels) - distance**2 / 2 + math.log(share / (1 - share))
    shares = 1 / (1 + np.exp(-temperature * logits))
    return Rows(CLASSES, labels, (shares > 0.5).astype(np.int64), np.stack([1 - shares, shares], axis=1), None)


def scores(rows: Rows) -> list[Score]:
    """The figures whose intervals are asked about."""
    return [*area_scores(MAKE, rows, "pos"), brier_score(MAKE, rows), calibration_score(MAKE, rows)]


def plain(rows: Rows, truths: dict[str, float]) -> dict[str, bool]:
    """Whether value ± z standard errors would have held the truth."""
    held = {}
    for name, measure in (("roc_area", roc_area), ("pr_area", pr_area)):
        area = area_of(rows, measure, 1)
        if area is not None:
            held[name] = abs(area.value - truths[name]) <= quantile(0.95) * spread_of(area.pulls, rows)
    return held


def main() -> None:
    """Print one line a case: coverage of ours, of the plain interval, and the share of draws without one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--rows", type=int, nargs="*", help="only the cases of these sizes")
    arguments = parser.parse_args()
    print(f"{'rows':>6} {'share':>5} {'ROC area':>8}  {'figure':18} {'truth':>6} {'covered':>8} {'plain':>6} {'none':>6}")
    for size, share in CASES:
        for distance in DISTANCES if not arguments.rows or size in arguments.rows else ():
            report(size, share, distance, arguments.draws)


def report(size: int, share: float, distance: float, draws: int) -> None:
    """Print the lines of one case."""
    large = simulate(400_000, share, distance, np.random.default_rng(9))
    area = 0.5 * (1 + math.erf(distance / 2))
    truths = {score.metric: score.value or 0.0 for score in scores(large)} | {"roc_area": area}
    held: dict[str, list[bool]] = {name: [] for name in truths}
    plainly: dict[str, list[bool]] = {"roc_area": [], "pr_area": []}
    for seed in range(draws):
        rows = simulate(size, share, distance, np.random.default_rng([size, round(1000 * share), round(100 * distance), seed]))
        found = scores(rows)
        if found[0].low is None:
            continue
        for score in found:
            if score.low is not None and score.high is not None:
                held[score.metric].append(score.low <= truths[score.metric] <= score.high)
        for name, is_held in plain(rows, truths).items():
            plainly[name].append(is_held)
    for name, values in held.items():
        if name == "calibration_error" and size < MAX_BINS * MIN_IN_BIN:
            continue  # fewer bins than the truth has
        rival = f"{np.mean(plainly[name]):.3f}" if plainly.get(name) else "–"
        covered = f"{np.mean(values):.3f}" if values else "–"
        none = 1 - len(values) / draws
        print(f"{size:6} {share:5} {area:8.2f}  {name:18} {truths[name]:6.3f} {covered:>8} {rival:>6} {none:6.2f}", flush=True)


if __name__ == "__main__":
    main()
