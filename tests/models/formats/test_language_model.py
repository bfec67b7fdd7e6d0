"""A language model that was saved is the live one when it is read back, in pretune and in plain transformers."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from pretune import storage
from pretune.errors import DamagedModelError, ParityError
from pretune.models import LanguageNetwork, Windows, load_language_model, save_language_model
from pretune.models.architectures import new_language_model
from pretune.predict.saved import check_saved_words

FIELDS = {"hidden_size": 64, "num_hidden_layers": 2}


@pytest.fixture(params=["masked", "causal"])
def saved(request, tiny_checkpoint, tmp_path):
    """Return the folder, the live network and some ids."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint("modernbert"))
    torch.manual_seed(1)
    network = LanguageNetwork(new_language_model(request.param, "tiny", tokenizer, FIELDS)).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(3)  # so that words differ in likelihood
    save_language_model(tmp_path / "model", network, tokenizer, window=32)
    return tmp_path / "model", network, torch.randint(5, len(tokenizer), (1, 100))


@torch.no_grad()
def test_what_is_read_back_guesses_the_same(saved):
    folder, network, ids = saved
    again = load_language_model(str(folder)).network.eval()
    windows = Windows(ids=ids, targets=torch.arange(100))
    for live, read in zip(network.guesses(windows), again.guesses(windows), strict=True):
        assert torch.equal(live, read)
    assert check_saved_words(folder, network, ids) < 1e-5


def test_a_folder_with_other_weights_is_a_parity_error(saved):
    folder, network, ids = saved
    weights = load_file(folder / "model.safetensors")
    weights[next(name for name in weights if "layers.1" in name and name.endswith(("Wo.weight", "o_proj.weight")))] *= -2
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DamagedModelError):
        load_language_model(str(folder))
    storage.write_digests(folder)
    with pytest.raises(ParityError, match="guesses other words"):
        check_saved_words(folder, network, ids)
