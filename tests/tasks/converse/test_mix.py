"""Other text beside conversations."""

import numpy as np
import pytest
from chat_models import make_pairs, save_chat_model
from transformers import AutoTokenizer

from pretune.run.trace import Trace
from pretune.tasks.converse.mix import join, read_mix
from pretune.tokens.chat import ChatTemplate


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    save_chat_model(folder)
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def texts(tmp_path):
    words = ["".join(f"{row['prompt']} {row['response']} " for row in make_pairs(8, seed=seed)) for seed in range(40)]
    (tmp_path / "texts.txt").write_text("\n".join(words) + "\n")
    return tmp_path / "texts.txt"


def mix(source, tokenizer, num_tokens, **changes):
    given = {"max_length": 48, "seed": 0, "trace": Trace()} | changes
    return read_mix(str(source), num_tokens, ChatTemplate(tokenizer), tokenizer, **given)


@pytest.mark.parametrize("num_tokens", [100, 500, 1_500])
def test_about_as_many_tokens_are_mixed_in_as_asked_for(texts, tokenizer, num_tokens):
    found = mix(texts, tokenizer, num_tokens)
    assert num_tokens - 48 <= int(found.is_reply.sum()) <= max(num_tokens, 48)
    assert len(found.is_reply) == len(found.tokens.ids) == found.tokens.offsets[-1]


def test_every_token_of_plain_text_is_learned_and_of_conversations_the_replies(texts, tokenizer, tmp_path):
    (tmp_path / "pairs.csv").write_text(
        "prompt,response\n" + "".join(f"{r['prompt']},{r['response']}\n" for r in make_pairs(50))
    )
    assert mix(texts, tokenizer, 300).is_reply.all()
    assert 0 < mix(tmp_path / "pairs.csv", tokenizer, 300).is_reply.mean() < 1


def test_another_seed_draws_other_texts(texts, tokenizer):
    first, again, other = (mix(texts, tokenizer, 300, seed=seed).tokens.ids.tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_joined_rows_are_those_of_both(texts, tokenizer):
    first, second = mix(texts, tokenizer, 200), mix(texts, tokenizer, 300, seed=3)
    both = join(first, second)
    assert len(both) == len(first) + len(second)
    start, stop = both.bounds(len(first))
    assert np.array_equal(both.tokens.ids[start:stop], second.tokens.ids[: second.tokens.offsets[1]])
