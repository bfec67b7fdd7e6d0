"""One text followed through the layers ends where prediction ends."""

import pytest
from networks import CLASSES, encode_texts, open_network, save_mpnet

from pretune.errors import UsageError
from pretune.models import Inputs, ModelCard
from pretune.predict import predict_logits
from pretune.predict.follow import follow
from tiny import FAMILIES

TEXT = "The film was great and the music brilliant."
CARD = ModelCard(classes=CLASSES, max_length=64)


@pytest.mark.parametrize("head", ["native", "mlp"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_last_layers_view_is_the_prediction(family, head, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family), head=head)
    trace = follow(network, tokenizer, CARD, TEXT)
    logits = predict_logits(network, Inputs(encode_texts(tokenizer, [TEXT])))
    assert trace.logits == pytest.approx(logits[0].tolist(), abs=1e-5)
    assert trace.probabilities == pytest.approx(logits.softmax(dim=1)[0].tolist(), abs=1e-5)
    assert trace.layers[-1].probabilities == pytest.approx(trace.probabilities, abs=1e-5)
    assert trace.layers[0].probabilities != pytest.approx(trace.probabilities, abs=1e-5)
    assert trace.decision == CLASSES[int(logits.argmax())]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_is_shown_with_its_shape_and_norm(family, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family))
    trace = follow(network, tokenizer, CARD, TEXT)
    assert [view.name for view in trace.layers] == ["embeddings", "layer 1", "layer 2", "layer 3"]
    assert {view.shape for view in trace.layers} == {(1, len(trace.ids), 32)}
    assert all(view.norm > 0 for view in trace.layers)
    assert all(sum(view.probabilities) == pytest.approx(1) for view in trace.layers)


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_are_those_of_the_ids(family, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family))
    trace = follow(network, tokenizer, CARD, TEXT)
    assert list(trace.ids) == tokenizer(TEXT)["input_ids"]
    assert list(trace.tokens) == tokenizer.convert_ids_to_tokens(list(trace.ids))
    assert trace.text == TEXT


@pytest.fixture(scope="module")
def bert(tiny_checkpoint):
    return open_network(tiny_checkpoint("bert"))


def test_the_stored_threshold_decides(bert):
    network, tokenizer = bert
    plain = follow(network, tokenizer, CARD, TEXT)
    rank = sorted(range(3), key=lambda index: -plain.probabilities[index])
    runner_up = CLASSES[rank[1]]
    card = ModelCard(classes=CLASSES, max_length=64, positive=runner_up, threshold=plain.probabilities[rank[1]] - 0.01)
    trace = follow(network, tokenizer, card, TEXT)
    assert plain.decision == CLASSES[rank[0]]
    assert (trace.decision, trace.positive, trace.threshold) == (runner_up, runner_up, card.threshold)


def test_a_long_text_is_cut_to_what_the_model_reads(bert):
    network, tokenizer = bert
    trace = follow(network, tokenizer, ModelCard(classes=CLASSES, max_length=8), TEXT * 30)
    assert len(trace.ids) == len(trace.tokens) == 8
    assert trace.tokens[-1] == "[SEP]"


def test_an_empty_text_is_followed_too(bert):
    network, tokenizer = bert
    assert follow(network, tokenizer, CARD, "").tokens == ("[CLS]", "[SEP]")


def test_the_trace_survives_json(bert):
    trace = follow(*bert, CARD, TEXT)
    assert type(trace).from_json(trace.to_json()) == trace


def test_a_family_without_an_adapter_cannot_be_followed(tiny_checkpoint, tmp_path):
    network, tokenizer = open_network(save_mpnet(tmp_path, tiny_checkpoint("roberta")))
    with pytest.raises(UsageError, match="no adapter for 'mpnet'"):
        follow(network, tokenizer, CARD, TEXT)
