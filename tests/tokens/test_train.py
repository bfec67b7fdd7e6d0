"""A vocabulary learned from text: the same each time, readable by plain transformers, as large as the text allows."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer

from pretune.errors import DataError, UsageError
from pretune.run.trace import Trace
from pretune.tokens import train_tokenizer
from pretune.tokens.sample import take_sample
from pretune.tokens.train import BPE_SPECIAL, WORDPIECE_SPECIAL

SYLLABLES = "ka lo mi ter van ish ou pre shi gran dol fe rum ba nex".split()


def make_texts(num_texts: int = 600, seed: int = 0) -> list[str]:
    """Generate texts of many different words, so that there is something to learn pieces of."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(3_000)]
    return [" ".join(draw.choices(words, k=draw.randint(3, 40))).capitalize() + "." for _ in range(num_texts)]


def train(kind: str, texts: list[str] | None = None, vocab_size: int = 1024, **options: object) -> object:
    return train_tokenizer(make_texts() if texts is None else texts, kind=kind, vocab_size=vocab_size, **options)  # type: ignore[arg-type]


def learned(kind: str) -> str:
    """Return all that was learned, as text."""
    return str(train(kind).backend_tokenizer.to_str())


both = pytest.mark.parametrize("kind", ["wordpiece", "bpe"])


@both
def test_special_tokens_have_fixed_ids(kind: str) -> None:
    tokenizer, names = train(kind), WORDPIECE_SPECIAL if kind == "wordpiece" else BPE_SPECIAL
    assert [tokenizer.convert_tokens_to_ids(name) for name in names] == list(range(len(names)))


@both
@pytest.mark.parametrize("family", ["modernbert", "bert", "llama", None])
def test_plain_transformers_gives_the_same_ids(kind: str, family: str | None, tmp_path: Path) -> None:
    tokenizer = train(kind)
    tokenizer.save_pretrained(tmp_path)
    if family:
        AutoConfig.for_model(family).save_pretrained(tmp_path)  # its family must not choose another class of tokenizer
    again = AutoTokenizer.from_pretrained(tmp_path)
    texts = [*make_texts(50, seed=9), "Ünïcode 中文 😀 [MASK] <|endoftext|>", "", "  spaced   out  "]
    assert [again(text).input_ids for text in texts] == [tokenizer(text).input_ids for text in texts]
    assert (again.pad_token_id, again.eos_token_id, again.mask_token_id) == (
        tokenizer.pad_token_id,
        tokenizer.eos_token_id,
        tokenizer.mask_token_id,
    )


def test_wordpiece_puts_each_text_between_its_bounds() -> None:
    ids = train("wordpiece")("Kalo mi").input_ids
    assert (ids[0], ids[-1]) == (2, 3)


def test_byte_level_pieces_lose_nothing() -> None:
    text = "Ünïcode 中文 😀\n\ttabs  and \x00 bytes"
    tokenizer = train("bpe")
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert tokenizer.unk_token_id is None


def test_wordpiece_folds_case_unless_told_otherwise() -> None:
    assert train("wordpiece").tokenize("KALO Mi") == train("wordpiece").tokenize("kalo mi")
    cased = train("wordpiece", lowercase=False)
    assert cased.tokenize("KALO") != cased.tokenize("kalo")


@both
def test_the_order_of_the_texts_does_not_matter(kind: str) -> None:
    texts = make_texts()
    assert train(kind, texts).backend_tokenizer.to_str() == train(kind, texts[::-1]).backend_tokenizer.to_str()


@both
def test_another_process_learns_the_same(kind: str) -> None:
    """The library itself numbers WordPiece's pieces differently in each process."""
    code = (
        f"import sys; sys.path.insert(0, sys.argv[1]); import {Path(__file__).stem} as test; print(test.learned(sys.argv[2]))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), kind],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout
    assert shown.strip() == learned(kind)


@both
@pytest.mark.parametrize(("asked", "given"), [(1024, 1024), (1000, 1024), (1025, 1088)])
def test_the_size_is_a_multiple_of_64(kind: str, asked: int, given: int) -> None:
    assert len(train(kind, vocab_size=asked)) == given


@both
def test_few_texts_give_a_smaller_vocabulary_and_it_is_told(kind: str) -> None:
    told: list[dict] = []
    tokenizer = train(kind, ["the sun rises", "the sun sets"] * 20, vocab_size=8192, trace=Trace(listeners=(told.append,)))
    assert len(tokenizer) < 1024
    assert len(tokenizer) % 64 == 0
    assert any("not 8,192" in event["text"] for event in told if event["event"] == "note")


def test_a_rare_script_does_not_take_the_vocabulary_over() -> None:
    others = "".join(map(chr, range(0x4E00, 0x4E00 + 2_000)))  # each of them once
    tokenizer = train("wordpiece", [*make_texts(), others])
    held = sum(token.lstrip("#") in others and token != "" for token in tokenizer.get_vocab() if token.strip("#"))
    assert held < 2 * 1024 * 0.125 + 1
    assert tokenizer.unk_token_id in tokenizer(others).input_ids
    assert tokenizer.unk_token_id not in tokenizer(make_texts(1, seed=5)[0]).input_ids


@both
@pytest.mark.parametrize("texts", [[], ["", "  \n "]])
def test_no_text_is_an_error(kind: str, texts: list[str]) -> None:
    with pytest.raises(DataError, match="no text to learn a vocabulary from"):
        train(kind, texts)


@pytest.mark.parametrize("option", [{"kind": "unigram"}, {"vocab_size": 10}, {"vocab_size": 10**9}, {"max_bytes": 3}])
def test_an_option_that_does_not_fit_is_an_error(option: dict) -> None:
    with pytest.raises(UsageError):
        train_tokenizer(make_texts(5), **option)


@both
def test_a_cap_is_told(kind: str) -> None:
    texts, told = make_texts(3_000), []
    train(kind, texts, max_bytes=100_000, trace=Trace(listeners=(told.append,)))
    stage = next(event for event in told if event["event"] == "stage")
    assert "of 3,000 texts" in stage["shape_in"]
    assert "100,000 bytes" in stage["notes"][0]


class TestSample:
    """Which texts of a stream are learned from."""

    def test_a_small_stream_is_taken_whole(self) -> None:
        texts = make_texts(100)
        sample = take_sample(iter(texts), 10**6)
        assert sorted(sample.texts) == sorted(texts)
        assert sample.is_whole

    def test_a_large_stream_is_taken_evenly(self) -> None:
        """A stream sorted by subject: a prefix would hold the first subject alone."""
        texts = [f"{subject} {number}" for subject in ("sun", "sea") for number in range(5_000)]
        sample = take_sample(texts, 20_000)
        share = sum(text.startswith("sun") for text in sample.texts) / len(sample.texts)
        assert 0.45 < share < 0.55
        assert 8_000 < sample.num_bytes <= 20_000
        assert sample.num_bytes == sum(map(len, sample.texts))

    @pytest.mark.parametrize("reorder", [lambda texts: texts[::-1], sorted], ids=["reversed", "sorted"])
    def test_the_order_does_not_matter(self, reorder: Callable[[list[str]], list[str]]) -> None:
        texts = make_texts(2_000)
        assert take_sample(texts, 30_000) == take_sample(reorder(texts), 30_000)

    def test_one_text_longer_than_the_cap_is_kept(self) -> None:
        assert take_sample(["x" * 1_000], 10).texts == ["x" * 1_000]

    def test_a_text_repeated_beyond_the_cap_comes_to_an_end(self) -> None:
        assert set(take_sample(["same text"] * 1_000, 100).texts) == {"same text"}
