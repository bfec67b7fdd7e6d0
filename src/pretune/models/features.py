"""Features from an encoder that was not fine-tuned: the mean of its last hidden states, one vector per text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pretune.models.checkpoint import find_checkpoint, max_positions
from pretune.models.formats.classifier import build_network
from pretune.models.formats.plain import load_tokenizer
from pretune.models.heads import ClassNetwork
from pretune.models.inputs import prepare_inputs
from pretune.models.trunk_cache import TrunkCache
from pretune.tokens import encode

Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """A pre-trained encoder as it came, never trained here.

    Args:
        network: Its trunk; the head above it is not used.
        tokenizer: Its fast tokenizer.
        max_length: Tokens a text.
        cache: Where its vectors are kept between runs.
    """

    network: ClassNetwork
    tokenizer: Any
    max_length: int
    cache: TrunkCache | None = None

    def features(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Features:
        """Return the masked mean of the last hidden states, shape (num_texts, width).

        Args:
            texts: Clean texts.
            progress: Called with (texts done, texts in all).
        """
        encoded = encode(texts, self.tokenizer, max_length=self.max_length)
        boundary = len(self.network.layers)
        pooled = prepare_inputs(self.network, encoded, boundary, progress=progress, cache=self.cache).pooled
        found: Features = (torch.empty(0, 0) if pooled is None else pooled).float().numpy()
        return found


def open_encoder(name: str, *, max_length: int, device: str = "cpu", cache: TrunkCache | None = None) -> Encoder | None:
    """Load a checkpoint as an encoder; ``None`` where its family has no adapter, so that its layers cannot be read.

    torch's random state is left as it was.

    Args:
        name: Catalogue name, folder or hub id.
        max_length: Tokens a text; fewer where the checkpoint has fewer positions.
        device: ``cpu`` or ``cuda``.
        cache: Where its vectors are kept between runs.

    Raises:
        ModelLoadError: It cannot be loaded.
    """
    checkpoint = find_checkpoint(name)
    with torch.random.fork_rng(devices=[]):  # the unused head above would draw its first weights
        network = build_network(checkpoint, ("a", "b"), head="mlp", head_size=1)
    if network.family is None:
        return None
    length = min(max_length, max_positions(checkpoint))
    return Encoder(network.to(device).eval(), load_tokenizer(checkpoint), length, cache)
