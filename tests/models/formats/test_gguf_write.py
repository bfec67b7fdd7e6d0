"""GGUF files that pretune writes."""

import pytest
import torch
from chat_models import save_chat_model
from transformers import AutoTokenizer

from pretune.errors import UsageError
from pretune.models import LanguageNetwork, load_language_model
from pretune.models.formats import gguf, gguf_write

pytest.importorskip("gguf")
TEXT = "What is gout?\n\n 12 of 345, don't  wait"


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("chat")
    save_chat_model(place, tied=request.param)
    return place


def written(folder, tmp_path, form):
    start, file = load_language_model(str(folder)), tmp_path / "out" / "model.gguf"
    gguf_write.write(file, start.network, start.tokenizer, form=form, stop_id=2, name="tiny")
    return start, file


@pytest.mark.parametrize(("form", "limit"), [("f32", 1e-5), ("f16", 2e-2), ("q8_0", 2e-1)])
def test_what_is_read_back_gives_the_same_logits_and_ids(folder, tmp_path, form, limit):
    start, file = written(folder, tmp_path, form)
    model, tokenizer = gguf.read(file, "tiny")
    ids = torch.tensor([start.tokenizer(TEXT)["input_ids"]])
    assert tokenizer(TEXT)["input_ids"] == ids[0].tolist()
    with torch.no_grad():
        theirs = LanguageNetwork(model).eval().model(input_ids=ids).logits
        ours = start.network.eval().model(input_ids=ids).logits
    assert (theirs - ours).abs().max() <= limit


def test_the_template_and_the_stop_token_are_in_the_file(folder, tmp_path):
    import gguf as package

    _, file = written(folder, tmp_path, "f32")
    reader = package.GGUFReader(file)
    assert reader.fields["tokenizer.chat_template"].contents() == AutoTokenizer.from_pretrained(folder).chat_template
    assert reader.fields["tokenizer.ggml.eos_token_id"].contents() == 2
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    assert kinds[:3] == [int(package.TokenType.CONTROL)] * 3


def test_a_form_that_is_none_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="one of f16"):
        written(folder, tmp_path, "q2_k")


def test_a_way_of_splitting_without_a_name_is_refused(folder, tmp_path):
    from tokenizers import pre_tokenizers

    start = load_language_model(str(folder))
    start.tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UsageError, match="splits text"):
        gguf_write.write(tmp_path / "a.gguf", start.network, start.tokenizer, form="f32", stop_id=2, name="tiny")
    assert not list(tmp_path.iterdir())
