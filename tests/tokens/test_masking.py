"""Masking: is the right share hidden, by the rule asked for, and nothing special ever?"""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pretune.tokens import Vocabulary, mask_tokens, next_tokens, vocabulary_of

MASK = 3
SPECIAL = np.arange(200) < 5
CONTINUES = np.arange(200) >= 150
VOCABULARY = Vocabulary(mask_id=MASK, is_special=SPECIAL, continues=CONTINUES)


def windows(seed=0):
    ids = np.random.default_rng(seed).integers(5, 200, size=(40, 64))
    ids[:, 0], ids[:, 30] = 1, 2
    return ids


@pytest.mark.parametrize("share", [0.15, 0.3, 0.4])
def test_the_share_of_tokens_that_are_not_special_is_hidden(share):
    ids = windows()
    found = mask_tokens(ids, VOCABULARY, share=share, generator=np.random.default_rng(1))
    assert len(found.targets) == round(share * 40 * 62)
    assert (found.labels == ids.reshape(-1)[found.targets]).all()
    assert (found.ids.reshape(-1)[found.targets] == MASK).all()
    rest = np.setdiff1d(np.arange(ids.size), found.targets)
    assert (found.ids.reshape(-1)[rest] == ids.reshape(-1)[rest]).all()
    assert not SPECIAL[found.labels].any()


def test_a_tenth_is_replaced_and_a_tenth_left_under_the_rule():
    ids = windows()
    found = mask_tokens(ids, VOCABULARY, share=0.5, generator=np.random.default_rng(1), keep_some=True)
    read, total = found.ids.reshape(-1)[found.targets], len(found.targets)
    assert (read == MASK).sum() / total == pytest.approx(0.8, abs=0.03)
    assert (read == found.labels).sum() / total == pytest.approx(0.1, abs=0.03)
    assert not SPECIAL[read[read != MASK]].any()


def test_whole_words_are_hidden_or_none_of_their_tokens():
    ids = windows(4)
    found = mask_tokens(ids, VOCABULARY, share=0.2, generator=np.random.default_rng(1), whole_words=True)
    hidden = np.zeros(ids.size, dtype=bool)
    hidden[found.targets] = True
    flat = ids.reshape(-1)
    for place in range(1, ids.size):
        joined = CONTINUES[flat[place]] and not SPECIAL[flat[place - 1]] and place % 64
        if joined:
            assert hidden[place] == hidden[place - 1], place
    assert len(found.targets) == pytest.approx(0.2 * 40 * 62, abs=12)


def test_the_same_generator_hides_the_same_and_another_does_not():
    first, second, other = (
        mask_tokens(windows(), VOCABULARY, share=0.2, generator=np.random.default_rng(seed)).targets for seed in (1, 1, 2)
    )
    assert (first == second).all()
    assert (first != other).any()


def test_one_token_is_hidden_where_the_share_rounds_to_none():
    found = mask_tokens(np.array([[1, 9, 2]]), VOCABULARY, share=0.01, generator=np.random.default_rng(0))
    assert found.targets.tolist() == [1]


def test_a_window_of_special_tokens_hides_nothing():
    found = mask_tokens(np.array([[1, 2, 0]]), VOCABULARY, share=0.3, generator=np.random.default_rng(0))
    assert found.targets.tolist() == []


def test_the_next_token_is_that_of_the_same_document():
    ids = np.array([[7, 8, 9, 10, 11]])
    found = next_tokens(ids, np.array([[0, 0, 1, 1, 1]], dtype=np.int32))
    assert found.ids.tolist() == [[7, 8, 9, 10]]
    assert found.targets.tolist() == [0, 2, 3]
    assert found.labels.tolist() == [8, 10, 11]


def test_a_tokenizer_says_which_pieces_go_on_with_a_word():
    words = {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "play": 3, "##ing": 4, "##s": 5}
    backend = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="[MASK]", unk_token="[UNK]", pad_token="[PAD]")
    found = vocabulary_of(tokenizer)
    assert found.mask_id == 2
    assert found.is_special.tolist() == [True, True, True, False, False, False]
    assert found.continues.tolist() == [False, False, False, False, True, True]
