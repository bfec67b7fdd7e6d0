"""ModernBERT: some layers see the whole text, the others a window around each token."""

from typing import Any

from torch import Tensor

from pretune.models.batch import Batch
from pretune.models.families.family import ClassHead, Family, WordHead, mean_pool
from pretune.models.forward.bias import bias_of, causal_bias, compute_dtype, near_bias
from pretune.models.forward.prenorm import Context, call_modernbert, rotary_tables


def context(trunk: Any, hidden: Tensor, batch: Batch) -> dict[str, Context]:
    """Return what the layers of each kind need."""
    bias, dtype, time = bias_of(hidden, batch, looks_back=batch.looks_back), compute_dtype(hidden), hidden.shape[1]
    reach, found = trunk.config.local_attention // 2, {}
    for kind in set(trunk.config.layer_types):
        own = bias
        if kind != "full_attention" and time > reach + 1:
            back = causal_bias(time, hidden.to(dtype)) if bias is None and batch.looks_back else bias
            own = near_bias(time, reach, dtype, back)
        frequencies, scale = (getattr(trunk.rotary_emb, f"{kind}_{name}") for name in ("inv_freq", "attention_scaling"))
        tables = rotary_tables(frequencies, time, dtype, scale=scale)
        found[kind] = Context(bias=own, is_causal=batch.looks_back, rotary=tables)
    return found


def call(layer: Any, hidden: Tensor, context: dict[str, Context]) -> Tensor:
    """(batch, time, width) → the same."""
    return call_modernbert(layer, hidden, context[layer.attention_type])


def pool(model: Any, hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Return the first token's state, or the mean, as the checkpoint says."""
    return hidden[:, 0] if model.config.classifier_pooling == "cls" else mean_pool(hidden, mask)


FAMILY = Family(
    name="modernbert",
    trunk="model",
    layers="layers",
    context=context,
    call=call,
    finish=lambda trunk, hidden: trunk.final_norm(hidden),
    last_norm="final_norm",
    classes=ClassHead(
        weights=("head", "classifier"),
        pool=pool,
        decide=lambda model, pooled: model.classifier(model.drop(model.head(pooled))),
    ),
    words=WordHead(output="decoder", transform=lambda model, states: model.head(states)),
)
