"""What tests of watching share: a test and windows as numbers, drawn from laws that are known."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pretune.production.watch.measured import Measure, Measured
from pretune.production.watch.reference import Reference

CLASSES = ("ham", "spam")
WORDS = tuple(f"{first}{second}{third}" for first in "bdfgklm" for second in "aeiou" for third in "nprst")  # 175


NEW = tuple(f"zyx{place}" for place in range(50))  # that nobody knows
RARE = WORDS[-50:]


def draw_texts(num: int, generator: np.random.Generator, *, share_new: float = 0.0, new: Sequence[str] = NEW) -> list[str]:
    """Return texts of 8 to 24 words by Zipf's law, a share of which are other words instead."""
    shares = 1 / np.arange(1, len(WORDS) + 1)
    texts = []
    for size in generator.integers(8, 25, num):
        words = generator.choice(WORDS, size, p=shares / shares.sum())
        is_new = generator.random(size) < share_new
        words = words.astype(object)
        words[is_new] = generator.choice(np.array(new, dtype=object), int(is_new.sum()))
        texts.append(" ".join(words))
    return texts


def draw_measured(num: int, generator: np.random.Generator, *, share: float = 0.15, **others: Any) -> Measured:
    """Return the numbers of texts of which a share is called spam."""
    found = Measured(
        lengths=np.exp(generator.normal(4.0, 0.6, num)).round(),
        num_words=generator.integers(5, 30, num).astype(float),
        unknown=(generator.binomial(20, 0.03, num) / 20).astype(float),
        pieces=generator.gamma(30.0, 0.045, num),
        untold=(generator.random(num) < 0.01).astype(float),
        confidence=generator.beta(12.0, 1.5, num),
        predicted=(generator.random(num) < share).astype(np.int64),
        units=generator.integers(0, 1 << 62, num),
        columns={"lang": tuple(generator.choice(["de", "en", "fr"], num, p=[0.1, 0.8, 0.1]).tolist())},
        rarity=generator.normal(9.0, 1.2, num),
    )
    return replace(found, **others)


def draw_reference(num: int = 1_500, *, seed: int = 0, share: float = 0.15, accuracy: float = 0.95) -> Reference:
    """Return a test of so many texts, of which the model got so many right."""
    generator = np.random.default_rng(seed)
    measured = draw_measured(num, generator, share=share)
    is_right = generator.random(num) < accuracy
    labels = np.where(is_right, measured.predicted, 1 - measured.predicted)
    return Reference(
        measured=measured,
        labels=tuple(CLASSES[number] for number in labels),
        texts=tuple(draw_texts(min(num, 1_500), generator)),
        others=tuple(draw_texts(min(num, 1_500), generator)),
        classes=CLASSES,
        positive="spam",
        num_drawn=None,
        measure=Measure(counts=dict.fromkeys(WORDS, 1), classes=CLASSES, tokenizer=None),
    )
