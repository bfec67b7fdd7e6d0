"""Encoded texts as input of a network: ids, or the output of the frozen trunk, computed once.

Below the freeze boundary nothing learns and dropout is off, so its output is the same in every epoch.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pretune.errors import StorageError
from pretune.models.batch import Batch
from pretune.models.forward.bert_scoring import for_scoring
from pretune.models.heads import ClassNetwork
from pretune.models.trunk_cache import TrunkCache, trunk_key
from pretune.tokens import Encoded, pad, padded_width, plan_scoring

# Hidden states beyond this size go to a memory-mapped temporary file, so that memory stays flat in the rows.
MAX_BYTES_IN_MEMORY = 1 << 30

Progress = Callable[[int, int], None]


class Inputs:
    """Texts of one split, ready to be batched by index.

    Args:
        encoded: Their token ids.
        start: The first layer that will read them; 0 keeps ids.
        hidden: (tokens, width) states below layer ``start``, laid end to end.
        pooled: (texts, width) output of a wholly frozen trunk.
        reused: Whether an earlier run has computed the states.
    """

    def __init__(
        self,
        encoded: Encoded,
        *,
        start: int = 0,
        hidden: Tensor | None = None,
        pooled: Tensor | None = None,
        reused: bool = False,
    ) -> None:
        self.encoded, self.start, self.hidden, self.pooled, self.reused = encoded, start, hidden, pooled, reused

    def __len__(self) -> int:
        return len(self.encoded)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens a text, or ones where only the pooled state is read; shape (num_texts,)."""
        return np.ones(len(self), dtype=np.int64) if self.pooled is not None else self.encoded.lengths

    def batch(self, rows: Sequence[int] | npt.NDArray[np.int64], device: torch.device | str = "cpu") -> Batch:
        """Return these texts, padded to the longest."""
        if self.pooled is not None:
            return Batch(mask=torch.empty(len(rows), 0), pooled=_move(self.pooled[torch.as_tensor(rows)], device))
        longest = max((int(self.encoded.offsets[row + 1] - self.encoded.offsets[row]) for row in rows), default=0)
        ids, mask = pad(self.encoded, rows, width=padded_width(longest, self.encoded.counts.max_length))
        mask_tensor = _move(torch.from_numpy(mask), device)
        if self.hidden is None:
            return Batch(mask=mask_tensor, ids=_move(torch.from_numpy(ids), device))
        states = torch.zeros(*mask.shape, self.hidden.shape[1], dtype=self.hidden.dtype)
        for index, row in enumerate(rows):
            piece = self.hidden[self.encoded.offsets[row] : self.encoded.offsets[row + 1]]
            states[index, : len(piece)] = piece
        return Batch(mask=mask_tensor, hidden=_move(states, device), start=self.start)


@torch.inference_mode()
def prepare_inputs(
    network: ClassNetwork,
    encoded: Encoded,
    boundary: int,
    *,
    progress: Progress | None = None,
    cache: TrunkCache | None = None,
    part: tuple[int, int] = (0, 1),
) -> Inputs:
    """Run the frozen part of the network once over all texts, or take what an earlier run has kept of it.

    Args:
        network: Its embeddings and its layers below ``boundary`` are taken as frozen; it is left in the mode it was in.
        encoded: The texts.
        boundary: The first trained layer; 0 means that nothing is frozen and ids are kept.
        progress: Called with (texts done, texts in all); not at all where an earlier run has done the work.
        cache: Where such states are kept; ``None`` keeps none.
        part: Compute only batch k, k + n, k + 2 n, … of the same batches, without a cache; the states of the others are zeros.

    Raises:
        StorageError: Their states fit neither into memory nor on the disk.
    """
    if boundary == 0 or network.family is None:
        return Inputs(encoded)
    whole = boundary == len(network.layers)
    width, kind = int(network.trunk.config.hidden_size), next(network.parameters()).device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
    shape = (len(encoded) if whole else int(encoded.offsets[-1]), width)

    def fill(store: Tensor) -> Tensor:
        _fill(store, network, encoded, None if whole else boundary, progress, part=part)
        return store

    key = "" if cache is None else trunk_key(network, encoded, boundary, dtype)
    states = None if cache is None else cache.get(key, shape, dtype)
    reused = states is not None
    if cache is not None and states is None:
        states = cache.put(key, shape, dtype, fill)
    if states is None:
        states = fill(_empty(shape, dtype))
    if whole:
        return Inputs(encoded, start=boundary, pooled=states, reused=reused)
    return Inputs(encoded, start=boundary, hidden=states, reused=reused)


def _fill(
    store: Tensor,
    network: ClassNetwork,
    encoded: Encoded,
    boundary: int | None,
    progress: Progress | None,
    *,
    part: tuple[int, int],
) -> None:
    """Compute the states below ``boundary``, or the pooled ones, in a fixed plan, so that their bits are always the same."""
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    source, done, batches = Inputs(encoded), 0, plan_scoring(encoded.lengths)
    with for_scoring(network, len(batches)):
        for rows in batches[part[0] :: part[1]]:
            batch = source.batch(rows, device)
            if boundary is None:
                store[torch.as_tensor(rows)] = network.summarize(batch).to("cpu", store.dtype)
            else:
                _scatter(store, network.run(batch, boundary).to("cpu", store.dtype), encoded, rows)
            done += len(rows)
            if progress is not None:
                progress(done, len(encoded))
    network.train(was_training)


def _move(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Bring a tensor to a device; to a GPU from pinned memory, so that nobody waits for the copy."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _scatter(store: Tensor, hidden: Tensor, encoded: Encoded, rows: npt.NDArray[np.int64]) -> None:
    for index, row in enumerate(rows):
        start, stop = encoded.offsets[row], encoded.offsets[row + 1]
        store[start:stop] = hidden[index, : stop - start]


def _empty(shape: tuple[int, int], dtype: torch.dtype) -> Tensor:
    size = shape[0] * shape[1] * dtype.itemsize
    if size <= MAX_BYTES_IN_MEMORY:
        return torch.zeros(shape, dtype=dtype)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < size:  # a full disk under a memory map ends the process without a message
        raise StorageError(
            f"the frozen trunk's states take {size:,} bytes and {tempfile.gettempdir()} has {free:,}",
            expected="enough free space",
            fix="free some space, name another folder in TMPDIR, or train all layers with --freeze none",
        )
    with tempfile.NamedTemporaryFile(prefix="pretune-trunk-") as file:  # unlinked at once: gone with the process
        file.truncate(size)
        return torch.from_file(file.name, shared=True, size=shape[0] * shape[1], dtype=dtype).view(shape)
