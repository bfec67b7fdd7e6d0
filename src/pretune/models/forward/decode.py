"""Decoding of Llama and models built like it: prompts are read once, then one token a step for every reply.

Keys and values of all tokens are kept in a room of fixed size; each reply has a row there and begins at its left, so tokens
have their true positions whatever the length of their neighbours. Weights are laid out once.
Shapes: hidden (rows, width); ids (batch, time), prompts begin at the left; logits (rows, vocabulary).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pretune.errors import UsageError
from pretune.models.forward.prenorm import rotary_tables
from pretune.models.forward.products import Product, dtype_of, lay_out
from pretune.models.heads import LanguageNetwork

GRAIN = 128  # positions by which the tables of rotations grow


class Room:
    """Keys and values of every layer.

    Args:
        num_layers: Of the model.
        shape: Replies at once, tokens of each (its prompt included), heads of keys, and their size.
        like: Its precision and device.

    Attributes:
        layers: Of each layer, keys and values of one token side by side: (batch, capacity, 2 × heads × size).
        flat: The same, (batch × capacity, 2 × heads × size).
        split: The same, keys and values apart: two times (batch, heads, capacity, size).
    """

    def __init__(self, num_layers: int, shape: tuple[int, int, int, int], like: Tensor) -> None:
        batch, self.capacity, heads, size = shape
        # Zeros: what is masked out is still multiplied, and whatever lay in memory may be no number.
        self.layers = [like.new_zeros(batch, self.capacity, 2 * heads * size) for _ in range(num_layers)]
        self.flat = [layer.view(-1, 2 * heads * size) for layer in self.layers]
        apart = [layer.view(batch, self.capacity, 2, heads, size).transpose(1, 3) for layer in self.layers]
        self.split = [(both[:, :, 0], both[:, :, 1]) for both in apart]
        self.lengths = torch.zeros(batch, dtype=torch.int64, device=like.device)

    def move(self, source: int, target: int) -> None:
        """Let a row take the place of another."""
        length = int(self.lengths[source])
        for layer in self.layers:
            layer[target, :length] = layer[source, :length]
        self.lengths[target] = self.lengths[source]


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer, laid out."""

    inside: Product  # query, key and value
    out: Product
    widen: Product  # gate and up
    narrow: Product
    norms: tuple[Tensor, Tensor]


class Decoder:
    """A network laid out for decoding; later changes of its weights do not reach it.

    Args:
        network: Of the family ``llama``.
        precision: ``fp32`` or ``bf16``, of products, keys and values; ``int8`` and ``int4`` are bf16 with smaller weights. What
            layers add to stays in fp32.

    Raises:
        UsageError: The network predicts hidden words, or is of another family.
    """

    def __init__(self, network: LanguageNetwork, precision: str = "fp32") -> None:
        family = network.walked()
        if family.name != "llama":
            raise UsageError(
                f"pretune cannot write replies with {family.name!r} models",
                expected="a Llama-like causal model",
                fix="use such a model, such as smollm2",
            )
        trunk, layers = network.trunk, list[Any](network.layers)
        first = layers[0].self_attn
        self.dtype, self.precision = dtype_of(precision), precision
        self.size, self.groups, self.scale = int(first.head_dim), int(first.num_key_value_groups), float(first.scaling)
        self.num_kept = int(first.k_proj.weight.shape[0]) // self.size  # heads of keys and of values
        self.num_asking = self.num_kept * self.groups
        self._parts = [self.num_asking * self.size, 2 * self.num_kept * self.size]
        self.activation = layers[0].mlp.act_fn
        self.max_positions = int(network.model.config.max_position_embeddings)
        self.embedding: Tensor = trunk.embed_tokens.weight.detach()
        self.last_norm: Tensor = trunk.norm.weight.detach().float()
        self._epsilon = torch.tensor(float(trunk.norm.variance_epsilon), device=self.embedding.device)
        self.layers = [self._lay_out(layer) for layer in layers]
        self.output = lay_out([network.output], "int8" if precision == "int4" else precision)  # it decides the words
        rotary = trunk.rotary_emb
        self._frequencies, self._stretch = rotary.inv_freq, float(rotary.attention_scaling)
        self._tables = torch.empty(2, 0, self.size)
        self._grow(GRAIN)

    def room(self, batch: int, capacity: int) -> Room:
        """Return room for so many replies of so many tokens, their prompts included."""
        self._grow(capacity)
        like = torch.empty(0, dtype=self.dtype, device=self.embedding.device)
        return Room(len(self.layers), (batch, capacity, self.num_kept, self.size), like)

    def read(self, ids: Tensor, room: Room | None = None, rows: Tensor | None = None) -> Tensor:
        """Read prompts from their first token on; return the states of all tokens, (batch, time, width).

        Args:
            ids: Filled up with anything at the right.
            room: Where keys and values are kept, if anything is to follow.
            rows: Which rows of it, (batch,).
        """
        batch, time = ids.shape
        self._grow(time)
        hidden = self.embedding[ids.flatten()].float()
        cosines, sines = self._tables[:, :time].repeat(1, batch, 1)[:, :, None]
        for index, layer in enumerate(self.layers):
            asked, kept = self._inside(layer, hidden, cosines, sines)
            if room is not None:
                room.layers[index][rows, :time] = kept.view(batch, time, -1)
            query = asked.view(batch, time, self.num_asking, self.size).transpose(1, 2)
            key, value = kept.view(batch, time, 2, self.num_kept, self.size).permute(2, 0, 3, 1, 4)
            if self.groups > 1:
                key, value = (states.repeat_interleave(self.groups, dim=1) for states in (key, value))
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=self.scale)
            hidden = self._after(layer, hidden, mixed.transpose(1, 2).reshape(batch * time, -1))
        return hidden.view(batch, time, -1)

    def step(self, ids: Tensor, room: Room) -> Tensor:
        """Read the next token of the first rows of a room, (rows,); return its states, (rows, width)."""
        count = len(ids)
        lengths = room.lengths[:count]
        longest = int(lengths.max()) + 1
        places = torch.arange(count, device=ids.device) * room.capacity + lengths
        bias = None
        if int(lengths.min()) + 1 < longest:
            is_free = torch.arange(longest, device=ids.device) > lengths[:, None]
            bias = torch.zeros(is_free.shape, dtype=self.dtype, device=ids.device)
            bias = bias.masked_fill_(is_free, torch.finfo(self.dtype).min)[:, None, None].expand(-1, 1, self.groups, -1)
        hidden, (cosines, sines) = self.embedding[ids].float(), self._tables[:, lengths][:, :, None]
        for layer, flat, (keys, values) in zip(self.layers, room.flat, room.split, strict=True):
            asked, kept = self._inside(layer, hidden, cosines, sines)
            flat.index_copy_(0, places, kept)
            query = asked.view(count, self.num_kept, self.groups, self.size)
            key, value = keys[:count, :, :longest], values[:count, :, :longest]
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=self.scale)
            hidden = self._after(layer, hidden, mixed.reshape(count, -1))
        room.lengths[:count] += 1
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """(rows, width) → logits (rows, vocabulary), in float32."""
        return self.output(self._norm(hidden, self.last_norm)).float()

    def _inside(self, layer: _Layer, hidden: Tensor, cosines: Tensor, sines: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries (rows, asking heads × size), and keys and values side by side; both turned by their positions."""
        found = layer.inside(self._norm(hidden, layer.norms[0]))
        turned = found.view(len(found), -1, self.size)[:, : self.num_asking + self.num_kept]
        halves = turned.roll(self.size // 2, dims=-1)
        turned.mul_(cosines).addcmul_(halves, sines)
        asked, kept = torch.split(found, self._parts, dim=-1)
        return asked, kept

    def _after(self, layer: _Layer, hidden: Tensor, mixed: Tensor) -> Tensor:
        """Add what attention found, and what the feed-forward makes of that."""
        hidden = hidden + layer.out(mixed)
        gate, up = layer.widen(self._norm(hidden, layer.norms[1])).chunk(2, dim=-1)
        return hidden.add_(layer.narrow(self.activation(gate).mul_(up)))

    def _norm(self, hidden: Tensor, weight: Tensor) -> Tensor:
        """Return ``rms_norm``, in the precision of products and in half of the operations."""
        squares = torch.linalg.vecdot(hidden, hidden)[:, None]
        scaled = hidden * torch.add(self._epsilon, squares, alpha=1 / hidden.shape[1]).rsqrt_()
        return torch.mul(scaled, weight, out=torch.empty(hidden.shape, dtype=self.dtype, device=hidden.device))

    def _lay_out(self, layer: Any) -> _Layer:
        attention, forward = layer.self_attn, layer.mlp
        norms = (layer.input_layernorm.weight.detach().float(), layer.post_attention_layernorm.weight.detach().float())
        return _Layer(
            inside=lay_out([attention.q_proj, attention.k_proj, attention.v_proj], self.precision),
            out=lay_out([attention.o_proj], self.precision),
            widen=lay_out([forward.gate_proj, forward.up_proj], self.precision),
            narrow=lay_out([forward.down_proj], self.precision),
            norms=norms,
        )

    def _grow(self, num_positions: int) -> None:
        """Have the rotations of at least so many positions: (cosines and signed sines, positions, size)."""
        if self._tables.shape[1] < num_positions:
            number = -(-num_positions // GRAIN) * GRAIN
            tables = rotary_tables(self._frequencies, number, self.dtype, scale=self._stretch)
            self._tables = torch.stack(tables).squeeze(2)
