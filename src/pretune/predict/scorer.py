"""Scorer: what a trained classifier says about texts, with everything that answering needs and nothing of training."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

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

    def shares(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the probabilities that the saved model gives in plain transformers, (num_texts, num_classes)."""
        return shares_of(self.logits(texts), self.network, self.card)

    def decide(self, shares: torch.Tensor) -> list[int]:
        """Return the number of each text's class: the largest, or by a threshold that the shares do not hold already."""
        return shares.argmax(dim=1).tolist() if self.has_folded_threshold else decide_by_card(shares, self.card)

    def answers(self, rows: Sequence[Example], split: str = "given") -> Predictions:
        """Return labels and probabilities of clean examples as plain transformers gives them."""
        return self.answers_of(rows, self.logits([row.text for row in rows]), split)

    def answers_of(self, rows: Sequence[Example], logits: torch.Tensor, split: str = "given") -> Predictions:
        """Return the answers that logits (num_rows, num_classes) are."""
        shift = self.shift
        if shift is None:
            return answer(rows, split, logits, self.card)
        return answer(rows, split, logits + shift, replace(self.card, threshold=None))

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
