"""Answers: logits in the words of a model's card: classes, decisions, the record of predictions."""

from collections.abc import Sequence

import torch

from pretune.intervals import Floats
from pretune.models import ModelCard
from pretune.predict.text_scorer import decide
from pretune.records import Example, Predictions


def answer(rows: Sequence[Example], split: str, logits: torch.Tensor, card: ModelCard) -> Predictions:
    """Return labels and probabilities of the rows that the logits (num_rows, num_classes) are of."""
    shares, classes = logits.double().softmax(dim=1).numpy(), card.classes
    return Predictions(
        source="finetuned",
        split=split,
        classes=classes,
        ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows),
        predicted=tuple(classes[index] for index in decide_by_card(shares, card)),
        probabilities=tuple(tuple(row) for row in shares.tolist()),
    )


def decide_by_card(shares: Floats, card: ModelCard) -> list[int]:
    """Return the number of each row's class, by the card's threshold where it has one."""
    positive = card.classes.index(card.positive) if card.positive in card.classes else None
    return [int(index) for index in decide(shares, positive=positive, threshold=card.threshold)]
