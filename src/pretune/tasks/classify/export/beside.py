"""Asks an exported form and its model the same texts, in the batches that are served: do they answer alike?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pretune.errors import ParityError
from pretune.evaluate.decide import decide_by
from pretune.intervals import Floats
from pretune.models.parity import DRAW, long_texts
from pretune.predict import Scorer
from pretune.predict.exported import ExportedScorer, softmax
from pretune.predict.measured import ALL_AT_ONCE, AS_SERVED, AT_ONCE, MAX_ALONE, ONE_BY_ONE
from pretune.records import AnswersBeside, Example, Predictions
from pretune.run.trace import Trace

CUT = "texts that are cut, and one of no tokens"
NO_TOKENS = "\u200d"  # cleaning leaves joiners, and tokenizers make nothing of one that stands alone
# Largest difference of two probabilities in a form that is to be exact: float32 sums in another order.
MAX_DIFFERENCE = 1e-4


def predictions_of(scorer: ExportedScorer, rows: Sequence[Example], split: str, trace: Trace) -> Predictions:
    """Return what a form says of clean rows, on the terms of the figures: the threshold is a rule beside the probabilities."""

    def tell(done: int, total: int) -> None:
        trace.progress(f"asking {scorer.card.form} about {split}", done, total, "texts")

    card, logits = scorer.card, scorer.logits([row.text for row in rows], progress=tell)
    shares = softmax(logits - np.asarray(card.shift if card.shift is not None else 0.0))
    found = Predictions(
        source="finetuned",
        split=split,
        classes=scorer.classes,
        ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows),
        predicted=("",) * len(rows),
        probabilities=tuple(tuple(row) for row in shares.tolist()),
    )
    return decide_by(found, card.card.positive, card.card.threshold)


def compare_predictions(ours: Predictions, theirs: Predictions) -> AnswersBeside:
    """Compare the answers of the model with those of a form, on the same rows."""
    same = sum(a == b for a, b in zip(ours.predicted, theirs.predicted, strict=True))
    first, second = (np.asarray(item.probabilities or ()) for item in (ours, theirs))
    largest = float(np.abs(first - second).max(initial=0.0))
    return AnswersBeside(split=ours.split, how=AS_SERVED, num_rows=len(ours.ids), num_same=same, largest=largest)


def compare_batches(model: Scorer, form: ExportedScorer, texts: Sequence[str]) -> tuple[AnswersBeside, ...]:
    """Compare the model with a form whose batches hold one text, 64 padded to the longest, and texts out of the ordinary.

    Args:
        model: What was judged.
        form: What was exported of it.
        texts: Clean ones.
    """
    asked = tuple(texts[:MAX_ALONE])
    odd = (*long_texts(asked, model.card.max_length), NO_TOKENS)
    ours, theirs = model.shares(asked), replace(form, max_tokens=AT_ONCE * model.card.max_length)
    found = (
        (ONE_BY_ONE, ours, np.concatenate([form.shares([text]) for text in asked])),
        (ALL_AT_ONCE, ours, theirs.shares(asked)),
        (CUT, model.shares(odd), form.shares(odd)),
    )
    return tuple(_compare(how, first, second, form) for how, first, second in found)


def check_exact(beside: Sequence[AnswersBeside], form: str) -> None:
    """Refuse a form that is to be exact and is not.

    Raises:
        ParityError: It answers otherwise than the model.
    """
    for item in beside:
        if item.num_others or not item.largest <= MAX_DIFFERENCE:
            raise ParityError(
                f"the form {form!r} is another model: {item.num_others} of {item.num_rows} answers on {item.split} "
                f"({item.how}) differ, probabilities by {item.largest:.2g}",
                expected=f"the same answers, and probabilities within {MAX_DIFFERENCE:g}",
                fix="use another form; please report the model and versions",
            )


def _compare(how: str, ours: Floats, theirs: Floats, form: ExportedScorer) -> AnswersBeside:
    """Compare probabilities as both are served; a draw may be decided either way."""
    first, second = (np.asarray(form.decide(shares)) for shares in (ours, theirs))
    best = np.sort(ours, axis=1)
    is_draw = best[:, -1] - best[:, -2] < DRAW if ours.shape[1] > 1 else np.ones(len(ours), bool)
    same = int(((first == second) | is_draw).sum())
    return AnswersBeside(
        split="validation",
        how=how,
        num_rows=len(ours),
        num_same=same,
        largest=float(np.abs(ours - theirs).max(initial=0.0)),
    )
