"""Predictions with probabilities, drawn from a known truth."""

import numpy as np

from pretune.records import Predictions


def draw(num_rows: int, *, share: float = 0.2, skill: float = 2.0, shift: float = 0.0, seed: int = 0) -> Predictions:
    """Return predictions of "pos" and "neg" whose log odds are normal about the label; ``shift`` moves them all."""
    generator = np.random.default_rng(seed)
    is_positive = generator.permutation(np.arange(num_rows) < round(share * num_rows))
    odds = generator.normal(np.where(is_positive, skill, -skill), 1.5) + shift
    return from_chances(1 / (1 + np.exp(-odds)), is_positive)


def from_chances(chances, is_positive, *, split: str = "validation") -> Predictions:
    """Return predictions of two classes, decided by the larger one."""
    return Predictions(
        source="finetuned",
        split=split,
        classes=("neg", "pos"),
        ids=tuple(f"row-{index}" for index in range(len(chances))),
        labels=tuple("pos" if item else "neg" for item in is_positive),
        predicted=tuple("pos" if chance > 0.5 else "neg" for chance in chances),
        probabilities=tuple((1 - float(chance), float(chance)) for chance in chances),
    )
