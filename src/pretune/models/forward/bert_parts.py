"""The parts of a layer built like BERT's, and how its states are laid out by row and by head."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The linear layers and norms of one layer, in the order in which they come."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    out: nn.Linear
    first_norm: nn.LayerNorm
    widening: nn.Linear
    narrowing: nn.Linear
    second_norm: nn.LayerNorm

    @staticmethod
    def of(layer: Any) -> "Parts | None":
        """Return the parts of a layer; ``None`` where adapters wrap them, or its activation is another than the exact GELU."""
        attention, output = layer.attention.self, layer.attention.output
        linear = {"query": attention.query, "key": attention.key, "value": attention.value, "out": output.dense}
        linear |= {"widening": layer.intermediate.dense, "narrowing": layer.output.dense}
        norms = {"first_norm": output.LayerNorm, "second_norm": layer.output.LayerNorm}
        is_plain = all(type(module) is nn.Linear and module.bias is not None for module in linear.values())
        is_gelu = getattr(layer.intermediate.intermediate_act_fn, "act", None) is functional.gelu
        return Parts(**linear, **norms) if is_plain and is_gelu else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What an attention measures; ``scaling`` is the factor on its scores, ``asked`` how many tokens of a text ask."""

    batch: int
    time: int
    asked: int
    heads: int
    size: int
    scaling: float

    @staticmethod
    def of(layer: Any, hidden: Tensor, *, only_first: bool) -> "Sizes":
        """Return the sizes of a layer that reads ``hidden`` (batch, time, width)."""
        (batch, time, width), attention = hidden.shape, layer.attention.self
        size = int(attention.attention_head_size)
        return Sizes(
            batch=batch, time=time, asked=1 if only_first else time, heads=width // size, size=size, scaling=attention.scaling
        )

    @property
    def all_ask(self) -> bool:
        """Whether every token asks, not the first alone."""
        return self.asked == self.time

    def rows_that_ask(self, hidden: Tensor) -> Tensor:
        """(batch, time, width) → (batch × asked, width), end to end: rows with gaps would be one more shape a width."""
        return hidden[:, : self.asked].reshape(-1, hidden.shape[2]).contiguous()

    def by_head(self, rows: Tensor) -> Tensor:
        """(batch × n, k × width) → (k, batch × heads, n, size)."""
        parts = rows.view(self.batch, -1, rows.shape[1] // (self.heads * self.size), self.heads, self.size)
        return parts.permute(2, 0, 3, 1, 4).reshape(parts.shape[2], self.batch * self.heads, -1, self.size)

    def by_row(self, parts: Tensor, *, room: Tensor | None = None) -> Tensor:
        """(k, batch × heads, n, size) → (batch × n, k × width), or into the first rows of ``room``, which is returned."""
        split = parts.view(len(parts), self.batch, self.heads, -1, self.size).permute(1, 3, 0, 2, 4)
        if room is None:
            return split.reshape(self.batch * split.shape[1], -1)
        room[: self.batch * split.shape[1]].view(split.shape).copy_(split)
        return room

    def by_text(self, rows: Tensor) -> Tensor:
        """(batch × n, width) → (batch, n, width)."""
        return rows.view(self.batch, -1, rows.shape[1])
