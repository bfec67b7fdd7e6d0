"""A model folder: written whole, read back the same, loadable by plain transformers, refused when tampered with."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings, strategies as st
from networks import CLASSES, TEXTS, encode_texts, open_network, padded, save_mpnet
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from pretune.errors import ModelLoadError, ParityError
from pretune.hashing import digest_of_file
from pretune.models import (
    Inputs,
    ModelCard,
    build_network,
    check_parity,
    find_checkpoint,
    load_folder,
    load_tokenizer,
    save_model,
)
from pretune.predict import predict_logits
from pretune.storage import sealed
from tiny import FAMILIES

CARD = ModelCard(classes=CLASSES, positive="good", threshold=0.4, max_length=64, base_model="tiny", licence="MIT")


def save(folder, source, head="native"):
    """Save a network with telling weights; return what it says about ``TEXTS``."""
    network, tokenizer = open_network(source, head=head, head_size=8)
    save_model(folder, network, tokenizer, replace(CARD, head=head, head_size=8))
    return predict_logits(network, Inputs(encode_texts(tokenizer)))


def read(folder):
    network, tokenizer, _ = load_folder(folder)
    return predict_logits(network, Inputs(encode_texts(tokenizer)))


def reseal(folder, **changes):
    """Change the card, and let it name the digests of what lies there, as whoever changes a model on purpose would."""
    card = json.loads((folder / "pretune.json").read_text()) | changes
    names = sorted(file.name for file in folder.iterdir() if file.name != "pretune.json")
    card["digests"] = {name: digest_of_file(folder / name) for name in names}
    (folder / "pretune.json").write_text(json.dumps(sealed(card)))


@pytest.fixture
def saved(tmp_path, tiny_checkpoint):
    save(tmp_path / "model", tiny_checkpoint("bert"))
    return tmp_path / "model"


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_transformers_gives_the_same_logits_and_names(family, tmp_path, tiny_checkpoint):
    expected = save(tmp_path / "model", tiny_checkpoint(family))
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        logits = model(**tokenizer(list(TEXTS), padding=True, return_tensors="pt")).logits
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)
    assert model.config.id2label == {0: "bad", 1: "good", 2: "mixed"}
    assert model.config.problem_type == "single_label_classification"


@pytest.mark.parametrize("head", ["native", "mlp"])
@pytest.mark.parametrize("family", [*FAMILIES, "mpnet"])
def test_reading_back_gives_the_same_logits(family, head, tmp_path, tiny_checkpoint):
    source = save_mpnet(tmp_path / "source", tiny_checkpoint("roberta")) if family == "mpnet" else tiny_checkpoint(family)
    expected = save(tmp_path / "model", source, head)
    assert check_parity(expected, read(tmp_path / "model"), tmp_path / "model") < 1e-6


def test_the_card_comes_back(saved):
    assert replace(load_folder(saved)[2], digests={}, digest="") == replace(CARD, head_size=8)


def test_a_network_comes_back_ready_to_predict(saved):
    assert not load_folder(saved)[0].training


def test_saving_again_replaces_the_folder(saved, tiny_checkpoint):
    save(saved, tiny_checkpoint("distilbert"), "mlp")
    assert (saved / "head.safetensors").is_file()
    expected = save(saved, tiny_checkpoint("roberta"))
    assert not (saved / "head.safetensors").exists()
    assert torch.equal(read(saved), expected)
    assert [item.name for item in saved.parent.iterdir()] == ["model"]


def test_a_tampered_weight_is_a_parity_error(saved):
    expected, file = read(saved), saved / "model.safetensors"
    weights = load_file(file)
    weights["classifier.bias"][1] += 0.001
    save_file(weights, file, metadata={"format": "pt"})
    reseal(saved)
    with pytest.raises(ParityError, match=r"differ by 0\.001") as caught:
        check_parity(expected, read(saved), saved)
    assert str(saved) in str(caught.value)
    assert caught.value.exit_code == 4


def test_logits_that_are_no_numbers_are_no_parity(tmp_path):
    with pytest.raises(ParityError):
        check_parity(torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [0.0, torch.nan]]), tmp_path)


def test_parity_of_no_rows_is_exact(tmp_path):
    assert check_parity(torch.empty(0, 2), torch.empty(0, 2), tmp_path) == 0.0


def test_a_folder_without_a_card_is_no_model_of_ours(tiny_checkpoint):
    with pytest.raises(ModelLoadError, match=r"no pretune.json(.|\n)*load_pretrained_model"):
        load_folder(tiny_checkpoint("bert"))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", "null", "{}", '{"classes": 5}', '"text"', "\xff"])
def test_a_damaged_card_is_named(content, saved):
    (saved / "pretune.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelLoadError, match=r"pretune\.json is damaged"):
        load_folder(saved)


def test_a_card_from_a_later_version_is_read_as_far_as_it_is_known(saved):
    reseal(saved, colour="blue")
    assert replace(load_folder(saved)[2], digests={}, digest="") == replace(CARD, head_size=8)


def test_a_card_of_an_earlier_version_without_digests_is_read(saved):
    card = json.loads((saved / "pretune.json").read_text())
    del card["digest"], card["digests"]
    (saved / "pretune.json").write_text(json.dumps(card))
    assert load_folder(saved)[2] == replace(CARD, head_size=8)


@pytest.mark.parametrize("head", ["native", "mlp"])
@pytest.mark.parametrize("threshold", [0.0, 0.03, 0.5, 0.8, 1.0])
def test_the_threshold_of_two_classes_is_in_the_saved_bias_and_out_of_the_one_read_back(
    threshold, head, tmp_path, tiny_checkpoint
):
    network, tokenizer = open_network(tiny_checkpoint("bert"), head=head, head_size=8, classes=("bad", "good"))
    card = replace(CARD, classes=("bad", "good"), threshold=threshold, head=head, head_size=8)
    expected = predict_logits(network.eval(), Inputs(encode_texts(tokenizer)))
    save_model(tmp_path / "model", network, tokenizer, card)
    reloaded, again, found = load_folder(tmp_path / "model")
    assert torch.equal(predict_logits(reloaded, Inputs(encode_texts(again))), expected)  # to the bit
    file, name = ("model.safetensors", "classifier.bias") if head == "native" else ("head.safetensors", "output.bias")
    moved = load_file(tmp_path / "model" / file)[name] - torch.tensor(found.unfolded_bias)
    saved = (expected + moved).argmax(dim=1) == 1
    assert torch.equal(saved, expected.softmax(dim=1)[:, 1] >= threshold)


def test_a_threshold_folded_in_is_taken_out_where_another_training_starts_from_the_model(tmp_path, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), classes=("bad", "good"))
    save_model(tmp_path / "model", network, tokenizer, replace(CARD, classes=("bad", "good"), threshold=0.9))
    again = build_network(find_checkpoint(str(tmp_path / "model")), ("bad", "good"))
    assert torch.equal(again.model.classifier.bias, network.model.classifier.bias)
    fresh = build_network(find_checkpoint(str(tmp_path / "model")), ("bad", "good"), head="mlp", head_size=8)
    assert not torch.equal(fresh.head.output.bias, network.model.classifier.bias)


@pytest.mark.parametrize("classes", [CLASSES, ("bad", "good")])
def test_what_no_constant_can_decide_is_left_as_it_is(classes, tmp_path, tiny_checkpoint):
    source = tiny_checkpoint("bert") if len(classes) > 2 else save_mpnet(tmp_path / "source", tiny_checkpoint("roberta"))
    network, tokenizer = open_network(source, classes=classes)
    save_model(tmp_path / "model", network, tokenizer, replace(CARD, classes=classes, threshold=0.9))
    assert load_folder(tmp_path / "model")[2].unfolded_bias is None


@pytest.mark.parametrize("bias", [[1.0], [0.0, float("nan")], ["a", "b"], 7, {"a": 1}])
def test_a_bias_that_is_none_is_a_damaged_card(bias, tmp_path, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), classes=("bad", "good"))
    save_model(tmp_path / "model", network, tokenizer, replace(CARD, classes=("bad", "good"), threshold=0.9))
    reseal(tmp_path / "model", unfolded_bias=bias)
    with pytest.raises(ModelLoadError, match=r"pretune\.json is damaged"):
        load_folder(tmp_path / "model")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_checkpoint):
    folder = tmp_path_factory.mktemp("whole") / "model"
    save(folder, tiny_checkpoint("bert"), "mlp")
    return folder


PARTS = ("config.json", "model.safetensors", "head.safetensors", "tokenizer.json", "tokenizer_config.json", "pretune.json")


@given(name=st.sampled_from(PARTS), place=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(max_examples=80, deadline=None)
def test_any_flipped_bit_of_any_file_of_a_model_is_found_and_named(whole, name, place, bit):
    file, known = whole / name, load_card(whole)
    data = file.read_bytes()
    spoiled = bytearray(data)
    spoiled[place % len(data)] ^= 1 << bit
    try:
        file.write_bytes(spoiled)
        if name == "pretune.json" and _means_the_same(bytes(spoiled), data):
            assert load_card(whole) == known  # 1e-05 and 1E-05
        else:
            with pytest.raises(ModelLoadError, match=name.replace(".", r"\.")):
                load_folder(whole)
    finally:
        file.write_bytes(data)


def load_card(folder):
    return json.loads((folder / "pretune.json").read_text())


def _means_the_same(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_part_that_is_missing_is_an_error(missing, saved):
    (saved / missing).unlink()
    with pytest.raises(ModelLoadError, match=str(saved)):
        load_folder(saved)


def test_a_saved_model_with_only_a_pickle_is_refused(saved):
    weights = load_file(saved / "model.safetensors")
    (saved / "model.safetensors").unlink()
    torch.save(weights, saved / "pytorch_model.bin")
    reseal(saved)
    with pytest.raises(ModelLoadError, match="safetensors"):
        load_folder(saved)


def test_a_native_head_that_is_missing_is_an_error_rather_than_random(saved):
    file = saved / "model.safetensors"
    kept = {name: value for name, value in load_file(file).items() if not name.startswith("classifier")}
    save_file(kept, file, metadata={"format": "pt"})
    reseal(saved)
    with pytest.raises(ModelLoadError, match="2 weights are missing or of another size, the first is classifier"):
        load_folder(saved)


def test_a_card_with_other_classes_than_the_head_is_an_error(saved):
    reseal(saved, classes=["bad", "good"])
    with pytest.raises(ModelLoadError, match="of another size"):
        load_folder(saved)


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"hello")])
def test_a_pooled_head_that_is_missing_or_torn_is_an_error_rather_than_random(damage, tmp_path, tiny_checkpoint):
    save(tmp_path / "model", tiny_checkpoint("bert"), "mlp")
    damage(tmp_path / "model" / "head.safetensors")
    reseal(tmp_path / "model")
    with pytest.raises(ModelLoadError, match=r"head\.safetensors"):
        load_folder(tmp_path / "model")


def test_a_pooled_head_is_gone_on_with_by_a_new_start_of_its_size(tmp_path, tiny_checkpoint):
    expected = save(tmp_path / "model", tiny_checkpoint("bert"), "mlp")
    checkpoint = find_checkpoint(str(tmp_path / "model"))
    inputs = Inputs(encode_texts(load_tokenizer(checkpoint)))
    same = build_network(checkpoint, CLASSES, head="mlp", head_size=8)
    assert torch.equal(predict_logits(same, inputs), expected)
    other = build_network(checkpoint, CLASSES, head="mlp", head_size=16)
    assert other.head.dense.out_features == 16


def test_the_saved_tokenizer_neither_cuts_nor_pads_of_itself(saved):
    held = json.loads((saved / "tokenizer.json").read_text())
    assert held["truncation"] is None
    assert held["padding"] is None


def test_the_folder_holds_what_its_readers_need(saved):
    names = {item.name for item in saved.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "pretune.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]


def test_a_pooled_batch_means_the_same_after_reading_back(tmp_path, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("electra"), head="mlp", head_size=8)
    save_model(tmp_path / "model", network, tokenizer, replace(CARD, head="mlp", head_size=8))
    again, _, _ = load_folder(tmp_path / "model")
    batch = padded(tokenizer)
    with torch.no_grad():
        torch.testing.assert_close(again(batch), network.eval()(batch))


@pytest.mark.parametrize(
    ("field", "value"),
    [("text_columns", ("review", "title")), ("label_type", "str")],
)
def test_the_card_keeps_the_columns_and_the_type_of_the_labels(field, value, tmp_path, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    save_model(tmp_path / "model", network, tokenizer, replace(CARD, head="native", **{field: value}))
    assert getattr(load_folder(tmp_path / "model")[2], field) == value


def test_a_card_of_before_has_no_columns_and_labels_of_text(saved):
    card = json.loads((saved / "pretune.json").read_text())
    bare = {name: value for name, value in card.items() if name not in ("text_columns", "label_type", "digest")}
    (saved / "pretune.json").write_text(json.dumps(sealed(bare)))
    found = load_folder(saved)[2]
    assert (found.text_columns, found.label_type) == ((), "str")


@pytest.mark.parametrize("changes", [{"label_type": "complex"}, {"label_type": "int"}, {"text_columns": [1]}])
def test_a_card_whose_labels_or_columns_cannot_be_is_damaged(changes, saved):
    reseal(saved, **changes)
    with pytest.raises(ModelLoadError, match="damaged"):
        load_folder(saved)
