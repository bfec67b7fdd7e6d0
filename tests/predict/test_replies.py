"""Replies are those of plain transformers, whatever is written beside them, and a stream is the whole in parts."""

from dataclasses import replace

import pytest
import torch
from talking import make_prompts, talking_network, talking_tokenizer
from transformers import LogitsProcessorList, NoRepeatNGramLogitsProcessor, RepetitionPenaltyLogitsProcessor

from pretune.errors import UsageError
from pretune.predict.choose_token import Chooser, largest
from pretune.predict.replies import Generator
from pretune.predict.streamed import StreamedText, text_of
from pretune.records.conversation import Decoding

EXACT = Decoding(max_tokens=24, precision="fp32")
KINDS = {
    "grouped": {"kept": 2},
    "one head of keys": {"kept": 1},
    "every head its own": {"kept": 4},
    "biases": {"bias": True},
    "own output": {"tied": False},
}


@pytest.fixture(scope="module")
def talking():
    return talking_network()


def by_transformers(network, prompt, decoding, stops, processors=()):
    """Return what ``generate`` continues a prompt with."""
    found = network.model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        max_new_tokens=decoding.max_tokens,
        do_sample=False,
        eos_token_id=list(stops),
        pad_token_id=0,
        logits_processor=LogitsProcessorList(processors),
    )
    return found[0, len(prompt) :].tolist()


def expected_of(tokens, stops):
    """Return ids and whether it ended, of what ``generate`` wrote."""
    return (tuple(tokens[:-1]), True) if tokens[-1] in stops else (tuple(tokens), False)


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_replies_are_those_of_transformers(kind):
    network, tokenizer = talking_network(**KINDS[kind])
    prompts, stops = make_prompts(tokenizer), tuple(range(2, 40))
    found = Generator(network, tokenizer, stop_ids=stops, decoding=EXACT, batch=4).reply(prompts)
    expected = [expected_of(by_transformers(network, prompt, EXACT, stops), stops) for prompt in prompts]
    assert [(reply.ids, reply.ended) for reply in found] == expected
    assert {reply.ended for reply in found} == {True, False}, "both ways of ending are tried"
    assert all(reply.text == tokenizer.decode(reply.ids, skip_special_tokens=True).strip() for reply in found)


@pytest.mark.parametrize("change", [{"repetition_penalty": 1.3}, {"no_repeat": 2}, {"no_repeat": 1}])
def test_repetition_is_dealt_with_as_transformers_does_within_a_reply(talking, change):
    network, tokenizer = talking
    decoding = replace(EXACT, **change)
    prompts = make_prompts(tokenizer)
    found = Generator(network, tokenizer, stop_ids=[2], decoding=decoding).reply(prompts)
    plain = Generator(network, tokenizer, stop_ids=[2], decoding=EXACT).reply(prompts)
    for prompt, reply in zip(prompts, found, strict=True):
        if "repetition_penalty" in change:
            processor = RepetitionPenaltyLogitsProcessor(1.3, prompt_ignore_length=len(prompt))
        else:
            processor = InReply(NoRepeatNGramLogitsProcessor(decoding.no_repeat), len(prompt))
        assert (reply.ids, reply.ended) == expected_of(by_transformers(network, prompt, decoding, [2], [processor]), [2])
    assert [reply.ids for reply in found] != [reply.ids for reply in plain]


class InReply:
    """A processor of transformers that is shown the reply alone."""

    def __init__(self, inner, start):
        self.inner, self.start = inner, start

    def __call__(self, ids, scores):
        return self.inner(ids[:, self.start :], scores)


@pytest.mark.parametrize("change", [{}, {"temperature": 0.8}, {"temperature": 1.2, "top_p": 0.7}, {"repetition_penalty": 1.2}])
def test_a_reply_does_not_depend_on_what_is_written_beside_it(talking, change):
    network, tokenizer = talking
    prompts, decoding = make_prompts(tokenizer, 12), replace(EXACT, **change)
    alone = [Generator(network, tokenizer, stop_ids=range(2, 30), decoding=decoding, batch=1).reply([p])[0] for p in prompts]
    for batch in (1, 5, 32):
        assert Generator(network, tokenizer, stop_ids=range(2, 30), decoding=decoding, batch=batch).reply(prompts) == alone


def test_replies_that_are_drawn_follow_the_seed(talking):
    network, tokenizer = talking
    prompts = make_prompts(tokenizer, 4)
    seeds = [3, 3, 4]
    found = [
        Generator(network, tokenizer, stop_ids=[2], decoding=replace(EXACT, temperature=1.0, seed=seed)).reply(prompts)
        for seed in seeds
    ]
    assert found[0] == found[1] != found[2]


@torch.no_grad()
def test_draws_are_as_often_as_they_are_probable(talking):
    """One step with many seeds, against the probabilities of transformers."""
    network, tokenizer = talking
    prompt, num_draws = make_prompts(tokenizer)[0], 2_000
    logits = network.model(torch.tensor([prompt])).logits[0, -1]
    drawn = [Chooser(replace(EXACT, temperature=0.3, seed=seed), prompt).draw(logits) for seed in range(num_draws)]
    shares = logits.div(0.3).softmax(-1)
    for word in shares.topk(3).indices.tolist():
        expected = float(shares[word])
        assert abs(drawn.count(word) / num_draws - expected) < 4 * (expected * (1 - expected) / num_draws) ** 0.5


def test_only_the_most_probable_words_are_drawn_with_top_p():
    logits = torch.log(torch.tensor([0.05, 0.5, 0.3, 0.15]))
    drawn = {Chooser(replace(EXACT, temperature=1.0, top_p=0.75, seed=seed), [1]).draw(logits) for seed in range(200)}
    assert drawn == {1, 2}


@pytest.mark.parametrize("words", [64, 65, 512])
def test_the_largest_is_found_and_of_equal_ones_the_first(words):
    logits = torch.randint(0, 4, (50, words), generator=torch.Generator().manual_seed(1)).float()
    first = [row.index(max(row)) for row in logits.tolist()]
    assert largest(logits).tolist() == first


@pytest.mark.parametrize("change", [{}, {"temperature": 1.5}, {"max_tokens": 3}])
def test_a_stream_is_the_reply_in_parts(talking, change):
    network, tokenizer = talking
    generator = Generator(network, tokenizer, stop_ids=range(2, 9), decoding=replace(EXACT, **change))
    for prompt in make_prompts(tokenizer, 12):
        pieces, reply = list(generator.stream(prompt)), generator.reply([prompt])[0]
        assert "".join(piece.text for piece in pieces) == reply.text
        assert tuple(piece.id for piece in pieces[: len(reply.ids)]) == reply.ids
        assert len(pieces) == len(reply.ids) + reply.ended, "the stop token is the last piece"
        assert [piece.ended for piece in pieces] == [None] * (len(pieces) - 1) + [reply.ended]
        assert all(0 < piece.probability <= 1 for piece in pieces)


@torch.no_grad()
def test_probabilities_of_a_stream_are_those_of_transformers(talking):
    network, tokenizer = talking
    prompt = make_prompts(tokenizer)[1]
    pieces = list(Generator(network, tokenizer, stop_ids=[2], decoding=EXACT).stream(prompt))
    ids = torch.tensor([[*prompt, *(piece.id for piece in pieces)]])
    shares = network.model(ids).logits[0].softmax(-1)
    for place, piece in enumerate(pieces, len(prompt)):
        assert piece.probability == pytest.approx(float(shares[place - 1, piece.id]), rel=1e-3)


def test_progress_is_told(talking):
    network, tokenizer = talking
    told = []
    Generator(network, tokenizer, stop_ids=[2], decoding=EXACT).reply(
        make_prompts(tokenizer, 5), lambda *call: told.append(call)
    )
    assert {total for _, total in told} == {5}
    done = [number for number, _ in told]
    assert done == sorted(done), "a reply that is begun counts for a part, one that ends for a whole"
    assert 0 < done[0] < 5
    assert done[-1] == 5


def test_no_prompts_no_replies(talking):
    assert Generator(*talking, stop_ids=[2], decoding=EXACT).reply([]) == []


def test_a_reply_ends_where_the_model_has_no_further_positions(talking):
    network, tokenizer = talking
    generator = Generator(network, tokenizer, stop_ids=[0], decoding=replace(EXACT, max_tokens=200))
    reply = generator.reply([[5] * 250])[0]
    assert len(reply.ids) <= 6


@pytest.mark.parametrize("prompt", [[], [5] * 256, [5] * 300])
def test_a_prompt_that_leaves_no_room_is_refused(talking, prompt):
    with pytest.raises(UsageError, match="prompt"):
        Generator(*talking, stop_ids=[2], decoding=EXACT).reply([[5], prompt])


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 0}, {"temperature": -1.0}, {"temperature": float("nan")}, {"top_p": 0.0}, {"top_p": 1.5},
        {"repetition_penalty": 0.0}, {"no_repeat": -1}, {"precision": "fp8"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(talking, change):
    with pytest.raises(UsageError, match=next(iter(change))):
        Generator(*talking, stop_ids=[2], decoding=replace(EXACT, **change))


def test_nothing_that_could_end_a_reply_is_refused(talking):
    with pytest.raises(UsageError, match="ends a reply"):
        Generator(*talking, stop_ids=[], decoding=EXACT)


def test_bf16_replies_begin_as_exact_ones(talking):
    network, tokenizer = talking
    prompts = make_prompts(tokenizer, 20)
    exact = Generator(network, tokenizer, stop_ids=[2], decoding=EXACT).reply(prompts)
    rounded = Generator(network, tokenizer, stop_ids=[2], decoding=replace(EXACT, precision="bf16")).reply(prompts)
    alike = sum(one.ids[:3] == other.ids[:3] for one, other in zip(exact, rounded, strict=True))
    assert alike >= 15


def test_text_streams_without_half_characters():
    """Two tokens of two bytes each are one character; the spaces around a reply are not shown."""
    tokenizer = talking_tokenizer()
    ids = tokenizer("  Grüße 🙂 — 你好 \n", add_special_tokens=False).input_ids
    text = StreamedText(tokenizer)
    parts = [text.add(token) for token in ids]
    assert not any("\ufffd" in part for part in parts)
    assert "".join(parts) + text.rest() == text_of(tokenizer, ids) == "Grüße 🙂 — 你好"
    broken = ids[:-4]  # the last character is cut
    text = StreamedText(tokenizer)
    assert "".join(map(text.add, broken)) + text.rest() == text_of(tokenizer, broken)


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_smaller_weights_write_replies_and_score_them(precision):
    network, tokenizer = talking_network()
    prompts = make_prompts(tokenizer, 6)
    generator = Generator(network, tokenizer, stop_ids=[2], decoding=replace(EXACT, precision=precision))
    assert [len(reply.ids) > 0 for reply in generator.reply(prompts)] == [True] * 6
    pieces = list(generator.stream(prompts[0]))
    assert pieces[-1].ended is not None
