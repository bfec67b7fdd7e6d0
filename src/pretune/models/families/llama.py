"""Llama and models built like it: next words."""

from typing import Any

from torch import Tensor

from pretune.models.batch import Batch
from pretune.models.families.family import Family, WordHead
from pretune.models.forward.bias import bias_of, compute_dtype
from pretune.models.forward.prenorm import Context, call_llama, rms_norm, rotary_tables


def context(trunk: Any, hidden: Tensor, batch: Batch) -> Context:
    """Return what all of its layers need."""
    rotary, time = trunk.rotary_emb, hidden.shape[1]
    tables = rotary_tables(rotary.inv_freq, time, compute_dtype(hidden), scale=rotary.attention_scaling)
    return Context(bias=bias_of(hidden, batch, looks_back=True), is_causal=True, rotary=tables)


FAMILY = Family(
    name="llama",
    trunk="model",
    layers="layers",
    embed=lambda trunk, batch: trunk.embed_tokens(batch.ids),
    context=context,
    call=call_llama,
    finish=lambda trunk, hidden: rms_norm(trunk.norm, hidden),
    last_norm="norm",
    words=WordHead(output="lm_head", transform=lambda model, states: states, is_causal=True),
)
