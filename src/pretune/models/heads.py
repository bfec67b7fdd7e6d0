"""What is asked of a network: classes of texts, or words at places.

Shapes: mask (batch, time), hidden (batch, time, width), pooled (batch, width), logits (batch, classes) or (targets, words).
"""

import math
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from pretune.errors import UsageError
from pretune.models.batch import Batch, Windows
from pretune.models.families import find_family, find_language_family, mean_pool
from pretune.models.forward.target_loss import target_loss
from pretune.models.mean_layer import read_mean
from pretune.models.trunk import Network


class MlpHead(nn.Module):
    """Dropout → dense → ReLU → dropout → output, on the masked mean of the trunk."""

    def __init__(self, width: int, size: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dense, self.output = nn.Linear(width, size), nn.Linear(size, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, pooled: Tensor) -> Tensor:
        """(batch, width) → (batch, classes)."""
        logits: Tensor = self.output(self.dropout(torch.relu(self.dense(self.dropout(pooled)))))
        return logits


class ClassNetwork(Network):
    """A network that tells classes apart.

    Args:
        model: A classification model (native head), or a trunk alone when ``head`` is given.
        head: The pooled head, or ``None`` for the architecture's own.
    """

    head: MlpHead | None
    is_head_new = False  # whether that head is to begin as a regression (head_start.py)

    def __init__(self, model: Any, head: MlpHead | None = None) -> None:
        super().__init__(model, find_family(model.config, "classes"), head)

    @property
    def num_classes(self) -> int:
        """Width of the logits."""
        return self.head.output.out_features if self.head is not None else int(self.model.config.num_labels)

    def forward(self, batch: Batch) -> Tensor:
        """Return logits (batch, classes), in float32."""
        if self.family is None:
            return self._forward_whole(batch).float()
        return self.decide(batch.pooled if batch.pooled is not None else self.summarize(batch)).float()

    def summarize(self, batch: Batch) -> Tensor:
        """Return what the head reads, (batch, width): where that is the first token, the last layer computes no other."""
        family, last = self.walked(), len(self.layers) - 1
        if self.head is not None or self.takes_mean or family.call_last is None or batch.start > last:
            return self.pool(self.run(batch), batch.mask)
        hidden = self.run(batch, last)
        context = family.context(self.trunk, hidden, batch)
        hidden = family.call_last(self.layers[last], hidden, context)
        return self.pool(family.finish(self.trunk, hidden), batch.mask)

    def pool(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, time, width) → (batch, width), without weights."""
        if self.head is not None:
            return mean_pool(hidden, mask)
        found: Tensor = (read_mean if self.takes_mean else self._native().pool)(self.model, hidden, mask)
        return found

    def decide(self, pooled: Tensor) -> Tensor:
        """(batch, width) → logits (batch, classes)."""
        found: Tensor = self.head(pooled) if self.head is not None else self._native().decide(self.model, pooled)
        return found

    def head_parameters(self) -> list[nn.Parameter]:
        """Weights of the head, the native pooler or pre-classifier included."""
        if self.head is not None:
            return list(self.head.parameters())
        if self.family is None:
            return super().head_parameters()
        modules = [attrgetter(path)(self.model) for path in self._native().weights]
        return [weight for module in modules for weight in module.parameters()]

    def _forward_whole(self, batch: Batch) -> Tensor:
        output = self.model(input_ids=batch.ids, attention_mask=batch.mask)
        logits: Tensor = output.logits if self.head is None else self.head(mean_pool(output.last_hidden_state, batch.mask))
        return logits

    def _native(self) -> Any:
        """Return the family's ``ClassHead``, which it has: that is what ``find_family`` was asked for."""
        return self.walked().classes


class LanguageNetwork(Network):
    """A network that predicts words: what pre-training trains, and what guesses a word after any layer.

    Args:
        model: A model with a language-modelling head.

    Raises:
        UsageError: The family is not known.
    """

    has_few_shapes = True
    has_dense_table = True  # its table of words may be the output layer as well

    def __init__(self, model: Any) -> None:
        super().__init__(model, find_language_family(model.config))

    @property
    def is_causal(self) -> bool:
        """Whether tokens look back only, and the next word is predicted."""
        return bool(self._words().is_causal)

    @property
    def output(self) -> Any:
        """The output layer: weight (vocabulary, width) and perhaps a bias."""
        return attrgetter(self._words().output)(self.model)

    def forward(self, windows: Windows) -> Tensor:
        """Return the logits at the targets, (targets, vocabulary), in float32."""
        logits: Tensor = self.output(self._states(self.run(windows), windows.targets))
        return logits.float()

    def loss(self, windows: Windows, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the summed loss at the targets in nats, and how many labels are the first guess."""
        states = self._states(self.run(windows), windows.targets)
        return target_loss(states, self.output.weight, self.output.bias, labels)

    def freeze(self, freeze: str, *, dense: bool = False) -> int:
        """Let the head and the layers above the boundary learn.

        Raises:
            UsageError: Besides what ``Network.freeze`` refuses: nothing is left to learn, as the head is the frozen table.
        """
        boundary = super().freeze(freeze, dense=dense)
        if not any(weight.requires_grad for weight in self.parameters()):
            raise UsageError(
                f"freeze is {freeze!r}, and no weight of this model would learn: its output layer is its table of words",
                expected="none or last-K such as last-2",
            )
        return boundary

    @torch.no_grad()
    def start_output_bias(self, counts: Tensor) -> None:
        """Set the output layer's bias, if it has one, to the logarithm of the words' shares: what is known before any context.

        Args:
            counts: (vocabulary,), how often each token comes.
        """
        bias = self.output.bias
        if bias is not None:
            shares = (counts.double() + 0.5) / (counts.sum() + 0.5 * len(counts))
            bias[: len(shares)] = shares.log().float()
            bias[len(shares) :] = math.log(0.5 / float(counts.sum() + 1))

    def guesses(self, windows: Windows) -> Iterator[Tensor]:
        """Yield the logits at the targets, (targets, vocabulary): what the head makes of the embeddings, then of each layer."""
        for hidden in self.states(windows):
            logits: Tensor = self.output(self._states(hidden, windows.targets))
            yield logits.float()

    def _states(self, hidden: Tensor, targets: Tensor) -> Tensor:
        found: Tensor = self._words().transform(self.model, hidden.flatten(0, 1)[targets])
        return found

    def _words(self) -> Any:
        """Return the family's ``WordHead``, which it has: that is what ``find_language_family`` was asked for."""
        return self.walked().words
