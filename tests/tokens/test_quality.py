"""Whether a vocabulary fits is measured as one would by hand, and said plainly."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pretune.records import TokenizerFit
from pretune.tokens import assess_tokenizer, train_tokenizer
from pretune.tokens.quality import MAX_GROWTH, MAX_SPLIT_SHARE, MAX_UNKNOWN_SHARE, find_misfit
from tiny import make_rows

TEXTS = [text for text, _ in make_rows(300)]
FITTING = TokenizerFit(
    name="domain", num_texts=9, num_bytes=400, num_tokens=100, num_unknown=0, num_words=90, num_split_words=0,
    bytes_per_token=4.0, tokens_per_word=1.1, unknown_share=0.0, split_share=0.0,
)  # fmt: skip


@cache
def by_hand() -> Any:
    """Return a tokenizer whose pieces are known: "sun" whole, "a" to "e" singly, all else unknown."""
    pieces = ["[UNK]", "sun", *"abcde", *(f"##{letter}" for letter in "abcde")]
    backend = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")


def fit_of(text: str, *more: str) -> TokenizerFit:
    return assess_tokenizer(by_hand(), {"domain": [text, *more]}).fits[0]


def test_the_figures_are_those_worked_out_by_hand() -> None:
    # sun | abcd -> a ##b ##c ##d | moon -> [UNK] | abc -> 3 pieces: 4 words, 9 tokens, 17 bytes
    fit = fit_of("sun abcd moon abc")
    assert (fit.num_words, fit.num_tokens, fit.num_unknown, fit.num_split_words, fit.num_bytes) == (4, 9, 1, 1, 17)
    assert (fit.bytes_per_token, fit.tokens_per_word) == (pytest.approx(17 / 9), pytest.approx(9 / 4))
    assert (fit.unknown_share, fit.split_share) == (pytest.approx(1 / 9), pytest.approx(1 / 4))


def test_bytes_are_those_of_utf8() -> None:
    assert fit_of("süß").num_bytes == 5


def test_two_words_alike_beside_each_other_are_two() -> None:
    assert fit_of("sun sun sun").num_words == 3


def test_the_commonest_split_words_are_shown_piece_by_piece() -> None:
    assert fit_of("abcd eeee eeee", "eeee sun").examples == ("e ##e ##e ##e", "a ##b ##c ##d")


@pytest.mark.parametrize("texts", [[], [""], ["  "]])
def test_no_text_has_figures_of_nothing_and_no_warning(texts: list[str]) -> None:
    quality = assess_tokenizer(by_hand(), {"domain": texts, "general": ["sun"]})
    assert quality.fits[0].num_tokens == 0
    assert quality.warning == ""


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_a_vocabulary_fits_what_it_was_learned_from_and_not_other_words(kind: str) -> None:
    tokenizer = train_tokenizer(TEXTS, kind=kind, vocab_size=768)
    foreign = ["angioplasty hemodynamic tachycardia pericarditis", "xylophone zucchini krypton"] * 20
    assert assess_tokenizer(tokenizer, {"domain": TEXTS, "general": TEXTS}).warning == ""
    quality = assess_tokenizer(tokenizer, {"domain": foreign, "general": TEXTS})
    assert "does not fit the domain" in quality.warning
    assert quality.kind == kind
    assert quality.vocab_size == len(tokenizer)
    assert [fit.name for fit in quality.fits] == ["domain", "general"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unknown_share": MAX_UNKNOWN_SHARE + 0.001}, "unknown"),
        ({"split_share": MAX_SPLIT_SHARE + 0.001}, "4 or more pieces"),
        ({"tokens_per_word": 1.1 * MAX_GROWTH + 0.01}, "times as many tokens"),
    ],
)
def test_each_limit_has_its_reason(change: dict[str, float], said: str) -> None:
    general = replace(FITTING, name="general")
    assert find_misfit({"domain": FITTING, "general": general}) == ""
    assert said in find_misfit({"domain": replace(FITTING, **change), "general": general})


def test_special_tokens_are_not_counted_and_the_tokenizer_is_left_as_it_was() -> None:
    tokenizer = train_tokenizer(TEXTS, vocab_size=512)
    num_tokens = len(tokenizer.tokenize(" ".join(TEXTS[:3])))
    tokenizer.backend_tokenizer.enable_truncation(5)
    assert assess_tokenizer(tokenizer, {"domain": [" ".join(TEXTS[:3])]}).fits[0].num_tokens == num_tokens
    assert tokenizer.backend_tokenizer.truncation["max_length"] == 5
