"""Paired comparison: false alarms between equally good models, and power against the unpaired test."""

from typing import Any

import numpy as np
from scipy.special import bdtr, ndtr

from error_rates import share_of
from pretune.evaluate.compare import mcnemar_p_value

ERROR = 0.05
# Share of the rows that only one of the two models gets right. Two models of one task: 8 to 16 %.
DISCORDANT = (0.08, 0.12, 0.16)


def measure(num_sets: int = 20_000, *, seed: int = 0) -> dict[str, Any]:
    """Measure false alarms (true gain 0) and power (true gain of 2 points), 2,000 rows and others."""
    generator = np.random.default_rng(seed)
    alarms = [_tests(0.0, share, rows, num_sets, generator) for rows in (200, 1_000, 2_000, 5_000) for share in DISCORDANT]
    powers = [_tests(0.02, share, 2_000, num_sets, generator) for share in DISCORDANT]
    return {"alarms": alarms, "power": powers}


def _tests(gain: float, discordant: float, num_rows: int, num_sets: int, generator: np.random.Generator) -> dict[str, Any]:
    accuracy = 0.88
    only_a, only_b = (discordant + gain) / 2, (discordant - gain) / 2
    both = accuracy - only_a
    cells = generator.multinomial(num_rows, [only_a, only_b, both, 1 - only_a - only_b - both], size=num_sets)
    pairs, index = np.unique(cells[:, :2], axis=0, return_inverse=True)
    exact = np.array([_exact(int(a), int(b)) for a, b in pairs])[index.ravel()]
    ours = np.array([mcnemar_p_value(int(a), int(b)) for a, b in pairs])[index.ravel()]
    half = exact - np.array([_point(int(a), int(b)) for a, b in pairs])[index.ravel()]
    right_a, right_b = (cells[:, 0] + cells[:, 2]) / num_rows, (cells[:, 1] + cells[:, 2]) / num_rows
    spread = np.sqrt((right_a * (1 - right_a) + right_b * (1 - right_b)) / num_rows)
    unpaired = 2 * ndtr(-np.abs(right_a - right_b) / spread)
    return {
        "gain": gain,
        "discordant": discordant,
        "num_rows": num_rows,
        "sets": num_sets,
        "pretune": share_of(int((ours <= ERROR).sum()), num_sets),
        "exact McNemar": share_of(int((exact <= ERROR).sum()), num_sets),
        "mid-p McNemar": share_of(int((half <= ERROR).sum()), num_sets),
        "unpaired z": share_of(int((unpaired <= ERROR).sum()), num_sets),
    }


def _exact(only_a: int, only_b: int) -> float:
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def _point(only_a: int, only_b: int) -> float:
    """Probability of exactly this split; mid-p takes one such probability off the two-sided value."""
    fewer, total = min(only_a, only_b), only_a + only_b
    below = float(bdtr(fewer - 1, total, 0.5)) if fewer > 0 else 0.0
    return float(bdtr(fewer, total, 0.5)) - below
