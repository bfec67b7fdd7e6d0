"""Writing GGUF, the format of llama.cpp: a Llama-like model with its byte-level tokenizer and its chat template."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Regex, pre_tokenizers
from torch import Tensor

from pretune import storage
from pretune.errors import UsageError, require
from pretune.models.formats.forms import FORMS
from pretune.models.formats.splitting import SPLITTINGS
from pretune.models.heads import LanguageNetwork

# Texts on which ways of splitting differ: digits after blanks and line ends, contractions, signs, letters beyond ASCII.
PROBES = (
    "It's 2025: \n\n 12. don't  wait,OK?",
    "1234567  90\n\tx=3.14;",
    "L'été à 10h — naïve\r\n\r\n 5",
    "'LL'S we'Re  ___ 42!!\n",
)


def write(file: Path, network: LanguageNetwork, tokenizer: Any, *, form: str, stop_id: int, name: str) -> None:
    """Write one file, whole or not at all.

    Args:
        file: Where.
        network: Of the family llama.
        tokenizer: Its own, byte-level.
        form: Of matrices: ``f32``, ``f16``, or ``q8_0`` (8 bits, in blocks of 32).
        stop_id: The token that ends a reply.
        name: Of the model, for whoever lists it.

    Raises:
        MissingPackageError: The ``gguf`` extra is not installed.
        UsageError: llama.cpp has no name for this architecture or for this way of splitting text.
        StorageError: The disk refused.
    """
    if form not in FORMS:
        raise UsageError(f"--precision {form}", expected="one of " + ", ".join(FORMS) + " for GGUF")
    gguf, config = require("gguf", extra="gguf"), network.model.config
    if config.model_type != "llama":
        raise UsageError(f"a model of the family {config.model_type!r}", expected="llama", fix="export it as a folder")
    splitting = _splitting_of(tokenizer)

    def fill(aside: Path) -> None:
        writer = gguf.GGUFWriter(aside, "llama")
        writer.add_name(name)
        _describe(writer, config)
        _write_tokenizer(gguf, writer, tokenizer, splitting, stop_id, config.vocab_size)
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
        for key, weight in network.model.named_parameters():
            place = names.get_name(key, try_suffixes=(".weight",))
            _write_weight(gguf, writer, place, _as_llama_cpp(key, weight, config), form)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    storage.make_folder(file.parent)
    with storage.scratch(file) as folder:
        fill(folder / "model.gguf")
        (folder / "model.gguf").replace(file)


def _describe(writer: Any, config: Any) -> None:
    rotary = getattr(config, "rope_parameters", None) or {}
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(float(rotary.get("rope_theta", 10_000.0)))
    writer.add_vocab_size(config.vocab_size)
    if rotary.get("rope_type", "default") != "default":
        raise UsageError(
            f"positions are scaled by {rotary['rope_type']!r}",
            expected="positions that are not scaled",
            fix="export it as a folder",
        )


def _write_tokenizer(gguf: Any, writer: Any, tokenizer: Any, splitting: str, stop_id: int, size: int) -> None:
    import json

    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    added = tokenizer.added_tokens_decoder
    tokens, kinds = list[str](), list[int]()
    for place in range(size):
        token = tokenizer.convert_ids_to_tokens(place) if place < len(tokenizer) else None
        tokens.append(token if token is not None else f"[unused{place}]")
        kinds.append(_kind_of(gguf, added.get(place), is_known=token is not None))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splitting)
    writer.add_token_list(tokens)
    writer.add_token_merges(merges)
    writer.add_token_types(kinds)
    writer.add_eos_token_id(stop_id)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.pad_token_id is not None:
        writer.add_pad_token_id(tokenizer.pad_token_id)
    if tokenizer.unk_token_id is not None:
        writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_add_bos_token(False)  # the template has it where the model wants it
    writer.add_chat_template(tokenizer.chat_template)


def _kind_of(gguf: Any, added: Any, *, is_known: bool) -> int:
    if not is_known:
        return int(gguf.TokenType.UNUSED)
    if added is None:
        return int(gguf.TokenType.NORMAL)
    return int(gguf.TokenType.CONTROL if added.special else gguf.TokenType.USER_DEFINED)


def _splitting_of(tokenizer: Any) -> str:
    """Return what llama.cpp calls the way in which a tokenizer splits text.

    Raises:
        UsageError: It has no name for it, or the tokenizer is not byte-level.
    """
    backend = tokenizer.backend_tokenizer
    own = [_pieces(backend.pre_tokenizer, text) for text in PROBES] if backend.pre_tokenizer is not None else None
    for splitting in SPLITTINGS:
        parts = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in splitting.patterns]
        known = pre_tokenizers.Sequence([*parts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        is_whole = bool(getattr(backend.model, "ignore_merges", False))
        if own == [_pieces(known, text) for text in PROBES] and is_whole == splitting.takes_words_whole:
            return splitting.names[0]
    known_names = ", ".join(splitting.names[0] for splitting in SPLITTINGS)
    raise UsageError(
        "its tokenizer splits text in a way that pretune has no name of llama.cpp for",
        expected=f"a byte-level tokenizer that splits as one of {known_names}",
        fix="use the folder in RUN/model",
    )


def _pieces(splitter: Any, text: str) -> Sequence[str]:
    return [piece for piece, _ in splitter.pre_tokenize_str(text)]


def _as_llama_cpp(key: str, weight: Tensor, config: Any) -> np.ndarray:
    """Return a weight in the order of llama.cpp, which turns neighbouring features where transformers turns halves."""
    values = weight.detach().float().cpu().numpy()
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(key.split(".")[-2])
    if heads is None:
        return np.ascontiguousarray(values)
    width = values.shape[0] // heads // 2
    return np.ascontiguousarray(values.reshape(heads, 2, width, values.shape[1]).swapaxes(1, 2).reshape(values.shape))


def _write_weight(gguf: Any, writer: Any, place: str, values: np.ndarray, form: str) -> None:
    if values.ndim < 2 or form == "f32":
        writer.add_tensor(place, values.astype(np.float32))
    elif form == "f16":
        writer.add_tensor(place, values.astype(np.float16))
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(place, gguf.quants.quantize(values, kind), raw_dtype=kind)
