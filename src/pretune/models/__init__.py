"""Pre-trained checkpoints as networks that can be trained, walked, saved and read back.

A name is resolved on first use, so that what needs no network, such as the card of a saved model, is read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Name → the module of this package that defines it.
_HOMES = {
    "Batch": "batch",
    "Checkpoint": "load",
    "ClassNetwork": "heads",
    "Encoder": "features",
    "Inputs": "inputs",
    "LanguageNetwork": "heads",
    "ModelCard": "card",
    "Network": "trunk",
    "PEFT": "lora",
    "TrunkCache": "trunk_cache",
    "Windows": "batch",
    "adapt": "lora",
    "build_network": "load",
    "check_freeze": "load",
    "check_parity": "folder",
    "find_checkpoint": "load",
    "find_shift": "temperature",
    "fold_temperature": "temperature",
    "for_scoring": "forward.bert_scoring",
    "load_folder": "folder",
    "load_tokenizer": "load",
    "max_positions": "load",
    "merge": "lora",
    "open_encoder": "features",
    "prepare_inputs": "inputs",
    "save_model": "folder",
}

__all__ = [*_HOMES]

if TYPE_CHECKING:  # what type checkers and editors see
    from pretune.models.batch import Batch as Batch, Windows as Windows
    from pretune.models.card import ModelCard as ModelCard
    from pretune.models.features import Encoder as Encoder, open_encoder as open_encoder
    from pretune.models.folder import check_parity as check_parity, load_folder as load_folder, save_model as save_model
    from pretune.models.forward.bert_scoring import for_scoring as for_scoring
    from pretune.models.heads import ClassNetwork as ClassNetwork, LanguageNetwork as LanguageNetwork
    from pretune.models.inputs import Inputs as Inputs, prepare_inputs as prepare_inputs
    from pretune.models.load import (
        Checkpoint as Checkpoint,
        build_network as build_network,
        check_freeze as check_freeze,
        find_checkpoint as find_checkpoint,
        load_tokenizer as load_tokenizer,
        max_positions as max_positions,
    )
    from pretune.models.lora import PEFT as PEFT, adapt as adapt, merge as merge
    from pretune.models.temperature import find_shift as find_shift, fold_temperature as fold_temperature
    from pretune.models.trunk import Network as Network
    from pretune.models.trunk_cache import TrunkCache as TrunkCache


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
