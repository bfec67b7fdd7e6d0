"""The output of frozen trunks, kept on disk between runs: the same weights and the same tokens are computed once.

An entry is a folder, named by a digest of everything its bits depend on. It is mapped into memory, so it takes no memory of its
own. Deleting it costs time and nothing else.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pretune import storage
from pretune.errors import StorageError
from pretune.hashing import digest_of, digest_of_file
from pretune.models.heads import ClassNetwork
from pretune.tokens import Encoded

# Bytes of one entry and of all together, and the share of the free disk that all together may take.
MAX_ENTRY, MAX_TOTAL, MAX_SHARE = 2 << 30, 4 << 30, 0.25
# Counts the changes of the forward pass that change bits of states which the versions below do not tell apart.
FORWARD = 3
STATES, ABOUT = "states.bin", "about.json"
# What a process that was killed left behind is removed after this many seconds.
STALE = 24 * 3600
# Settings of a checkpoint on which the states of its trunk do not depend.
ABOUT_THE_HEAD = {"_name_or_path", "architectures", "dtype", "id2label", "label2id", "problem_type", "transformers_version"}


def trunk_key(network: ClassNetwork, encoded: Encoded, boundary: int, dtype: torch.dtype) -> str:
    """Return the digest of all that the states below ``boundary`` depend on, as 32 hexadecimal digits.

    Args:
        network: Weights of its head and of the layers from ``boundary`` on do not count.
        encoded: The token ids.
        boundary: The first layer that is not part of it.
        dtype: What the states are kept in.
    """
    above = {id(weight) for layer in network.layers[boundary:] for weight in layer.parameters()}
    above |= {id(weight) for weight in network.head_parameters()}
    held = hashlib.sha256()
    for name, weight in network.trunk.named_parameters():
        if id(weight) not in above:
            held.update(name.encode())
            held.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    for part in (encoded.ids, encoded.offsets):
        held.update(part.tobytes())
    settings = network.trunk.config.to_dict().items()
    config = {key: value for key, value in settings if key not in ABOUT_THE_HEAD and "dropout" not in key}
    device = next(network.parameters()).device.type
    processor: Any = getattr(torch.cpu, "get_capabilities", dict)() if device == "cpu" else torch.cuda.get_device_name()
    if boundary < len(network.layers):
        pool = "none"
    elif network.head is not None:
        pool = "mean"
    else:
        pool = f"{network.model.config.model_type}{' of the mean' * network.takes_mean}"
    about = [FORWARD, held.hexdigest(), config, boundary, pool, str(dtype), device, processor, torch.get_num_threads()]
    return digest_of([*about, torch.__version__, version("transformers"), version("pretune")])[:32]


class TrunkCache:
    """The entries of one user.

    Args:
        folder: Where; by default ``trunk`` in the user's cache folder.
        max_entry: Bytes of one entry; larger ones are not kept.
        max_total: Bytes of all; those that were not used for longest go first.
    """

    def __init__(self, folder: Path | None = None, *, max_entry: int = MAX_ENTRY, max_total: int = MAX_TOTAL) -> None:
        self.folder = folder or storage.cache_folder() / "trunk"
        self.max_entry, self.max_total = max_entry, max_total

    def get(self, key: str, shape: tuple[int, int], dtype: torch.dtype) -> Tensor | None:
        """Return an entry, mapped from its file; ``None`` where there is none, or where it is not what was written."""
        entry = self.folder / key
        try:
            about = storage.read_json(entry / ABOUT)
            is_whole = about == _about(entry / STATES, shape, dtype)
        except (StorageError, OSError):
            return None
        if not is_whole:
            shutil.rmtree(entry, ignore_errors=True)
            return None
        try:
            os.utime(entry)
            return _map(entry / STATES, shape, dtype, shared=False)
        except (OSError, RuntimeError):  # another process has just dropped it
            return None

    def put(self, key: str, shape: tuple[int, int], dtype: torch.dtype, fill: Callable[[Tensor], Any]) -> Tensor | None:
        """Make an entry, filled in place, and return it; ``None`` where there is no room for it.

        Args:
            key: From ``trunk_key``.
            shape: Rows and width.
            dtype: Of each number.
            fill: Writes every row of the tensor that it is given.
        """
        size = shape[0] * shape[1] * dtype.itemsize
        if not 0 < size <= self.max_entry or not self._has_room(size):
            return None

        def write(aside: Path) -> None:
            with (aside / STATES).open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error here, not the end of the process later
            fill(_map(aside / STATES, shape, dtype, shared=True))
            storage.replace_json(aside / ABOUT, _about(aside / STATES, shape, dtype))

        try:
            storage.replace(self.folder / key, write)
            self._trim(keep=key)
        except StorageError:
            return None
        return self.get(key, shape, dtype)

    def _has_room(self, size: int) -> bool:
        place = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        return size <= MAX_SHARE * shutil.disk_usage(place).free

    def _trim(self, *, keep: str) -> None:
        """Drop what is beyond the limit, and what killed processes left half-made."""
        total = 0
        for entry in sorted(self.folder.iterdir(), key=_last_used, reverse=True):
            if entry.name.startswith("."):
                if time.time() - _last_used(entry) > STALE:
                    shutil.rmtree(entry, ignore_errors=True)
                continue
            total += sum(file.stat().st_size for file in entry.glob("*"))
            if total > self.max_total and entry.name != keep:
                shutil.rmtree(entry, ignore_errors=True)


def _about(path: Path, shape: tuple[int, int], dtype: torch.dtype) -> dict[str, Any]:
    return {"shape": list(shape), "dtype": str(dtype), "digest": digest_of_file(path)}


def _map(path: Path, shape: tuple[int, int], dtype: torch.dtype, *, shared: bool) -> Tensor:
    if path.stat().st_size < shape[0] * shape[1] * dtype.itemsize:
        raise OSError(f"{path} is too short")
    return torch.from_file(str(path), shared=shared, size=shape[0] * shape[1], dtype=dtype).view(shape)


def _last_used(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0
