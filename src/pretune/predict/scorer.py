"""Scorer: what a trained classifier says about texts, with everything that answering needs and nothing of training."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pretune.intervals import Floats
from pretune.models import ClassNetwork, Inputs, ModelCard
from pretune.predict.answers import answer, decide_by_card
from pretune.predict.classify import Progress, predict_logits
from pretune.predict.follow import follow
from pretune.predict.saved import shares_of, shift_of
from pretune.records import Example, Predictions, PredictionTrace
from pretune.tokens import encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A network with what its answers depend on.

    Args:
        network: On any device.
        tokenizer: Its own.
        card: Classes, threshold, tokens per text.
        precisely: Returns the context of a forward pass; bf16, which moves answers by a hundredth, must be asked for.
    """

    network: ClassNetwork
    tokenizer: Any
    card: ModelCard
    precisely: Callable[[], AbstractContextManager[object]] = nullcontext

    def logits(self, texts: Sequence[str], *, progress: Progress | None = None) -> torch.Tensor:
        """Return float32 logits (num_texts, num_classes) of clean texts."""
        if not texts:
            return torch.empty(0, len(self.card.classes))
        inputs = Inputs(encode(texts, self.tokenizer, max_length=self.card.max_length))
        with self.precisely():
            return predict_logits(self.network, inputs, progress=progress)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits."""
        return self.card.classes

    def shares(self, texts: Sequence[str]) -> Floats:
        """Return the probabilities that the saved model gives in plain transformers, (num_texts, num_classes)."""
        return np.asarray(shares_of(self.logits(texts), self.network, self.card), dtype=np.float64)

    def decide(self, shares: Floats) -> list[int]:
        """Return the number of each text's class: the largest, or by a threshold that the shares do not hold already."""
        return decide_by_card(shares, replace(self.card, threshold=None) if self.has_folded_threshold else self.card)

    def predictions(self, rows: Sequence[Example], split: str, *, progress: Progress | None = None) -> Predictions:
        """Return labels and probabilities of clean examples; figures and thresholds are about these."""
        return answer(rows, split, self.logits([row.text for row in rows], progress=progress), self.card)

    def follow(self, text: str) -> PredictionTrace:
        """Follow one clean text from characters to decision."""
        with self.precisely():
            return follow(self.network, self.tokenizer, self.card, text)

    @property
    def has_folded_threshold(self) -> bool:
        """Whether the saved weights hold the threshold, so that the largest class is the answer."""
        return self.shift is not None

    @property
    def shift(self) -> torch.Tensor | None:
        """What the saved output layer adds to the logits, (classes,), for the threshold; ``None`` where it cannot."""
        return shift_of(self.network, self.card)
