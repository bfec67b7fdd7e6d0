"""Vectors of an encoder as it came."""

import numpy as np
import pytest
import torch
from networks import TEXTS, save_mpnet
from transformers import AutoModel

from pretune.models import open_encoder
from tiny import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_a_vector_is_the_mean_of_the_last_hidden_states_of_real_tokens(family, tiny_checkpoint):
    folder = tiny_checkpoint(family)
    encoder = open_encoder(str(folder), max_length=64)
    found = encoder.features(TEXTS)
    model = AutoModel.from_pretrained(folder).eval()
    for text, vector in zip(TEXTS, found, strict=True):
        inputs = encoder.tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            wanted = model(**inputs).last_hidden_state[0].mean(dim=0)
        assert vector == pytest.approx(wanted.numpy(), abs=1e-4)


def test_opening_an_encoder_leaves_the_random_state_alone(tiny_checkpoint):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    open_encoder(str(tiny_checkpoint("bert")), max_length=64)
    assert torch.equal(torch.rand(3), wanted)


def test_texts_are_cut_where_the_model_has_no_more_positions(tiny_checkpoint):
    encoder = open_encoder(str(tiny_checkpoint("bert")), max_length=5_000)
    assert encoder.max_length == 128
    assert np.isfinite(encoder.features(["film " * 3_000])).all()


def test_a_family_without_an_adapter_has_no_vectors(tiny_checkpoint, tmp_path):
    assert open_encoder(str(save_mpnet(tmp_path / "mpnet", tiny_checkpoint("bert"))), max_length=64) is None


def test_no_texts_have_no_vectors(tiny_checkpoint):
    assert open_encoder(str(tiny_checkpoint("bert")), max_length=64).features([]).shape == (0, 32)
