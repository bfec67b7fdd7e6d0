"""A GGUF file, the format of llama.cpp: its weights become plain numbers, and text is split as the file says."""

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from pretune.errors import ModelLoadError, require
from pretune.models.checkpoint import load_errors
from pretune.models.families import find_language_family
from pretune.models.formats.plain import switch_sampling_off
from pretune.models.formats.splitting import split_as

BYTE_LEVEL = "gpt2"  # what a file calls the kind of tokenizer that splits text before it merges


def read(file: Path, name: str) -> tuple[Any, Any]:
    """Return model and tokenizer.

    Args:
        file: The GGUF file.
        name: What the user called it, for messages.

    Raises:
        MissingPackageError: The ``gguf`` extra is not installed.
        ModelLoadError: transformers does not read it, or it splits text in a way that is not known.
        UsageError: pretune does not know this architecture.
    """
    gguf = require("gguf", extra="gguf")
    place = {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}
    expected, quietly = "a GGUF file that transformers reads", contextlib.redirect_stderr(io.StringIO())  # for progress bars
    with load_errors(f"{name}: cannot be loaded", expected), quietly:
        kind, splitting = _settings(gguf.GGUFReader(file), "tokenizer.ggml.model", "tokenizer.ggml.pre")
        config = AutoConfig.from_pretrained(file.parent, **place)
        tokenizer = AutoTokenizer.from_pretrained(file.parent, **place)
    find_language_family(config)
    if kind == BYTE_LEVEL:
        split_as(tokenizer, splitting, name)
    switch_sampling_off(tokenizer, name)
    with load_errors(f"{name}: cannot be loaded", expected), quietly:
        model = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **place)
    num_words = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > num_words:  # transformers adds GPT-2's token for unknown words to a vocabulary without it
        raise ModelLoadError(
            f"{name}: its tokenizer has more tokens ({len(tokenizer):,}) than its weights know ({num_words:,})",
            expected="a vocabulary that transformers reads as it is",
            fix="load the model from a folder with its tokenizer.json",
        )
    if hasattr(model.config, "quantization_config"):  # the weights are whole numbers no more
        del model.config.quantization_config
    model.hf_quantizer, model.is_quantized = None, False
    model.config.architectures = [type(model).__name__]  # as every saved form says
    return model, tokenizer


def _settings(reader: Any, *keys: str) -> tuple[str, ...]:
    """Return what a file says under these keys, or nothing."""
    fields = (reader.fields.get(key) for key in keys)
    return tuple("" if field is None else str(field.contents()) for field in fields)
