"""Logits in the order of the texts, and the decision by largest class or threshold."""

from functools import partial

import numpy as np
import pytest
import torch
from networks import CLASSES, encode_texts, open_network, save_mpnet

from pretune.models import Inputs, prepare_inputs
from pretune.predict import classify, decide, predict_logits
from pretune.tokens import plan_scoring
from tiny import FAMILIES, make_rows

LINES = [text for text, _ in make_rows(90, seed=5)]


@pytest.fixture(scope="module")
def bert(tiny_checkpoint):
    return open_network(tiny_checkpoint("bert"))


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_depend_neither_on_the_batch_nor_on_the_order(family, tiny_checkpoint, monkeypatch):
    network, tokenizer = open_network(tiny_checkpoint(family))
    lines = LINES[:12]
    together = predict_logits(network, Inputs(encode_texts(tokenizer, lines)))
    monkeypatch.setattr(classify, "plan_scoring", partial(plan_scoring, max_tokens=40))
    backwards = predict_logits(network, Inputs(encode_texts(tokenizer, lines[::-1]))).flip(0)
    monkeypatch.setattr(classify, "plan_scoring", partial(plan_scoring, max_tokens=1))
    alone = predict_logits(network, Inputs(encode_texts(tokenizer, lines)))
    torch.testing.assert_close(together, backwards, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)
    assert together.dtype == torch.float32
    assert together.std(dim=0).max() > 0.01


@pytest.mark.parametrize("boundary", [0, 1, 3])
def test_kept_states_are_scored_in_the_same_order(boundary, bert):
    network, tokenizer = bert
    encoded = encode_texts(tokenizer, LINES)
    logits = predict_logits(network, prepare_inputs(network, encoded, boundary))
    torch.testing.assert_close(logits, predict_logits(network, Inputs(encoded)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_and_the_mode_is_left_as_found(training, bert):
    network, tokenizer = bert
    network.train(training)
    inputs = Inputs(encode_texts(tokenizer))
    assert torch.equal(predict_logits(network, inputs), predict_logits(network, inputs))
    assert network.training is training


def test_no_texts_have_logits_for_every_class(bert):
    network, tokenizer = bert
    logits = predict_logits(network, Inputs(encode_texts(tokenizer, [])))
    assert logits.shape == (0, len(CLASSES))
    assert decide(logits.softmax(dim=1).numpy()).shape == (0,)


@pytest.mark.parametrize("head", ["native", "mlp"])
def test_the_number_of_classes_is_known_without_a_text(head, tiny_checkpoint, tmp_path):
    network, _ = open_network(save_mpnet(tmp_path, tiny_checkpoint("roberta")), head=head)
    assert network.num_classes == 3


def test_progress_ends_at_all_texts(bert):
    network, tokenizer = bert
    seen = []
    predict_logits(network, Inputs(encode_texts(tokenizer, LINES)), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (90, 90)
    assert seen == sorted(set(seen))


def test_what_is_predicted_has_no_gradient(bert):
    network, tokenizer = bert
    assert not predict_logits(network, Inputs(encode_texts(tokenizer))).requires_grad


SHARES = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]])


@pytest.mark.parametrize(
    ("positive", "threshold", "expected"),
    [
        (None, None, [0, 1, 2, 1]),
        (1, None, [0, 1, 2, 1]),  # without a threshold the largest decides
        (None, 0.3, [0, 1, 2, 1]),
        (2, 0.3, [0, 2, 2, 2]),  # 0.3 reaches 0.3
        (1, 0.45, [0, 1, 2, 0]),  # the largest, 0.4, is not enough: the best of the others
        (0, 0.9, [1, 1, 2, 1]),
        (0, 0.0, [0, 0, 0, 0]),
        (1, 1.0, [0, 2, 2, 0]),
    ],
)
def test_the_decision_is_the_one_worked_out_by_hand(positive, threshold, expected):
    shares = SHARES.copy()
    assert decide(shares, positive=positive, threshold=threshold).tolist() == expected
    assert np.array_equal(shares, SHARES)


def test_the_decision_for_one_of_two_classes():
    shares = np.array([[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]])
    assert decide(shares).tolist() == [0, 0, 1]
    assert decide(shares, positive=1, threshold=0.25).tolist() == [1, 1, 1]
    assert decide(shares, positive=1, threshold=0.95).tolist() == [0, 0, 0]
