"""A transformers folder: weights as safetensors, configuration, tokenizer.

Loaded in plain transformers, what pretune writes truncates texts and answers as pretune does. What it reads may come from
anywhere.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from pretune.errors import ModelLoadError
from pretune.models.checkpoint import Checkpoint, load_errors
from pretune.models.quiet import quiet_transformers
from pretune.tokens.encode import uncut

logger = logging.getLogger(__name__)

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


# How tokenizers are told to draw: of BPE the share of merges left out, of Unigram how it samples.
SAMPLING = ("dropout", "alpha", "nbest_size")
# Weights of layers and embeddings; those of a head that is replaced are left out by every fine-tuning.
OF_A_TRUNK = re.compile(r"(^|\.)(layers?|embeddings|encoder)\.")


def write(folder: Path, model: Any, tokenizer: Any, *, max_length: int, mark: dict[str, Any]) -> None:
    """Write weights, configuration and tokenizer into an empty folder.

    Args:
        folder: Where.
        model: Of transformers.
        tokenizer: Its fast tokenizer, which stays as it is.
        mark: What pretune made of it: the task, and the corpora that it was pre-trained on.
        max_length: Tokens at which pretune cuts a text: ``truncation=True`` cuts there too, and keeps the same end.
    """
    with quiet_transformers():
        model.save_pretrained(folder)
    write_tokenizer(folder, tokenizer, max_length=max_length)
    _write(folder / "config.json", _read(folder / "config.json") | _for_version_4(model.config) | {MARK: mark})


def write_tokenizer(folder: Path, tokenizer: Any, *, max_length: int) -> None:
    """Write a tokenizer that cuts texts at ``max_length`` tokens."""
    with quiet_transformers(), uncut(tokenizer.backend_tokenizer):
        tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    about = {name: value for name, value in _read(file).items() if name not in OF_THE_CHECKPOINT}
    about["tokenizer_class"] = GENERAL_CLASS.get(about.get("tokenizer_class", ""), about.get("tokenizer_class"))
    if getattr(tokenizer, "split_special_tokens", False):  # set after it was loaded, so it does not say so itself
        about["split_special_tokens"] = True
    about |= {"model_max_length": max_length, "truncation_side": "right", "padding_side": "right"}
    _write(file, about)


def read(kind: Any, checkpoint: Checkpoint, config: Any, *, use: str, expected: str) -> tuple[Any, set[str]]:
    """Return the model in training mode, and the names of the weights that the checkpoint did not fill.

    Args:
        kind: The class of transformers that loads it.
        checkpoint: Where the weights are.
        config: Its configuration, perhaps changed.
        use: What it is loaded as, for messages.
        expected: What can be loaded so, likewise.

    Raises:
        ModelLoadError: It cannot be loaded.
    """
    with load_errors(f"{checkpoint.name}: cannot be loaded as {use}", expected, fix="see `pretune models`"):
        model, found = kind.from_pretrained(
            checkpoint.path,
            config=config,
            local_files_only=checkpoint.is_local,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    unused = sorted(key for key in found["unexpected_keys"] if OF_A_TRUNK.search(key) and not key.endswith("_ids"))
    if unused:
        logger.warning(
            "%s: %d weights of its files are not in the model that config.json describes and are not used, such as %s",
            checkpoint.name,
            len(unused),
            unused[0][:100],
        )
    return model.train(), set(found["missing_keys"]) | {name for name, *_ in found["mismatched_keys"]}


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's fast tokenizer.

    Raises:
        ModelLoadError: There is none, or it is damaged.
    """
    with load_errors(f"{checkpoint.name}: no usable tokenizer", "a tokenizer.json"):
        tokenizer = AutoTokenizer.from_pretrained(
            checkpoint.path, local_files_only=checkpoint.is_local, trust_remote_code=False, use_fast=True
        )
        num_tokens, num_special = (
            len(tokenizer),
            len(set(tokenizer.all_special_ids)),
        )  # an unknown token '' is an endless search
    if not getattr(tokenizer, "is_fast", False):
        raise ModelLoadError(f"{checkpoint.name}: its tokenizer has no fast form", expected="a tokenizer.json")
    if num_tokens <= num_special:  # what transformers makes of a folder without one
        raise ModelLoadError(f"{checkpoint.name}: its tokenizer has no vocabulary", expected="a tokenizer.json")
    switch_sampling_off(tokenizer, checkpoint.name)
    return tokenizer


def switch_sampling_off(tokenizer: Any, name: str) -> None:
    """Let a tokenizer that draws how it splits words (subword dropout) split them in one way, and say so.

    Raises:
        ModelLoadError: It still draws.
    """
    backend = tokenizer.backend_tokenizer
    model = backend.model
    drawn = {key: getattr(model, key, None) for key in SAMPLING}
    if not any(drawn.values()):
        return
    for key, value in drawn.items():
        if value is not None:
            setattr(model, key, None)
    backend.model = model
    if any(getattr(tokenizer.backend_tokenizer.model, key, None) for key in SAMPLING):
        raise ModelLoadError(
            f"{name}: its tokenizer splits words at random", expected="one way", fix="set it off in tokenizer.json"
        )
    said = ", ".join(f"{key} {value:g}" for key, value in drawn.items() if value)
    logger.warning(
        "%s: its tokenizer splits words at random (%s); that is switched off, so that a text is always read in the same way",
        name,
        said,
    )


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
