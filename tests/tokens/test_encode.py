"""Texts to ids: as transformers would, every cut counted, the tokenizer left as it was."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from pretune.tokens import encode
from tiny import FAMILIES, make_rows

LONG = "The story was moving and the music quite charming but the ending never felt honest to the family. " * 20
TEXTS = ("Great film.", "", "Dull", LONG, "A [SEP] in the text and </s> too", *(text for text, _ in make_rows(30)))


@pytest.fixture
def tokenizer(tiny_checkpoint):
    return AutoTokenizer.from_pretrained(tiny_checkpoint("bert"))


def pieces_of(encoded):
    return [encoded.ids[start:stop].tolist() for start, stop in zip(encoded.offsets, encoded.offsets[1:], strict=False)]


@pytest.mark.parametrize("max_length", [4, 9, 32, 128])
@pytest.mark.parametrize("family", FAMILIES)
def test_ids_are_those_of_transformers_with_truncation(family, max_length, tiny_checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint(family))
    expected = tokenizer(list(TEXTS), truncation=True, max_length=max_length)["input_ids"]
    assert pieces_of(encode(TEXTS, tokenizer, max_length=max_length)) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_every_cut_is_counted(family, tiny_checkpoint):
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint(family))
    whole = [len(ids) for ids in tokenizer(list(TEXTS))["input_ids"]]
    counts = encode(TEXTS, tokenizer, max_length=16, split="train").counts
    assert (counts.split, counts.num_texts, counts.max_length) == ("train", len(TEXTS), 16)
    assert counts.num_cut_texts == sum(length > 16 for length in whole)
    assert counts.num_cut_tokens == sum(max(0, length - 16) for length in whole)
    assert counts.num_tokens == sum(min(length, 16) for length in whole)


def test_a_text_of_exactly_the_longest_length_is_not_cut(tokenizer):
    length = len(tokenizer("Great film.")["input_ids"])
    assert encode(["Great film."], tokenizer, max_length=length).counts.num_cut_texts == 0
    counts = encode(["Great film."], tokenizer, max_length=length - 1).counts
    assert (counts.num_cut_texts, counts.num_cut_tokens) == (1, 1)


def test_a_text_longer_than_the_model_gives_no_warning_and_is_cut(tokenizer):
    encoded = encode([LONG], tokenizer, max_length=128)
    assert encoded.lengths.tolist() == [128]
    assert encoded.ids[-1] == tokenizer.sep_token_id


def test_unknown_tokens_are_counted(tokenizer):
    # The tiny WordPiece vocabulary has no Greek and no snowman; "film" it has.
    assert encode(["film Ω ☃", "film"], tokenizer, max_length=32).counts.num_unknown == 2


def test_no_texts_are_no_tokens(tokenizer):
    encoded = encode([], tokenizer, max_length=16)
    assert len(encoded) == 0
    assert encoded.offsets.tolist() == [0]
    assert encoded.lengths.shape == (0,)
    assert encoded.counts.num_tokens == 0


def test_an_empty_text_is_its_special_tokens(tokenizer):
    assert encode([""], tokenizer, max_length=16).ids.tolist() == [tokenizer.cls_token_id, tokenizer.sep_token_id]


def test_offsets_lay_the_texts_end_to_end(tokenizer):
    encoded = encode(TEXTS, tokenizer, max_length=16)
    assert encoded.offsets[0] == 0
    assert encoded.offsets[-1] == len(encoded.ids)
    assert encoded.lengths.tolist() == np.diff(encoded.offsets).tolist()
    assert len(encoded) == len(TEXTS)
    assert encoded.ids.dtype == np.int32


def test_many_texts_go_through_in_chunks_and_keep_their_order(tokenizer, monkeypatch):
    expected = pieces_of(encode(TEXTS, tokenizer, max_length=16))
    monkeypatch.setitem(encode.__globals__, "CHUNK", 4)
    assert pieces_of(encode(TEXTS, tokenizer, max_length=16)) == expected


def test_a_tokenizer_file_that_asks_for_padding_and_truncation_is_not_obeyed(tokenizer):
    """Sentence encoders ship such files; padding would pass for text, and for closing special tokens."""
    expected = pieces_of(encode(TEXTS, tokenizer, max_length=16))
    tokenizer.backend_tokenizer.enable_padding(length=128)
    tokenizer.backend_tokenizer.enable_truncation(max_length=8)
    assert pieces_of(encode(TEXTS, tokenizer, max_length=16)) == expected


def test_the_tokenizers_own_settings_are_left_as_they_were(tokenizer):
    backend = tokenizer.backend_tokenizer
    backend.enable_padding(length=128, pad_id=0, pad_token="[PAD]")
    backend.enable_truncation(max_length=8, stride=2)
    before = (backend.padding, backend.truncation)
    encode(TEXTS, tokenizer, max_length=16)
    assert (backend.padding, backend.truncation) == before


def test_the_tokenizers_own_settings_come_back_after_an_error(tokenizer):
    tokenizer.backend_tokenizer.enable_truncation(max_length=8)
    before = tokenizer.backend_tokenizer.truncation
    with pytest.raises(TypeError):
        encode([None], tokenizer, max_length=16)
    assert tokenizer.backend_tokenizer.truncation == before


def test_without_a_padding_token_zero_pads(tokenizer):
    tokenizer.pad_token = None
    assert encode(["film"], tokenizer, max_length=16).padding_id == 0


def bare_tokenizer(**special):
    """Return a tokenizer that adds no special tokens."""
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "film": 1, "good": 2, "[PAD]": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", **special)


def test_without_special_tokens_a_cut_keeps_the_beginning():
    assert encode(["good film good film"], bare_tokenizer(unk_token="[UNK]"), max_length=3).ids.tolist() == [2, 1, 2]


def test_a_text_of_no_tokens_at_all_becomes_one_unknown_token_that_is_counted():
    encoded = encode(["", "good", " "], bare_tokenizer(unk_token="[UNK]"), max_length=4)
    assert pieces_of(encoded) == [[0], [2], [0]]
    assert encoded.counts.num_unknown == 2


def test_a_text_of_no_tokens_is_padding_where_nothing_is_unknown():
    encoded = encode([""], bare_tokenizer(), max_length=4)
    assert encoded.ids.tolist() == [3]
    assert encoded.counts.num_unknown == 0
