"""LoRA adapters as peft reads them: a folder with ``adapter_config.json`` and ``adapter_model.safetensors``."""

import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from pretune import storage
from pretune.models.lora import Adapters

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # peft calls every weight from its own wrapper on


def write(folder: Path, adapters: Adapters, *, base: str) -> None:
    """Write adapters into a new folder.

    Args:
        folder: Where.
        adapters: What was learned.
        base: The model that they belong to, as whoever loads them will ask for it.
    """
    folder.mkdir()
    storage.replace_json(folder / CONFIG, _describe(adapters, base))
    save_file({PREFIX + name: weight for name, weight in adapters.weights.items()}, folder / WEIGHTS, {"format": "pt"})


def copy(folder: Path, place: Path, *, base: str) -> None:
    """Copy what ``write`` wrote into another folder, to be loaded on top of ``base``.

    Raises:
        StorageError: What is there is damaged.
    """
    storage.replace_json(place / CONFIG, storage.read_json(folder / CONFIG) | {"base_model_name_or_path": base})
    shutil.copyfile(folder / WEIGHTS, place / WEIGHTS)


def _describe(adapters: Adapters, base: str) -> dict[str, Any]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": adapters.rank,
        "lora_alpha": adapters.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(adapters.layers),
        "modules_to_save": list(adapters.head) or None,
    }
