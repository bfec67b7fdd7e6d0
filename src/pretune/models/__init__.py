"""Pre-trained checkpoints as networks that can be trained, walked, saved and read back."""

from pretune.models.bert_scoring import for_scoring
from pretune.models.card import ModelCard
from pretune.models.features import Encoder, open_encoder
from pretune.models.folder import check_parity, load_folder, save_model
from pretune.models.inputs import Inputs, prepare_inputs
from pretune.models.language import LanguageNetwork, Windows
from pretune.models.load import Checkpoint, build_network, check_freeze, find_checkpoint, load_tokenizer, max_positions
from pretune.models.lora import PEFT, adapt, merge
from pretune.models.network import Batch, Network
from pretune.models.temperature import find_shift, fold_temperature
from pretune.models.trunk_cache import TrunkCache

__all__ = [
    "PEFT",
    "Batch",
    "Checkpoint",
    "Encoder",
    "Inputs",
    "LanguageNetwork",
    "ModelCard",
    "Network",
    "TrunkCache",
    "Windows",
    "adapt",
    "build_network",
    "check_freeze",
    "check_parity",
    "find_checkpoint",
    "find_shift",
    "fold_temperature",
    "for_scoring",
    "load_folder",
    "load_tokenizer",
    "max_positions",
    "merge",
    "open_encoder",
    "prepare_inputs",
    "save_model",
]
