"""Signals: length, vocabulary, tokens, classes, confidence and columns of a window, each against the test's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from pretune.intervals import Floats
from pretune.production.watch.budget import MIN_TEXTS, level_of
from pretune.production.watch.columns import find_columns
from pretune.production.watch.compared import compare_values, count
from pretune.production.watch.making import MAX_ITEMS, Make, certainty, compare_hits, signal_of
from pretune.production.watch.measured import Measured
from pretune.production.watch.reference import Reference
from pretune.records import Signal

Levels = Callable[..., float]


def find_signals(reference: Reference, window: Measured, *, num_spans: int = 1, num_windows: int = 1) -> tuple[Signal, ...]:
    """Compare a window, or several that were joined, with the test.

    Args:
        reference: The test.
        window: At least ``MIN_TEXTS`` texts.
        num_spans: As ``level_of`` takes it.
        num_windows: How many windows these are.

    Returns:
        Signals in a fixed order; those of one kind by how sure they are.
    """
    if min(len(window), len(reference.measured)) < MIN_TEXTS:
        return ()
    make = partial(Signal, num_texts=len(window), num_windows=num_windows)
    level = partial(level_of, num_spans=num_spans)
    return (
        *_of_texts(reference.measured, window, make, level),
        *_of_classes(reference, window, make, level),
        *find_columns(reference.measured, window, make, level),
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """A number of each text: what is compared, and how a set of texts is summed up."""

    name: str
    unit: str
    pick: Callable[[Measured], Floats]
    say: Callable[[Measured], float]
    num_tests: int = 1
    is_upwards: bool = False  # fewer of these is no change that anybody looks for
    is_mean: bool = False  # of a text's words, so that a long text tells more

    def values(self, texts: Measured, usual: float) -> Floats:
        """Return what is ranked, shape (num_texts,): means of words as standard errors from the usual, up to a factor."""
        found = self.pick(texts)
        return (found - usual) * np.sqrt(texts.num_words) if self.is_mean and len(found) else found


def _unknown_share(texts: Measured) -> float:
    return float((texts.unknown * texts.num_words).sum() / max(1.0, texts.num_words.sum()))


def _mean_rarity(texts: Measured) -> float:
    return float((texts.rarity * texts.num_words).sum() / max(1.0, texts.num_words.sum()))


_UNTOLD = "share of texts with a token unknown to the model"
_KINDS = (
    _Kind("length", "characters at the median", lambda item: item.lengths, lambda item: float(np.median(item.lengths))),
    _Kind(
        "vocabulary",
        "share of words unknown to training",
        lambda item: item.unknown,
        _unknown_share,
        num_tests=2,
        is_upwards=True,
    ),
    _Kind(
        "vocabulary",
        "rarity of words in training, bits a word",
        lambda item: item.rarity,
        _mean_rarity,
        num_tests=2,
        is_upwards=True,
        is_mean=True,
    ),
    _Kind("tokens", "tokens per word", lambda item: item.pieces, lambda item: float(item.pieces.mean()), num_tests=2),
    _Kind(
        "tokens",
        _UNTOLD,
        lambda item: np.minimum(item.untold, 1.0),
        lambda item: float((item.untold > 0).mean()),
        num_tests=2,
        is_upwards=True,
    ),
    _Kind("confidence", "probability of the class", lambda item: item.confidence, lambda item: float(item.confidence.mean())),
)


def _of_texts(test: Measured, window: Measured, make: Make, level: Levels) -> Iterator[Signal]:
    for kind in _KINDS:
        before, now = (kind.values(texts, kind.say(test) if kind.is_mean else 0.0) for texts in (test, window))
        if len(before) and len(now):
            error = level(kind.name, kind.num_tests)
            found = compare_values(before, now, (test.units, window.units), (1 + kind.is_upwards) * error)
            found = found.upwards() if found is not None and kind.is_upwards else found
            about = partial(make, name=kind.name, unit=kind.unit)
            yield signal_of(about, found, level=error, before=kind.say(test), now=kind.say(window))


def _of_classes(reference: Reference, window: Measured, make: Make, level: Levels) -> list[Signal]:
    """Compare the share of each class; of two classes one says it all: the positive one, or the rarer."""
    test, classes = reference.measured, reference.classes
    numbers = list(range(len(classes)))
    if len(classes) == 2:
        sizes = np.bincount(test.predicted, minlength=2)
        numbers = [classes.index(reference.positive) if reference.positive in classes else int(sizes.argmin())]
    found = []
    for number in numbers:
        is_before, is_now = test.predicted == number, window.predicted == number
        is_positive = classes[number] == reference.positive
        about = partial(
            make, name="alerts" if is_positive else "classes", item=classes[number], unit="share of texts given this class"
        )
        before = count(is_before, test.units, worth=reference.worth_of_test(is_before))
        error = level("classes", len(numbers))
        found.append(compare_hits(about, before, float(is_before.mean()), is_now, window.units, level=error))
    return sorted(found, key=certainty)[:MAX_ITEMS]
