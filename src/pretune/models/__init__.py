"""Pre-trained checkpoints as networks that can be trained, walked, saved and read back."""

from pretune.models.folder import ModelCard, check_parity, load_folder, save_model
from pretune.models.inputs import Inputs, prepare_inputs
from pretune.models.load import Checkpoint, build_network, find_checkpoint, load_tokenizer, max_positions
from pretune.models.network import Batch, Network

__all__ = [
    "Batch",
    "Checkpoint",
    "Inputs",
    "ModelCard",
    "Network",
    "build_network",
    "check_parity",
    "find_checkpoint",
    "load_folder",
    "load_tokenizer",
    "max_positions",
    "prepare_inputs",
    "save_model",
]
