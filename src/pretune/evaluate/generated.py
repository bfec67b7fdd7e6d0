"""Generated text: how similar is it to the references, by sacrebleu's corpus BLEU and chrF, and how certain is that?

Both figures are functions of counts summed over the rows (``matches``), so resampling works on counts instead of texts.
"""

from collections.abc import Sequence

import numpy as np

from pretune.errors import DataError
from pretune.evaluate.bootstrap import bca_interval, chunks_of, num_resamples
from pretune.evaluate.matches import FORMULAS, METRICS, NUM_ORDERS, CountedTexts, Formula, count_texts
from pretune.intervals import MIN_RARER_CLASS, Floats
from pretune.records import Comparison, Predictions, Score

# Units that are resampled. Rows beyond this many are summed in blocks of equal size, drawn at random; the spread of block
# sums tells that of the rows, to 1.6 % of its own size, and the time no longer grows with the rows.
MAX_BLOCKS = 2_000
MIN_ROWS = MIN_RARER_CLASS


def score_generated(predictions: Predictions, *, look: int = 1, confidence: float = 0.95, seed: int = 0) -> tuple[Score, ...]:
    """Compute corpus BLEU and chrF of one system, each 0 to 100, with a bootstrap interval over rows.

    Args:
        predictions: Of task ``generate``: ``labels`` are the references, ``predicted`` the hypotheses.
        look: How often these rows have been opened, this time included.
        confidence: Of the intervals.
        seed: Seed of the draws; the same seed gives the same interval.

    Raises:
        MissingPackageError: sacrebleu is not installed.
        UsageError: These are no generated texts.
        DataError: There are no rows, or one without reference.

    Source:
        Papineni et al. (2002), BLEU; Popović (2015), chrF; Post (2018), A call for clarity in reporting BLEU scores.
    """
    return score_counted(count_texts(predictions), look=look, confidence=confidence, seed=seed)


def score_counted(counted: CountedTexts, *, look: int = 1, confidence: float = 0.95, seed: int = 0) -> tuple[Score, ...]:
    """Return what ``score_generated`` does, of texts that are counted."""
    predictions, scores = counted.predictions, list[Score]()
    for counts in counted.counts:
        interval, method = None, counts.undefined or f"no interval: {len(predictions.ids)} rows, {MIN_ROWS} are needed"
        if len(predictions.ids) >= MIN_ROWS and not counts.undefined:
            blocks, formula = _blocks(counts.rows, seed), FORMULAS[counts.metric]
            interval = _interval(blocks, formula, confidence, seed)
            method = f"bca bootstrap, {num_resamples(confidence):,} resamples" if interval else "no interval: all draws agree"
            if counts.metric == "bleu" and not counts.rows[:, 9].any():
                method = f"0: no hypothesis has {NUM_ORDERS} tokens in a row, so that order is undefined; {method}"
        low, high = interval or (None, None)
        scores.append(
            Score(
                metric=counts.metric,
                label=None,
                split=predictions.split,
                source=predictions.source,
                value=None if counts.undefined else counts.value,
                low=low,
                high=high,
                confidence=confidence,
                method=f"{method}; {counts.signature}",
                num_examples=len(predictions.ids),
                look=look,
            )
        )
    return tuple(scores)


def compare_generated(a: Predictions, b: Predictions, *, confidence: float = 0.95, seed: int = 0) -> tuple[Comparison, ...]:
    """Compare two systems on the same rows, in any order, on BLEU and on chrF; where BLEU is undefined, on chrF alone.

    The p value comes from exchanging the two hypotheses of a row at random, the interval of the difference from resampling
    rows with both their hypotheses.

    Raises:
        DataError: The two do not cover the same rows with the same references.
        MissingPackageError: sacrebleu is not installed.

    Source:
        Riezler and Maxwell (2005), On some pitfalls in automatic evaluation and significance testing for MT; Koehn
        (2004), Statistical significance tests for machine translation evaluation.
    """
    return compare_counted(count_texts(a), count_texts(in_order_of(a, b)), confidence=confidence, seed=seed)


def compare_counted(
    first_system: CountedTexts,
    second_system: CountedTexts,
    *,
    metrics: Sequence[str] = METRICS,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Return what ``compare_generated`` does, of texts that are counted, in one order, on some of the metrics."""
    a, b, found = first_system.predictions, second_system.predictions, list[Comparison]()
    for first, second in zip(first_system.counts, second_system.counts, strict=True):
        if first.metric not in metrics or first.undefined or second.undefined:
            continue
        formula, width = FORMULAS[first.metric], first.rows.shape[1]
        blocks = _blocks(np.concatenate([first.rows, second.rows], axis=1), seed)

        def gain(sums: Floats, formula: Formula = formula, width: int = width) -> Floats:
            return formula(sums[:, :width]) - formula(sums[:, width:])

        enough = len(a.ids) >= MIN_ROWS
        interval = _interval(blocks, gain, confidence, seed) if enough else None
        reason = "paired bca bootstrap" if interval else "no interval: " + ("all draws agree" if enough else "too few rows")
        low, high = interval or (None, None)
        found.append(
            Comparison(
                metric=first.metric,
                split=a.split,
                a=a.source,
                b=b.source,
                value_a=first.value,
                value_b=second.value,
                difference=first.value - second.value,
                low=low,
                high=high,
                confidence=confidence,
                p_value=_exchange(blocks, gain, width, num_resamples(confidence), seed),
                method=f"approximate randomization, {num_resamples(confidence):,} draws; {reason}",
                num_examples=len(a.ids),
            )
        )
    return tuple(found)


def _blocks(rows: Floats, seed: int) -> Floats:
    if len(rows) <= MAX_BLOCKS:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    starts = np.linspace(0, len(rows), MAX_BLOCKS, endpoint=False).astype(int)
    sums: Floats = np.add.reduceat(rows[order], starts, axis=0)
    return sums


def _interval(blocks: Floats, formula: Formula, confidence: float, seed: int) -> tuple[float, float] | None:
    return bca_interval(np.ones(len(blocks)), lambda tables: formula(tables @ blocks), confidence=confidence, seed=seed)


def _exchange(blocks: Floats, gain: Formula, width: int, num_draws: int, seed: int) -> float:
    """Share of random exchanges (the data's own included) that give at least the observed difference."""
    swapped = np.concatenate([blocks[:, width:], blocks[:, :width]], axis=1)
    total, change = blocks.sum(axis=0), swapped - blocks
    if not change.any():
        return 1.0
    observed = abs(float(gain(total[None])[0])) - 1e-9
    generator, num_extreme = np.random.default_rng(seed), 0
    for size in chunks_of(num_draws, len(blocks)):
        exchanged = generator.integers(0, 2, size=(size, len(blocks))).astype(float)
        num_extreme += int((np.abs(gain(total + exchanged @ change)) >= observed).sum())
    return (1 + num_extreme) / (1 + num_draws)


def in_order_of(a: Predictions, b: Predictions) -> Predictions:
    """Return the rows of ``b`` in the order of those of ``a``.

    Raises:
        DataError: The two do not cover the same rows with the same references.
    """
    place = {id: row for row, id in enumerate(b.ids)}
    fix = "write what both systems made of the same rows, under the same ids"
    if place.keys() != set(a.ids) or len(a.ids) != len(b.ids):
        common = len(place.keys() & set(a.ids))
        got = f"{a.source!r} has {len(a.ids)} rows and {b.source!r} has {len(b.ids)}, {common} in common"
        raise DataError(got, expected="the same rows, each once", fix=fix)
    order: Sequence[int] = [place[id] for id in a.ids]
    labels = tuple(b.labels[row] for row in order)
    differing = [id for id, mine, other in zip(a.ids, a.labels, labels, strict=True) if mine != other]
    if differing:
        got = f"row {differing[0]} has different references in {a.source!r} and {b.source!r}"
        raise DataError(got, expected="the same references", fix=fix)
    return Predictions(
        task=b.task,
        source=b.source,
        split=b.split,
        classes=(),
        ids=a.ids,
        labels=labels,
        predicted=tuple(b.predicted[row] for row in order),
    )
