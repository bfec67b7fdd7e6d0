"""What a network reads: texts to be classified, or windows of token streams with words to be predicted."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Texts on their way: as ids, as hidden states below the layer ``start``, or pooled."""

    ids: Tensor | None = None  # (batch, time)
    mask: Tensor | None = None  # (batch, time), 1 at real tokens; (batch, 0) when pooled; None where nothing is padded
    hidden: Tensor | None = None  # (batch, time, width)
    pooled: Tensor | None = None  # (batch, width)
    start: int = 0  # the layer that reads ``hidden``
    documents: Tensor | None = None  # (batch, time): no token sees one of another document; None where all are of one
    looks_back: bool = False  # whether tokens look back only, also where the model could look both ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows(Batch):
    """Slices of token streams, and where in them something is to be predicted."""

    ids: Tensor  # (batch, time), as the model reads them
    targets: Tensor  # (targets,), places in the flattened window at which a word is predicted

    def to(self, device: str) -> "Windows":
        """Return the same on a device."""
        documents = None if self.documents is None else self.documents.to(device)
        return replace(self, ids=self.ids.to(device), targets=self.targets.to(device), documents=documents)

    def rows(self, first: int, last: int) -> tuple["Windows", Tensor]:
        """Return the windows from ``first`` to before ``last``, and which of all targets lie in them, (targets,) of bool."""
        time = self.ids.shape[1]
        own = (self.targets >= first * time) & (self.targets < last * time)
        documents = None if self.documents is None else self.documents[first:last]
        return replace(self, ids=self.ids[first:last], targets=self.targets[own] - first * time, documents=documents), own
