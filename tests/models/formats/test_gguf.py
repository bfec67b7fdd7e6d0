"""A GGUF file is read as it says itself: its weights, and its way of splitting text before tokens are merged."""

import pytest
import torch
from gguf_files import TEXT, write_gguf
from transformers import AutoTokenizer

from pretune.data.catalogue.fetch import find_entry
from pretune.errors import ModelLoadError, UsageError
from pretune.models import Windows
from pretune.models.formats import gguf as form
from pretune.models.formats.splitting import SPLITTINGS, split_as
from pretune.models.heads import LanguageNetwork
from pretune.storage import cache_folder

pytest.importorskip("gguf")

# What becomes of TEXT before any merging, by hand from the patterns: blanks are Ġ, line ends Ċ.
PIECES = {
    "smollm": "Steps|:|ĊĊĠ|1|.|Ġmix|Ġ|2|5|0|0|Ġg|ĊĠĠ|2|.|Ġdon|'t|Ġwait|,|Ġ|ĠOK|?|Ċ",
    "gpt-2": "Steps|:|ĊĊ|Ġ1|.|Ġmix|Ġ2500|Ġg|ĊĠ|Ġ2|.|Ġdon|'t|Ġwait|,|Ġ|ĠOK|?|Ċ",
    "llama-bpe": "Steps|:ĊĊ|Ġ|1|.|Ġmix|Ġ|250|0|Ġg|Ċ|Ġ|Ġ|2|.|Ġdon|'t|Ġwait|,|Ġ|ĠOK|?Ċ",
    "qwen2": "Steps|:ĊĊ|Ġ|1|.|Ġmix|Ġ|2|5|0|0|Ġg|Ċ|Ġ|Ġ|2|.|Ġdon|'t|Ġwait|,|Ġ|ĠOK|?Ċ",
    "tekken": "Steps|:ĊĊ|Ġ|1|.|Ġmix|Ġ|2|5|0|0|Ġg|Ċ|Ġ|Ġ|2|.|Ġdon|'t|Ġwait|,|Ġ|ĠOK|?Ċ",
    "default": "Steps|:|ĊĊ|Ġ|1|.|Ġmix|Ġ|250|0|Ġg|ĊĠ|Ġ|2|.|Ġdon|'|t|Ġwait|,|Ġ|ĠOK|?|Ċ",
}


def pieces_of(tokenizer, text=TEXT):
    return "|".join(piece for piece, _ in tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text))


@pytest.mark.parametrize("splitting", PIECES)
def test_text_is_split_as_the_file_says(splitting, tmp_path):
    _, tokenizer = form.read(write_gguf(tmp_path / "tiny.gguf", splitting), "tiny")
    assert pieces_of(tokenizer) == PIECES[splitting]
    assert tokenizer.decode(tokenizer(TEXT).input_ids) == TEXT


def test_there_is_a_text_for_every_way_of_splitting():
    assert {splitting.patterns for splitting in SPLITTINGS} == {
        splitting.patterns for name in PIECES for splitting in SPLITTINGS if name in splitting.names
    }
    names = [name for splitting in SPLITTINGS for name in splitting.names]
    assert len(set(names)) == len(names)


def test_the_same_merges_give_other_ids_where_digits_stand_apart(tmp_path):
    """The fault that this mends: transformers alone splits "smollm" as it splits "gpt-2"."""
    apart, together = (form.read(write_gguf(tmp_path / f"{name}.gguf", name), name)[1] for name in ("smollm", "gpt-2"))
    assert together.tokenize("of 2024") == ["of", "Ġ2024"]
    assert apart.tokenize("of 2024") == ["of", "Ġ", "2", "0", "2", "4"]
    assert apart("of\n\n 10").input_ids != together("of\n\n 10").input_ids


@pytest.mark.parametrize("splitting", ["", "nobody-knows", "falcon"])
def test_an_unknown_way_of_splitting_is_refused(splitting, tmp_path):
    file = write_gguf(tmp_path / "tiny.gguf", splitting)
    with pytest.raises(ModelLoadError, match="split") as caught:
        form.read(file, "tiny")
    assert "smollm" in caught.value.expected


def test_a_word_that_is_a_token_is_taken_whole_where_the_file_s_way_does(tmp_path):
    whole, merged = (form.read(write_gguf(tmp_path / f"{name}.gguf", name), name)[1] for name in ("llama-bpe", "dbrx"))
    assert whole.backend_tokenizer.model.ignore_merges
    assert not merged.backend_tokenizer.model.ignore_merges
    assert pieces_of(whole) == pieces_of(merged)


def test_a_file_s_weights_can_be_trained(tmp_path):
    model, tokenizer = form.read(write_gguf(tmp_path / "tiny.gguf", "smollm"), "tiny")
    network = LanguageNetwork(model)
    ids = tokenizer("mix 2500 g", return_tensors="pt").input_ids
    loss, _ = network.loss(Windows(ids=ids[:, :-1], targets=torch.arange(ids.shape[1] - 1)), ids[0, 1:])
    loss.backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert torch.isfinite(loss)


def test_a_token_that_has_no_weights_is_refused(tmp_path):
    """Transformers adds GPT-2's token for unknown words where the vocabulary does not have it."""
    with pytest.raises(ModelLoadError, match="more tokens"):
        form.read(write_gguf(tmp_path / "tiny.gguf", "gpt-2", stop="<|end|>"), "tiny")


def test_what_is_no_gguf_file_is_refused_in_one_message(tmp_path):
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        form.read(file, "tiny")


def test_another_architecture_is_refused_before_its_weights_are_read(tmp_path):
    with pytest.raises((UsageError, ModelLoadError)):
        form.read(write_gguf(tmp_path / "tiny.gguf", "gpt-2", architecture="gpt2"), "tiny")


def test_smollm2_reads_every_digit_apart(monkeypatch):
    entry = find_entry("smollm2")
    monkeypatch.delenv("PRETUNE_CACHE", raising=False)
    files = sorted(cache_folder().glob(f"catalogue/{entry.name}-*/*.gguf"))
    if not files:
        pytest.skip("smollm2 was not fetched: pretune models smollm2")
    tokenizer = AutoTokenizer.from_pretrained(files[0].parent, gguf_file=files[0].name)
    split_as(tokenizer, "smollm", "smollm2")
    tokens = tokenizer.tokenize("Steps:\n\n1. mix 250 g\n 2. wait 10 min", split_special_tokens=True)
    assert [token for token in tokens if any(sign.isdigit() for sign in token)] == list("1250210")
    stop = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert stop in tokenizer("a<|im_end|>").input_ids
    assert stop not in tokenizer("a<|im_end|>", split_special_tokens=True).input_ids
