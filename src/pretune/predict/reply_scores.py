"""How probable reference replies are to a network: nats, summed over the tokens of each, its stop token included."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pretune.models import LanguageNetwork
from pretune.models.forward.decode import Decoder
from pretune.predict.replies import MAX_READ, pad_right
from pretune.records.conversation import ReplyScore

BLOCK = 256  # tokens whose logits are there at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A conversation as ids, and where in it the reference reply is.

    Args:
        id: Of the conversation.
        ids: All of it, the prompt first.
        start: The reply's first token; at least 1.
        end: Behind its stop token, or where the reply is cut.
        num_bytes: Of its text in UTF-8.
    """

    id: str
    ids: Sequence[int]
    start: int
    end: int
    num_bytes: int


def score_replies(
    network: LanguageNetwork,
    references: Sequence[Reference],
    *,
    precision: str = "fp32",
    progress: Callable[[int, int], object] | None = None,
) -> tuple[ReplyScore, ...]:
    """Return the score of each reference reply, in their order.

    Args:
        network: A Llama-like language model.
        references: What came before each, and it.
        precision: As in ``Decoding``.
        progress: Told how many are scored, and of how many.

    Raises:
        UsageError: The network is of another family.
    """
    decoder, nats, done = Decoder(network, precision), [0.0] * len(references), 0
    with torch.inference_mode():
        for places in _in_batches([item.end for item in references]):
            found = _score(decoder, [references[place] for place in places])
            for place, value in zip(places, found, strict=True):
                nats[place] = value
            done += len(places)
            if progress is not None:
                progress(done, len(references))
    return tuple(
        ReplyScore(id=item.id, nats=value, tokens=item.end - item.start, bytes=item.num_bytes)
        for item, value in zip(references, nats, strict=True)
    )


def _score(decoder: Decoder, references: Sequence[Reference]) -> list[float]:
    ids, _ = pad_right([item.ids[: item.end] for item in references])
    states = decoder.read(ids)
    rows = torch.cat([torch.full((item.end - item.start,), row) for row, item in enumerate(references)])
    places = torch.cat([torch.arange(item.start, item.end) for item in references])
    asked, labels = states[rows, places - 1], ids[rows, places]
    lost = torch.cat(
        [_lost(decoder, *block) for block in zip(torch.split(asked, BLOCK), torch.split(labels, BLOCK), strict=True)]
    )
    found: list[float] = torch.zeros(len(references), dtype=torch.float64).index_add_(0, rows, lost.double()).tolist()
    return found


def _lost(decoder: Decoder, states: Tensor, labels: Tensor) -> Tensor:
    """Return the nats of each label: states (tokens, width), labels (tokens,)."""
    return functional.cross_entropy(decoder.logits(states), labels, reduction="none")


def _in_batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return places of rows that are read together: of like length, and few enough."""
    found, batch = list[list[int]](), list[int]()
    for place in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if batch and lengths[batch[0]] * (len(batch) + 1) > MAX_READ:
            found.append(batch)
            batch = []
        batch.append(place)
    return [*found, batch] if batch else found
