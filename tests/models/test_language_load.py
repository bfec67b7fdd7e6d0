"""A GGUF file's text is split as the file says, and tokens that a text spells out stay text."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from pretune.data.catalogue.fetch import find_entry
from pretune.models.language_load import _named_splitting, split_digits
from pretune.storage import cache_folder


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(["item 1 of 10\n\n 2 and 10 more, 2024 of 2025"] * 20, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")


@pytest.mark.parametrize("splitting", ["smollm", "starcoder"])
def test_each_digit_is_a_token_of_its_own_where_the_file_says_so(splitting):
    tokenizer = byte_level()
    assert "Ġ10" in tokenizer.tokenize("of 10")
    split_digits(tokenizer, splitting)
    tokens = tokenizer.tokenize("of 10\n\n 2")
    assert [token for token in tokens if any(sign.isdigit() for sign in token)] == ["1", "0", "2"]
    assert tokenizer.decode(tokenizer("of 10\n\n 2024").input_ids) == "of 10\n\n 2024"
    once = tokenizer.backend_tokenizer.to_str()
    split_digits(tokenizer, splitting)
    assert tokenizer.backend_tokenizer.to_str() == once


@pytest.mark.parametrize("splitting", ["", "gpt-2", "llama-bpe"])
def test_another_way_of_splitting_is_left_alone(splitting):
    tokenizer = byte_level()
    before = tokenizer.backend_tokenizer.to_str()
    split_digits(tokenizer, splitting)
    assert tokenizer.backend_tokenizer.to_str() == before


@pytest.mark.parametrize("splitting", ["smollm", None])
def test_the_way_of_splitting_is_read_from_the_file(splitting, tmp_path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    if splitting:
        writer.add_tokenizer_pre(splitting)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert _named_splitting(tmp_path / "tiny.gguf") == (splitting or "")


def test_smollm2_reads_every_digit_apart(monkeypatch):
    pytest.importorskip("gguf")
    entry = find_entry("smollm2")
    monkeypatch.delenv("PRETUNE_CACHE", raising=False)
    files = sorted(cache_folder().glob(f"catalogue/{entry.name}-*/*.gguf"))
    if not files:
        pytest.skip("smollm2 was not fetched: pretune models smollm2")
    tokenizer = AutoTokenizer.from_pretrained(files[0].parent, gguf_file=files[0].name)
    split_digits(tokenizer, _named_splitting(Path(files[0])))
    tokens = tokenizer.tokenize("Steps:\n\n1. mix 250 g\n 2. wait 10 min", split_special_tokens=True)
    assert [token for token in tokens if any(sign.isdigit() for sign in token)] == list("1250210")
    stop = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert stop in tokenizer("a<|im_end|>").input_ids
    assert stop not in tokenizer("a<|im_end|>", split_special_tokens=True).input_ids
