"""Looking: all signals of a window, alone and joined with small ones before it."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from pretune.diagnose.told_apart import tell_apart
from pretune.intervals import Counts
from pretune.production.watch.budget import MIN_TEXTS, level_of
from pretune.production.watch.compared import compare_values
from pretune.production.watch.making import signal_of
from pretune.production.watch.measured import Measured, join
from pretune.production.watch.reference import Reference
from pretune.production.watch.signals import find_signals
from pretune.records import Signal

# Texts of each set that the classifier learns from, and that it is asked about; more show smaller shifts, which matter less.
MAX_TOLD = 2_000


def find_all_signals(
    reference: Reference, window: Measured, texts: Sequence[str], before: Sequence[Measured] = ()
) -> tuple[Signal, ...]:
    """Compare a window with the test, and joined with those before it, where there are any.

    Args:
        reference: The test.
        window: The window.
        texts: Its texts, in the same order.
        before: Looks before it.
    """
    is_alone = len(window) >= MIN_TEXTS
    num_spans = 2 if is_alone and before else 1
    alone = (*find_signals(reference, window, num_spans=num_spans), *_told_apart(reference, window.units, texts))
    if not before:
        return alone
    joined = find_signals(reference, join((*before, window)), num_spans=num_spans, num_windows=len(before) + 1)
    return (*alone, *joined)


def _told_apart(reference: Reference, units: Counts, texts: Sequence[str]) -> tuple[Signal, ...]:
    """Let a classifier learn from half of the window and the validation texts, and ask it about the other half and the test."""
    generator, level = np.random.default_rng(0), level_of("told_apart")
    learned, asked = _halves(units, generator)
    if min(len(learned), len(asked), len(reference.others), len(reference.texts)) < MIN_TEXTS:
        return ()
    others, test = (generator.permutation(len(part))[:MAX_TOLD] for part in (reference.others, reference.texts))
    scores = tell_apart(
        ([reference.others[row] for row in others], [texts[row] for row in learned]),
        [*(reference.texts[row] for row in test), *(texts[row] for row in asked)],
    )
    found = compare_values(scores[: len(test)], scores[len(test) :], (reference.measured.units[test], units[asked]), 2 * level)
    unit = "chance that a classifier tells a text of the window from one of the test"
    make = partial(Signal, name="told_apart", unit=unit, num_texts=len(texts))
    now = 0.5 if found is None else 0.5 + found.change
    return (signal_of(make, found.upwards() if found is not None else None, level=level, before=0.5, now=now),)


def _halves(units: Counts, generator: np.random.Generator) -> tuple[Counts, Counts]:
    """Part texts at random; those of one unit stay together."""
    names, numbers = np.unique(units, return_inverse=True)
    is_learned = (generator.permutation(len(names)) < len(names) // 2)[numbers]
    parts = (generator.permutation(np.flatnonzero(part))[:MAX_TOLD] for part in (is_learned, ~is_learned))
    learned, asked = parts
    return learned, asked
