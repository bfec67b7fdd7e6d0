"""Pre-trained checkpoints as networks that can be trained, walked, saved and read back.

Names are resolved on first use, so whatever needs no network, such as the card of a saved model, is read without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Name → the module of this package that defines it.
_HOMES = {
    "Adapters": "lora",
    "Batch": "batch",
    "Checkpoint": "checkpoint",
    "ClassNetwork": "heads",
    "Encoder": "features",
    "Inputs": "inputs",
    "LanguageNetwork": "heads",
    "LanguageStart": "formats.language_model",
    "ModelCard": "card",
    "Network": "trunk",
    "PEFT": "lora",
    "TrunkCache": "trunk_cache",
    "Windows": "batch",
    "adapt": "lora",
    "adapters_of": "lora",
    "build_network": "formats.classifier",
    "check_freeze": "checkpoint",
    "check_parity": "parity",
    "find_checkpoint": "checkpoint",
    "find_shift": "temperature",
    "fold_temperature": "temperature",
    "for_scoring": "forward.bert_scoring",
    "load_folder": "formats.classifier",
    "load_language_model": "formats.language_model",
    "load_tokenizer": "formats.plain",
    "max_positions": "checkpoint",
    "merge": "lora",
    "open_encoder": "features",
    "prepare_inputs": "inputs",
    "save_language_model": "formats.language_model",
    "save_model": "formats.classifier",
}
# What a form's ``write`` and ``read`` are called where several forms are at hand.
_AS = {"load_folder": "read", "load_language_model": "read", "save_language_model": "write", "save_model": "write"}

__all__ = [*_HOMES]

if TYPE_CHECKING:  # what type checkers and editors see
    from pretune.models.batch import Batch as Batch, Windows as Windows
    from pretune.models.card import ModelCard as ModelCard
    from pretune.models.checkpoint import (
        Checkpoint as Checkpoint,
        check_freeze as check_freeze,
        find_checkpoint as find_checkpoint,
        max_positions as max_positions,
    )
    from pretune.models.features import Encoder as Encoder, open_encoder as open_encoder
    from pretune.models.formats import classifier, language_model
    from pretune.models.formats.classifier import build_network as build_network
    from pretune.models.formats.language_model import LanguageStart as LanguageStart
    from pretune.models.formats.plain import load_tokenizer as load_tokenizer
    from pretune.models.forward.bert_scoring import for_scoring as for_scoring
    from pretune.models.heads import ClassNetwork as ClassNetwork, LanguageNetwork as LanguageNetwork
    from pretune.models.inputs import Inputs as Inputs, prepare_inputs as prepare_inputs
    from pretune.models.lora import (
        PEFT as PEFT,
        Adapters as Adapters,
        adapt as adapt,
        adapters_of as adapters_of,
        merge as merge,
    )
    from pretune.models.parity import check_parity as check_parity
    from pretune.models.temperature import find_shift as find_shift, fold_temperature as fold_temperature
    from pretune.models.trunk import Network as Network
    from pretune.models.trunk_cache import TrunkCache as TrunkCache

    load_folder, save_model = classifier.read, classifier.write
    load_language_model, save_language_model = language_model.read, language_model.write


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), _AS.get(name, name))
