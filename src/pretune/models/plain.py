"""What plain transformers reads: weights, configuration and tokenizer, written so that it cuts and answers as pretune does."""

import json
from pathlib import Path
from typing import Any

from pretune.models.quiet import quiet_transformers
from pretune.tokens.encode import uncut

# What a tokenizer keeps of how its checkpoint was once read: each would cut, pad or look elsewhere than pretune does.
OF_THE_CHECKPOINT = (
    "max_length",
    "stride",
    "truncation_strategy",
    "truncation",
    "padding",
    "pad_to_multiple_of",
    "is_local",
    "local_files_only",
)
# transformers 5 names its general class so, and 4 does not know that name; both know the other.
# In config.json, beside what belongs to transformers: who finds the folder without its other files knows that it was trained.
MARK = "pretune"
GENERAL_CLASS = {"TokenizersBackend": "PreTrainedTokenizerFast"}


def write_plain(folder: Path, model: Any, tokenizer: Any, *, max_length: int, mark: dict[str, Any]) -> None:
    """Write weights, configuration and tokenizer into an empty folder.

    Args:
        folder: Where.
        model: Of transformers.
        tokenizer: Its fast tokenizer, which stays as it is.
        mark: What pretune made of it: the task, and the corpora that it was pre-trained on.
        max_length: Tokens at which pretune cuts a text: ``truncation=True`` cuts there too, and keeps the same end.
    """
    with quiet_transformers(), uncut(tokenizer.backend_tokenizer):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    about = {name: value for name, value in _read(file).items() if name not in OF_THE_CHECKPOINT}
    about["tokenizer_class"] = GENERAL_CLASS.get(about.get("tokenizer_class", ""), about.get("tokenizer_class"))
    if getattr(tokenizer, "split_special_tokens", False):  # set after it was loaded, so it does not say so itself
        about["split_special_tokens"] = True
    about |= {"model_max_length": max_length, "truncation_side": "right", "padding_side": "right"}
    _write(file, about)
    _write(folder / "config.json", _read(folder / "config.json") | _for_version_4(model.config) | {MARK: mark})


def _for_version_4(config: Any) -> dict[str, Any]:
    """Return what transformers 4 calls otherwise: it would take its own values for them, and give other logits in silence."""
    rotary, kinds = getattr(config, "rope_parameters", None) or {}, getattr(config, "layer_types", None)
    if config.model_type == "modernbert":
        thetas = {kind: value["rope_theta"] for kind, value in rotary.items() if isinstance(value, dict)}
        named = {"global_rope_theta": thetas.get("full_attention"), "local_rope_theta": thetas.get("sliding_attention")}
        every = _period(kinds or [])
        return {key: value for key, value in (named | {"global_attn_every_n_layers": every}).items() if value is not None}
    if "rope_theta" not in rotary:
        return {}
    scaling = {name: value for name, value in rotary.items() if name != "rope_theta"}
    is_scaled = scaling.get("rope_type", "default") != "default"
    return {"rope_theta": rotary["rope_theta"], "rope_scaling": scaling if is_scaled else None}


def _period(kinds: list[str]) -> int | None:
    """Return n where every n-th layer, the first among them, sees the whole text and no other does."""
    whole = [index for index, kind in enumerate(kinds) if kind == "full_attention"]
    every = (whole[1] - whole[0] if len(whole) > 1 else len(kinds)) or None
    return every if every and whole == list(range(0, len(kinds), every)) else None


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
