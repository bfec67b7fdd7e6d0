"""Worlds in which watching is tried: texts as numbers, or of words by a Zipf-like law, and a test that stands for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.production.watch.measured import Measure, Measured
from pretune.production.watch.reference import Reference
from pretune.records import Example

Numbers = npt.NDArray[np.float64]
NUM_WORDS, NUM_KNOWN = 8_000, 6_000  # the rarest words are unknown to training
NUM_TRAINING_WORDS = 140_000  # of some 7,500 texts
SHARES_OF_WORDS = (1 / (np.arange(NUM_WORDS) + 5.0)) / (1 / (np.arange(NUM_WORDS) + 5.0)).sum()


def measured(num: int, generator: np.random.Generator, shares: Sequence[float], *, copies: float = 0.0) -> Measured:
    """Return numbers of texts: lengths of a log-normal law, rare unknown words and tokens, so many copies."""
    kept = np.sort(generator.integers(0, max(1, int(num * (1 - copies))), num)) if copies else np.arange(num)
    size = int(kept.max()) + 1
    words = np.maximum(1, np.exp(generator.normal(2.7, 0.7, size)).round())
    drawn = Measured(
        lengths=(words * generator.normal(5.7, 0.5, size)).round(),
        num_words=words,
        unknown=generator.binomial(words.astype(int), 0.03) / words,
        rarity=generator.normal(9.0, 3.0 / np.sqrt(words)),
        pieces=generator.gamma(40.0, 0.033, size),
        untold=(generator.random(size) < 0.004).astype(float),
        confidence=generator.beta(9.0, 1.2, size),
        predicted=generator.choice(len(shares), size, p=shares),
        units=generator.integers(0, 1 << 62, size),
        columns={"lang": tuple(generator.choice(["de", "en", "fr", "it"], size, p=[0.02, 0.8, 0.1, 0.08]).tolist())},
    )
    arrays = {name: getattr(drawn, name)[kept] for name in drawn.__slots__ if name != "columns"}
    return Measured(**arrays, columns={"lang": tuple(np.array(drawn.columns["lang"])[kept].tolist())})


def reference(num: int, generator: np.random.Generator, shares: Sequence[float], **about: Any) -> Reference:
    """Return a test of a stratified split of ``num_drawn`` rows: the classes are as common as in all rows, to the row."""
    num_drawn, accuracy, copies = about.get("num_drawn"), about.get("accuracy", 0.95), about.get("copies", 0.0)
    numbers = measured(num, generator, shares, copies=copies)
    labels = generator.choice(len(shares), num, p=shares)
    if num_drawn is not None:
        whole = generator.multinomial(num_drawn, shares)
        counts = np.floor(whole * num / num_drawn).astype(int)
        labels = np.concatenate([np.repeat(np.arange(len(shares)), counts), generator.choice(len(shares), num - counts.sum())])
    wrong = generator.random(num) >= accuracy
    predicted = np.where(wrong, mistaken(labels, shares, generator), labels)
    classes = tuple(f"class {number}" for number in range(len(shares)))
    return Reference(
        measured=numbers if copies else replace(numbers, predicted=predicted),
        labels=tuple(classes[number] for number in (numbers.predicted if copies else labels)),
        texts=(),
        others=(),
        classes=classes,
        positive=None,
        num_drawn=num_drawn,
        measure=Measure(counts={}, classes=classes, tokenizer=None),
    )


def mistaken(labels: npt.NDArray[np.int64], shares: Sequence[float], generator: np.random.Generator) -> Any:
    """Return wrong classes that leave the shares as they are: drawn by the shares, whatever the label."""
    return generator.choice(len(shares), len(labels), p=shares)


def words_of(sizes: Numbers, generator: np.random.Generator, *, moved: float = 0.0, to: range = range(0)) -> list[str]:
    """Return texts of words by a Zipf-like law, a share of whose words are others instead, evenly."""
    texts = []
    for size in sizes.astype(int):
        numbers = generator.choice(NUM_WORDS, size, p=SHARES_OF_WORDS)
        if moved:
            is_moved = generator.random(size) < moved
            numbers[is_moved] = generator.choice(np.array(to), int(is_moved.sum()))
        texts.append(" ".join(f"w{number}" for number in numbers))
    return texts


def of_texts(num: int, generator: np.random.Generator, **moved: Any) -> list[str]:
    """Return so many texts."""
    return words_of(np.maximum(3, np.exp(generator.normal(2.7, 0.7, num)).round()), generator, **moved)


def text_reference(num: int, generator: np.random.Generator) -> Reference:
    """Return a test of texts of words, of which training knows the commoner ones."""
    test, texts = reference(num, generator, [0.85, 0.15]), of_texts(num, generator)
    counts = generator.multinomial(NUM_TRAINING_WORDS, SHARES_OF_WORDS[:NUM_KNOWN] / SHARES_OF_WORDS[:NUM_KNOWN].sum())
    counted = {f"w{number}": max(1, int(times)) for number, times in enumerate(counts)}
    measure = Measure(counts=counted, classes=test.classes, tokenizer=None)
    numbers = measure_texts(measure, texts, generator)
    return replace(test, texts=tuple(texts), others=tuple(of_texts(num, generator)), measure=measure, measured=numbers)


def measure_texts(measure: Measure, texts: Sequence[str], generator: np.random.Generator) -> Measured:
    """Return texts in numbers, with answers that do not depend on them."""
    rows = [Example(id=str(number), text=text) for number, text in enumerate(texts)]
    predicted = [measure.classes[number] for number in generator.choice(2, len(rows), p=[0.85, 0.15])]
    return measure(rows, predicted, generator.beta(9.0, 1.2, len(rows)))
