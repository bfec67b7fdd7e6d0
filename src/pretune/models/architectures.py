"""Language models to train from scratch: one setting for the size, and any field of the configuration can be set.

The result is a plain configuration of transformers, which loads what pretune saves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import LlamaConfig, LlamaForCausalLM, ModernBertConfig, ModernBertForMaskedLM

from pretune.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One size: everything else follows from it.

    Args:
        width: Features of a token; heads have 64 each.
        num_layers: Transformer layers.
        vocab_size: Tokens that a tokenizer trained for it has.
    """

    width: int
    num_layers: int
    vocab_size: int


HEAD_SIZE = 64
SIZES = {
    "tiny": Dial(width=192, num_layers=4, vocab_size=8_192),
    "small": Dial(width=256, num_layers=6, vocab_size=8_192),
    "base": Dial(width=768, num_layers=12, vocab_size=32_768),
}
OBJECTIVES = ("masked", "causal")
# Positions that a model has; rotary positions cost no weights.
MAX_POSITIONS = 1024
# What decides whether the folder fits the tokenizer, or is not a matter of size.
NOT_TO_BE_SET = ("vocab_size", "model_type", "architectures", "auto_map", "dtype", "torch_dtype", "num_labels", "id2label")


def new_language_model(objective: str, size: str, tokenizer: Any, fields: Mapping[str, Any] | None = None) -> Any:
    """Return a model with random weights: ModernBERT's architecture for masked words, Llama's for next words.

    Args:
        objective: ``masked`` or ``causal``.
        size: ``tiny``, ``small`` or ``base``.
        tokenizer: Its special tokens and number of tokens go into the configuration.
        fields: Fields of the configuration to set besides, such as ``{"num_hidden_layers": 8}``.

    Raises:
        UsageError: A field is not known or its value does not fit.
    """
    dial, kind = SIZES[size], ModernBertConfig if objective == "masked" else LlamaConfig
    known = {**_common(dial, tokenizer), **(_masked(tokenizer) if objective == "masked" else _causal(tokenizer))}
    _check_fields(kind, fields or {})
    given = dict(fields or {})
    width = given.get("hidden_size", dial.width)
    if isinstance(width, int) and width > 0:
        given = {"num_attention_heads": max(1, width // HEAD_SIZE), "intermediate_size": inner_size(width), **given}
    num_layers = given.get("num_hidden_layers", dial.num_layers)
    if objective == "masked" and isinstance(num_layers, int):
        # Windows are short: every layer sees all of one, and of longer texts in fine-tuning.
        given.setdefault("layer_types", ["full_attention"] * num_layers)
    try:
        config = kind(**{**known, **given})
        if config.hidden_size % config.num_attention_heads:
            raise ValueError(f"hidden_size {config.hidden_size} is not a multiple of {config.num_attention_heads} heads")
        if config.hidden_size // config.num_attention_heads % 2:
            raise ValueError("rotary positions turn pairs of features, and a head has an odd number of them")
        return (ModernBertForMaskedLM if objective == "masked" else LlamaForCausalLM)(config)
    except (ValueError, TypeError, KeyError, RuntimeError, ZeroDivisionError, StrictDataclassError) as error:
        raise UsageError(
            f"the architecture cannot be built: {' '.join(str(error).split())[:200]}",
            expected=f"fields of {kind.__name__} that fit together",
            fix="check what was given as --architecture",
        ) from error


def check_architecture(objective: str, size: str, fields: Mapping[str, Any]) -> None:
    """Refuse fields that no model can be built of, before there is a tokenizer; no weight takes memory.

    Raises:
        UsageError: A field is not known or its value does not fit.
    """
    with torch.device("meta"):
        new_language_model(objective, size, _StandIn(), fields)


def inner_size(width: int) -> int:
    """Return the width inside a gated feed-forward: 8/3 of the outer one, as many weights as without a gate, by 64."""
    return max(64, round(width * 8 / 3 / 64) * 64)


class _StandIn:
    """What an architecture asks of a tokenizer."""

    pad_token_id, cls_token_id, sep_token_id, bos_token_id, eos_token_id = range(5)

    def __len__(self) -> int:
        return 512


def _common(dial: Dial, tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": dial.width,
        "num_hidden_layers": dial.num_layers,
        "max_position_embeddings": MAX_POSITIONS,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }


def _masked(tokenizer: Any) -> dict[str, Any]:
    return {
        "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 10_000.0}},
        "classifier_pooling": "mean",
        "cls_token_id": tokenizer.cls_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
    }


def _causal(tokenizer: Any) -> dict[str, Any]:
    ending = tokenizer.eos_token_id
    return {"bos_token_id": tokenizer.bos_token_id if tokenizer.bos_token_id is not None else ending, "eos_token_id": ending}


def _check_fields(kind: Any, fields: Mapping[str, Any]) -> None:
    allowed = sorted(name for name in set(kind.__dataclass_fields__) - set(NOT_TO_BE_SET) if not name.startswith("_"))
    for name in fields:
        if name not in allowed:
            near = get_close_matches(name, allowed, n=1)
            raise UsageError(
                f"{kind.__name__} has no field {name!r} that can be set",
                expected="such as hidden_size, num_hidden_layers, num_attention_heads, intermediate_size",
                fix=f"did you mean {near[0]!r}?" if near else "",
            )
