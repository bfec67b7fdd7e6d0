"""Which windows each update reads, and what to predict in them: slices of a packed stream, or whole documents."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pretune.configs import PretrainConfig
from pretune.errors import DataError
from pretune.models import Windows
from pretune.tokens import Vocabulary, mask_tokens, next_tokens
from pretune.train.distributed import World

Ids = npt.NDArray[np.int64]


class Stream(Protocol):
    """Packed token ids, as ``tokens.TokenStore`` has them."""

    num_tokens: int
    num_documents: int
    digest: str

    def windows(self, starts: Ids, length: int) -> tuple[Ids, npt.NDArray[np.int32]]:
        """Return slices of the stream, (starts, length), and which document each token is of."""

    def documents(self, rows: Ids, max_length: int) -> tuple[Ids, Ids]:
        """Return whole documents, padded, and the mask of real tokens, (rows, time) each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What pre-training reads.

    Args:
        train: To learn from.
        validation: Held out.
        vocabulary: What masking has to know; ``None`` for next words.
        validation_bytes: UTF-8 bytes of the held-out text that a token stands for, mean.
    """

    train: Stream
    validation: Stream
    vocabulary: Vocabulary | None
    validation_bytes: float


class WindowOrder:
    """Which windows each update reads: every epoch all of them, shuffled; slices are cut at another place each time.

    Args:
        stream: What is read.
        config: Tokens of a window and of an update; whether documents are read whole.
        seed: Of the order.

    Raises:
        DataError: The stream is shorter than one update.
    """

    def __init__(self, stream: Stream, config: PretrainConfig, *, seed: int) -> None:
        self._rows, self._seed, self._step = config.windows_per_update, seed, 1 if config.whole_documents else config.window
        # Of slices one is given up, so that cuts can move.
        slices = (stream.num_tokens - config.window - 1) // config.window
        self.num_windows = stream.num_documents if config.whole_documents else slices
        if self.num_windows < self._rows:
            what = "documents" if config.whole_documents else f"windows × {config.window} tokens"
            raise DataError(
                f"the training part has {stream.num_tokens:,} tokens in {stream.num_documents:,} documents, "
                f"less than one update of {self._rows} {what}",
                expected="at least one update",
                fix="add text, or make updates smaller: --batch-tokens, --window",
            )
        self._epoch, self._held = -1, np.empty(0, dtype=np.int64)

    @property
    def steps_per_epoch(self) -> float:
        """Updates in which every window is read once."""
        return self.num_windows / self._rows

    def starts(self, step: int) -> Ids:
        """Return where the slices of an update begin, or the numbers of its documents, (windows,)."""
        places = np.arange(step * self._rows, (step + 1) * self._rows)
        epochs = places // self.num_windows
        return np.concatenate(
            [self._epoch_starts(int(epoch))[places[epochs == epoch] % self.num_windows] for epoch in np.unique(epochs)]
        )

    def _epoch_starts(self, epoch: int) -> Ids:
        if epoch != self._epoch:
            generator = np.random.default_rng([self._seed % 2**32, epoch])
            cut = int(generator.integers(self._step)) if epoch else 0
            self._epoch, self._held = epoch, generator.permutation(self.num_windows) * self._step + cut
        return self._held


def held_out_starts(stream: Stream, config: PretrainConfig, window: int) -> Ids:
    """Return the windows of held-out text that are scored, always the same."""
    if config.whole_documents:
        return np.arange(min(stream.num_documents, max(1, config.validation_tokens // window)), dtype=np.int64)
    return np.arange(0, min(stream.num_tokens, config.validation_tokens + 1) - window, window, dtype=np.int64)


def ask(
    stream: Stream,
    starts: Ids,
    window: int,
    *,
    text: Text,
    config: PretrainConfig,
    generator: np.random.Generator,
    next_words: bool,
) -> tuple[Windows, Tensor]:
    """Read windows and decide what is to be predicted in them.

    Args:
        stream: What is read.
        starts: From ``WindowOrder`` or ``held_out_starts``.
        window: Tokens of a window, or the most of a document.
        text: Whose vocabulary masking needs.
        config: Shares and rules of masking.
        generator: Of what is hidden.
        next_words: Whether next words are predicted, looking back only.

    Returns:
        Windows, and the token that belongs at each target.
    """
    ids, documents = _read(stream, starts, window + int(next_words), whole=config.whole_documents)
    if next_words:
        masked, documents = next_tokens(ids, documents), documents[:, :-1]
    elif text.vocabulary is None:
        raise ValueError("masking needs a vocabulary")
    else:
        masked = mask_tokens(
            ids,
            text.vocabulary,
            share=config.mask_share or 0.0,
            generator=generator,
            whole_words=config.whole_words,
            keep_some=config.keep_some,
        )
    is_one = bool((documents == documents[:, :1]).all())
    windows = Windows(
        ids=torch.from_numpy(masked.ids),
        targets=torch.from_numpy(masked.targets),
        documents=None if is_one else torch.from_numpy(np.ascontiguousarray(documents)),
        looks_back=next_words,
    )
    return windows, torch.from_numpy(masked.labels)


def own_share(windows: Windows, labels: Tensor, world: World) -> tuple[Windows, Tensor]:
    """Return this process's windows of a part, and what belongs at their targets; perhaps none."""
    number = len(windows.ids)
    own, is_own = windows.rows(number * world.rank // world.size, number * (world.rank + 1) // world.size)
    return own, labels[is_own]


def nothing_of(windows: Windows, labels: Tensor) -> tuple[Windows, Tensor]:
    """Return one window in which nothing is to be predicted, for a process without any: it takes part in every update."""
    return replace(windows.rows(0, 1)[0], targets=windows.targets[:0]), labels[:0]


def _read(stream: Stream, starts: Ids, length: int, *, whole: bool) -> tuple[Ids, npt.NDArray[np.int32]]:
    if not whole:
        return stream.windows(starts, length)
    ids, mask = stream.documents(starts, length)
    padding = -1 - np.arange(ids.shape[1], dtype=np.int32) % 2  # no two that touch are of one document: none is a target
    own = np.broadcast_to(np.arange(len(ids), dtype=np.int32)[:, None], ids.shape)
    return ids, np.where(mask.astype(bool), own, padding[None])
