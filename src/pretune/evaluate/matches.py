"""What hypotheses share with their references, as sacrebleu counts it, and BLEU and chrF from those counts.

Every use compares these formulas with sacrebleu's own figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pretune.errors import DataError, MissingPackageError, UsageError, require
from pretune.intervals import Floats
from pretune.records import Predictions

METRICS = ("bleu", "chrf")
NUM_ORDERS = 4  # BLEU counts n-grams of 1 to 4 tokens
CHRF_BETA = 2  # recall weighs twice, as sacrebleu's chrF2
# How far our formula may be from sacrebleu's figure, of 100; beyond, this version counts otherwise.
MAX_DIFFERENCE = 1e-6


@dataclass(frozen=True, slots=True)
class TextCounts:
    """One metric's sufficient counts.

    Args:
        metric: ``bleu`` or ``chrf``.
        value: sacrebleu's own figure, 0 to 100.
        signature: How sacrebleu counted, with its version.
        rows: Counts of each row, shape (num_examples, num_counts).
        undefined: Why there is no figure; empty where there is one.
    """

    metric: str
    value: float
    signature: str
    rows: Floats
    undefined: str = ""


@dataclass(frozen=True, slots=True)
class CountedTexts:
    """One system's texts and what sacrebleu counts in them, so that they are counted once however often they are compared."""

    predictions: Predictions
    counts: tuple[TextCounts, ...]


def count_texts(predictions: Predictions) -> CountedTexts:
    """Return the texts of one system with their counts. Raises what ``score_generated`` does."""
    return CountedTexts(predictions, count_matches(predictions))


def count_matches(predictions: Predictions) -> tuple[TextCounts, ...]:
    """Return what sacrebleu counts in each row, for BLEU and for chrF with its default settings.

    Raises:
        What ``score_generated`` does.
    """
    if predictions.task != "generate":
        raise UsageError(f"predictions of task {predictions.task!r}", expected="generate", fix="pass generated texts")
    if not predictions.ids:
        raise DataError("no rows", expected="at least one reference with its hypothesis", fix="check the table")
    if None in predictions.labels:
        raise DataError("a row has no reference", expected="a reference in every row", fix="leave the row out")
    metrics = require("sacrebleu.metrics", extra="text-metrics")
    hypotheses, references = list(predictions.predicted), [[str(label) for label in predictions.labels]]
    found = []
    for name, metric in zip(METRICS, (metrics.BLEU(), metrics.CHRF()), strict=True):
        value, rows = _statistics(metric, hypotheses, references)
        ours = float(FORMULAS[name](rows.sum(axis=0, keepdims=True))[0])
        if abs(ours - value) > MAX_DIFFERENCE:
            raise _unknown_version(f"{name} is {value} by sacrebleu and {ours} from its counts")
        undefined = _why_undefined(rows) if name == "bleu" else ""
        found.append(TextCounts(name, value, str(metric.get_signature()), rows, undefined))
    return tuple(found)


def _why_undefined(rows: Floats) -> str:
    """Say why BLEU cannot tell good from bad here: it needs four tokens in a row, and no text on either side has them."""
    has_any = rows[:, 9].any() or (rows[:, 1] >= NUM_ORDERS).any()
    return "" if has_any else f"undefined: no text has the {NUM_ORDERS} tokens in a row that BLEU counts; chrF decides"


Formula = Callable[[Floats], Floats]


def bleu_of(sums: Floats) -> Floats:
    """Return BLEU from summed counts, with exponential smoothing.

    Args:
        sums: Lengths of hypotheses and references, matches of order 1 to 4, n-grams of order 1 to 4; shape (num_tables, 10).
    """
    written, wanted, hits, totals = sums[:, 0], sums[:, 1], sums[:, 2:6], sums[:, 6:10]
    halvings = 0.5 ** np.cumsum(hits == 0, axis=1)  # an order without match counts as a half match, the next as a quarter
    shares = np.where(hits == 0, halvings, hits) / np.maximum(totals, 1e-9)
    brevity = np.exp(np.minimum(0.0, 1 - wanted / np.maximum(written, 1e-9)))
    values: Floats = 100 * brevity * np.exp(np.log(np.maximum(shares, 1e-300)).mean(axis=1))
    return np.where((totals == 0).any(axis=1) | ~hits.any(axis=1), 0.0, values)


def chrf_of(sums: Floats) -> Floats:
    """Return chrF from summed counts: the mean over the orders that both sides have of precision and recall, as F2.

    Args:
        sums: n-grams of hypotheses, of references, and matches of each order; shape (num_tables, 3 * num_orders).
    """
    written, wanted, hits = (sums[:, start::3] for start in range(3))
    both = (written > 0) & (wanted > 0)
    num_orders = np.maximum(both.sum(axis=1), 1)
    precision = np.where(both, hits / np.maximum(written, 1e-9), 0.0).sum(axis=1) / num_orders
    recall = np.where(both, hits / np.maximum(wanted, 1e-9), 0.0).sum(axis=1) / num_orders
    weight = CHRF_BETA**2
    values: Floats = 100 * (1 + weight) * precision * recall / np.maximum(weight * precision + recall, 1e-300)
    return values


FORMULAS: dict[str, Formula] = {"bleu": bleu_of, "chrf": chrf_of}


def _statistics(metric: Any, hypotheses: list[str], references: list[list[str]]) -> tuple[float, Floats]:
    """Return sacrebleu's own figure and the counts that it comes from, shape (num_examples, num_counts).

    These are the two steps of ``corpus_score``, which its significance tests are built on as well; neither has a public name.
    """
    try:
        counts = metric._extract_corpus_statistics(hypotheses, references)
        return float(metric._aggregate_and_compute(counts).score), np.asarray(counts, float)
    except AttributeError as error:
        raise _unknown_version(str(error)) from error


def _unknown_version(why: str) -> MissingPackageError:
    return MissingPackageError(
        f"this version of sacrebleu counts differently from the version that pretune knows: {why}",
        fix='`pip install "sacrebleu>=2.4,<3"`',
    )
