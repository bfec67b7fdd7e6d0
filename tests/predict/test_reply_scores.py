"""Reference replies are scored as transformers scores them, alone or beside others."""

import pytest
import torch
from talking import make_prompts, talking_network

from pretune.predict.reply_scores import Reference, score_replies


def references_of(tokenizer):
    ids = make_prompts(tokenizer, 14, seed=3)
    return [
        Reference(id=str(place), ids=row, start=max(1, len(row) // 2), end=len(row), num_bytes=7)
        for place, row in enumerate(ids)
        if len(row) > 2
    ]


@torch.no_grad()
def nats_of(network, item):
    logits = network.model(torch.tensor([item.ids])).logits[0].double().log_softmax(-1)
    return -sum(float(logits[place - 1, item.ids[place]]) for place in range(item.start, item.end))


@pytest.mark.parametrize("options", [{}, {"kept": 1, "bias": True, "tied": False}])
def test_scores_are_those_of_transformers(options):
    network, tokenizer = talking_network(**options)
    references = references_of(tokenizer)
    found = score_replies(network, references)
    assert [(score.id, score.tokens, score.bytes) for score in found] == [
        (item.id, item.end - item.start, 7) for item in references
    ]
    assert [score.nats for score in found] == pytest.approx([nats_of(network, item) for item in references], rel=1e-5)


def test_what_follows_the_reply_counts_for_nothing():
    network, tokenizer = talking_network()
    item = references_of(tokenizer)[0]
    longer = Reference(id=item.id, ids=[*item.ids, 9, 9, 9], start=item.start, end=item.end, num_bytes=7)
    assert score_replies(network, [longer])[0].nats == pytest.approx(score_replies(network, [item])[0].nats, rel=1e-6)


def test_bf16_moves_a_score_by_little():
    network, tokenizer = talking_network()
    references = references_of(tokenizer)
    exact, rounded = (score_replies(network, references, precision=precision) for precision in ("fp32", "bf16"))
    for one, other in zip(exact, rounded, strict=True):
        assert other.nats / other.tokens == pytest.approx(one.nats / one.tokens, abs=0.1)


def test_nothing_to_score_and_progress():
    network, tokenizer = talking_network()
    assert score_replies(network, []) == ()
    told = []
    score_replies(network, references_of(tokenizer), progress=lambda *call: told.append(call))
    assert told[-1][0] == told[-1][1] == len(references_of(tokenizer))


def test_smaller_weights_move_a_score_by_more_and_the_smallest_by_most():
    network, tokenizer = talking_network()
    references = references_of(tokenizer)
    exact, *others = (score_replies(network, references, precision=name) for name in ("fp32", "bf16", "int8", "int4"))
    moved = [sum(abs(one.nats - other.nats) for one, other in zip(exact, found, strict=True)) for found in others]
    assert moved[0] < moved[1] < moved[2]
