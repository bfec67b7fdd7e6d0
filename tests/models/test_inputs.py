"""What the frozen trunk makes of texts is computed once, kept, and read back row by row."""

import tempfile
from collections import namedtuple

import numpy as np
import pytest
import torch
from networks import TEXTS, encode_texts, open_network

from pretune.errors import StorageError
from pretune.models import Batch, Inputs, inputs, prepare_inputs
from tiny import make_rows

BOUNDARIES = [1, 2, 3]


@pytest.fixture(scope="module")
def bert(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    return network.eval(), encode_texts(tokenizer, [*TEXTS, *(text for text, _ in make_rows(100))])


def logits_of(network, prepared, rows):
    with torch.no_grad():
        return network(prepared.batch(rows))


def test_without_a_frozen_layer_ids_are_kept(bert):
    network, encoded = bert
    prepared = prepare_inputs(network, encoded, 0)
    batch = prepared.batch([1, 0])
    assert batch.hidden is None
    assert batch.start == 0
    assert batch.mask.sum(dim=1).tolist() == encoded.lengths[[1, 0]].tolist()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_kept_states_give_the_logits_of_the_whole_network(bert, boundary):
    network, encoded = bert
    rows = [7, 0, 103, 1]
    prepared = prepare_inputs(network, encoded, boundary)
    torch.testing.assert_close(
        logits_of(network, prepared, rows), logits_of(network, Inputs(encoded), rows), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("family", ["distilbert", "electra", "modernbert"])  # width under another name, projected, normed last
@pytest.mark.parametrize("head", ["native", "mlp"])
def test_other_families_are_kept_as_well(family, head, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family), head=head)
    encoded = encode_texts(tokenizer)
    expected = logits_of(network.eval(), Inputs(encoded), range(4))
    for boundary in BOUNDARIES:
        prepared = prepare_inputs(network, encoded, boundary)
        torch.testing.assert_close(logits_of(network, prepared, range(4)), expected, atol=1e-5, rtol=1e-4)


def test_a_wholly_frozen_trunk_leaves_one_state_a_text(bert):
    network, encoded = bert
    prepared = prepare_inputs(network, encoded, 3)
    assert prepared.pooled.shape == (104, 32)
    assert prepared.lengths.tolist() == [1] * 104
    assert prepared.batch([5]).pooled.shape == (1, 32)


def test_a_partly_frozen_trunk_leaves_one_state_a_token_and_zeros_as_padding(bert):
    network, encoded = bert
    prepared = prepare_inputs(network, encoded, 2)
    batch = prepared.batch([1, 0])
    assert prepared.hidden.shape == (len(encoded.ids), 32)
    assert batch.start == 2
    assert batch.hidden[0, int(encoded.lengths[1]) :].abs().sum() == 0
    assert torch.equal(batch.hidden[1, : encoded.lengths[0]], prepared.hidden[: encoded.lengths[0]])
    assert batch.hidden[1, encoded.lengths[0] :].abs().sum() == 0


def test_kept_states_are_those_of_evaluation_mode_and_the_mode_is_left_as_found(bert):
    network, encoded = bert
    expected = prepare_inputs(network.eval(), encoded, 2).hidden
    network.train()
    again = prepare_inputs(network, encoded, 2).hidden
    assert network.training
    network.eval()
    assert torch.equal(again, expected)


def test_kept_states_can_be_learned_from(bert):
    """They are computed in inference mode, whose tensors autograd refuses; a batch must be a copy."""
    network, encoded = bert
    for boundary in BOUNDARIES:
        prepared = prepare_inputs(network, encoded, boundary)
        network(prepared.batch(np.array([3, 1]))).sum().backward()
        assert network.model.classifier.weight.grad is not None
        network.zero_grad()


@pytest.mark.parametrize("boundary", [2, 3])
def test_states_too_large_for_memory_lie_in_a_file_that_is_gone_from_the_folder(boundary, bert, monkeypatch, tmp_path):
    network, encoded = bert
    expected = prepare_inputs(network, encoded, boundary)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(inputs, "MAX_BYTES_IN_MEMORY", 100)
    prepared = prepare_inputs(network, encoded, boundary)
    rows = [9, 1, 50]
    assert torch.equal(logits_of(network, prepared, rows), logits_of(network, expected, rows))
    assert list(tmp_path.glob("pretune-trunk-*")) == []


def test_states_too_large_for_the_disk_are_an_error_before_anything_is_computed(bert, monkeypatch):
    network, encoded = bert
    monkeypatch.setattr(inputs, "MAX_BYTES_IN_MEMORY", 100)
    monkeypatch.setattr(inputs.shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(1_000))
    with pytest.raises(StorageError, match="has 1,000"):
        prepare_inputs(network, encoded, 2)


def test_states_are_kept_in_bf16_under_autocast(bert):
    network, encoded = bert
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prepared = prepare_inputs(network, encoded, 2)
        logits = logits_of(network, prepared, range(4))
    assert prepared.hidden.dtype == torch.bfloat16
    torch.testing.assert_close(logits, logits_of(network, Inputs(encoded), range(4)), atol=0.05, rtol=0.05)


def test_progress_ends_at_all_texts(bert):
    network, encoded = bert
    seen = []
    prepare_inputs(network, encoded, 1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (104, 104)
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("boundary", [0, *BOUNDARIES])
def test_no_texts_are_no_states(boundary, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    assert len(prepare_inputs(network, encode_texts(tokenizer, []), boundary)) == 0


def test_a_text_of_special_tokens_alone_has_logits(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    prepared = Inputs(encode_texts(tokenizer, [""]))
    assert prepared.lengths.tolist() == [2]
    assert torch.isfinite(logits_of(network, prepared, [0])).all()


def test_a_batch_is_frozen():
    with pytest.raises(AttributeError):
        Batch(mask=torch.ones(1, 1)).start = 1
