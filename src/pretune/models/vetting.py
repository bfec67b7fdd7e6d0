"""Vets a model folder before any library reads it: nothing may run code, lead elsewhere, or lie about its size.

The libraries below would follow what this refuses: shards outside the folder, an adapter that names another base model,
kernels fetched by name, code beside the weights. Damage that they refuse by themselves is left to them.
"""

import json
import math
import stat
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pretune.errors import ModelLoadError

# The largest configurations of any family are some hundred kilobytes; the largest vocabularies some ten megabytes.
MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES = 16 << 20, 256 << 20
MAX_INDEX_BYTES = 64 << 20
# More than any encoder has, and few enough to be counted before memory is asked for.
LIMITS = {
    "num_hidden_layers": 1_000, "n_layers": 1_000, "num_attention_heads": 10_000, "n_heads": 10_000, "hidden_size": 100_000,
    "dim": 100_000, "embedding_size": 100_000, "intermediate_size": 1_000_000, "hidden_dim": 1_000_000,
    "num_labels": 100_000, "head_dim": 10_000, "num_key_value_heads": 10_000, "position_buckets": 1_000_000,
    "max_relative_positions": 1_000_000, "n_positions": 10_000_000, "n_embd": 100_000, "n_layer": 1_000, "n_head": 10_000,
    "d_model": 100_000, "d_ff": 1_000_000, "num_layers": 1_000, "num_experts": 10_000, "num_local_experts": 10_000,
    "type_vocab_size": 1_000_000, "vocab_size": 20_000_000, "max_position_embeddings": 10_000_000,
}  # fmt: skip
# Keys of a configuration by which a library runs code, or reads weights elsewhere or in another form.
REFUSED_KEYS = {
    "auto_map": "code of its own, and pretune runs none that comes with a model",
    "custom_pipelines": "code of its own, and pretune runs none that comes with a model",
    "quantization_config": "quantized weights, which cannot be trained",
    "transformers_weights": "weights under another name",
}
MAX_LABELS = 100_000
READ_AS_JSON = ("config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
# Weights of a head that is begun afresh, and of what a family may leave out, beside what the files hold.
SLACK = 50_000_000


def vet_folder(folder: Path) -> None:
    """Look a model folder over.

    Raises:
        ModelLoadError: It holds what pretune does not load; the message names the file.
    """
    for item in sorted(folder.iterdir()):
        _vet_place(item, folder)
    if (folder / "adapter_config.json").exists():
        raise _refused(
            folder / "adapter_config.json", "is that of an adapter, which names another model to load", "merge it first"
        )
    for name in READ_AS_JSON:
        if (folder / name).is_file():
            _vet_keys(_read(folder / name, MAX_CONFIG_BYTES), folder / name)
    if (folder / "tokenizer.json").is_file():
        _vet_size(folder / "tokenizer.json", MAX_TOKENIZER_BYTES)
    for index in sorted(folder.glob("*.index.json")):
        _vet_index(_read(index, MAX_INDEX_BYTES), index)
    config = _read(folder / "config.json", MAX_CONFIG_BYTES)
    _vet_numbers(config, folder)


def _vet_place(item: Path, folder: Path) -> None:
    """Refuse links that leave the folder (those of a hub cache to its own blobs may), and what is neither file nor folder."""
    if item.is_symlink():
        target, allowed = item.resolve(), [folder.resolve()]
        if folder.resolve().parent.name == "snapshots":
            allowed.append(folder.resolve().parent.parent / "blobs")
        if not any(target.is_relative_to(place) for place in allowed):
            raise _refused(item, "is a link to a place outside the model folder", "put the file itself there")
        if not target.exists():
            raise _refused(item, "is a link to nothing", "restore the file")
    mode = item.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _refused(item, "is neither a file nor a folder", "remove it")


def _vet_size(file: Path, limit: int) -> None:
    size = file.stat().st_size
    if size > limit:
        raise _refused(file, f"has {size:,} bytes; at most {limit:,} are read", "restore the file")


def _read(file: Path, limit: int) -> dict[str, Any]:
    _vet_size(file, limit)
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _refused(file, f"is not JSON: no usable configuration ({str(error)[:100]})", "restore the file") from error
    if not isinstance(value, dict):
        raise _refused(file, f"holds a {type(value).__name__} and not an object: no usable configuration", "restore the file")
    return value


def _vet_keys(value: Any, file: Path) -> None:
    """Refuse keys, at any depth, that make a library run code or read elsewhere."""
    if isinstance(value, list):
        for item in value:
            _vet_keys(item, file)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in REFUSED_KEYS and item:
            raise _refused(file, f"asks by {key} for {REFUSED_KEYS[key]}", "use a model that comes without")
        names = item if isinstance(item, list) else [item]
        is_path = key.endswith(("_file", "_files")) or "attn_implementation" in key
        if is_path and any(isinstance(name, str) and ("/" in name or "\\" in name) for name in names):
            raise _refused(
                file, f"names {str(item)[:100]!r} as {key}, which leads out of the folder", "use a model that comes without"
            )
        _vet_keys(item, file)


def _vet_index(value: dict[str, Any], index: Path) -> None:
    shards = value.get("weight_map")
    if not isinstance(shards, dict):
        raise _refused(index, "has no weight_map", "restore the file")
    for shard in shards.values():
        is_plain = isinstance(shard, str) and shard == Path(shard).name and shard not in ("", ".", "..") and "\\" not in shard
        if not is_plain or not shard.endswith((".safetensors", ".bin")):
            raise _refused(index, f"names {str(shard)[:100]!r} as a shard", "restore the file: shards lie beside their index")
        if shard.endswith(".safetensors") and not (index.parent / shard).is_file():
            raise _refused(index, f"names {shard[:100]}, which is not there", "restore the file")


def _vet_numbers(config: dict[str, Any], folder: Path) -> None:
    """Refuse sizes that no model has, and a model many times larger than its files: it would be filled with random numbers."""
    for name, limit in LIMITS.items():
        value = config.get(name)
        if value is not None and (type(value) is not int or not -1 <= value <= limit):
            raise _refused(folder / "config.json", f"says {name} is {str(value)[:40]}", "restore the file")
    for name in ("id2label", "label2id"):
        value = config.get(name)
        if value is not None and (not isinstance(value, dict) or len(value) > MAX_LABELS):
            got = f"{len(value):,} labels" if isinstance(value, dict) else f"a {type(value).__name__}"
            raise _refused(folder / "config.json", f"holds {got} as {name}", "restore the file")
    width = config.get("hidden_size") or config.get("dim") or 0
    tall = config.get("intermediate_size") or config.get("hidden_dim") or 0
    layers = config.get("num_hidden_layers") or config.get("n_layers") or 0
    positions, words = max(0, config.get("max_position_embeddings") or 0), config.get("vocab_size") or 0
    tall += (config.get("num_attention_heads") or 0) * (config.get("head_dim") or 0)
    described = max(0, config.get("position_buckets") or 0, config.get("type_vocab_size") or 0) * width
    described += (config.get("embedding_size") or width) * (words + positions) + layers * 2 * width * (tall + width)
    held = sum(map(_count_weights, sorted(folder.glob("*.safetensors"))))
    if described > 2 * held + SLACK:
        raise _refused(
            folder / "config.json", f"describes about {described:,} weights, and the files hold {held:,}", "restore the file"
        )


def _count_weights(file: Path) -> int:
    try:
        with safe_open(file, framework="numpy") as weights:
            return sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise _refused(
            file, f"cannot be loaded as weights: it is not a safetensors file ({error})", "restore the file"
        ) from error


def _refused(file: Path, why: str, fix: str) -> ModelLoadError:
    return ModelLoadError(
        f"{file} {why}", expected="a model folder: config.json, *.safetensors, tokenizer.json, and nothing that runs", fix=fix
    )
