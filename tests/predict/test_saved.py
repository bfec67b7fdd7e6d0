"""What is saved answers as what was judged: in pretune and in plain transformers, short texts and long ones."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import encode_texts, open_network, save_mpnet
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, pipeline

from pretune import TextClassifier
from pretune.configs import FinetuneConfig
from pretune.errors import ParityError
from pretune.hashing import digest_of_file
from pretune.models import ModelCard, load_folder, save_model
from pretune.models.parity import compare, long_texts
from pretune.models.pipeline import ask_apart
from pretune.predict import check_saved
from pretune.storage import sealed
from pretune.tokens import encode
from tiny import FAMILIES, make_rows

TEXTS = tuple(text for text, _ in make_rows(40, seed=7))
CARD = ModelCard(classes=("bad", "good"), positive="good", threshold=0.35, max_length=12)


def save(folder, source, card=CARD, **options):
    network, tokenizer = open_network(source, classes=card.classes, **options)
    save_model(folder, network.eval(), tokenizer, card)
    return network, tokenizer


def reseal(folder):
    card = json.loads((folder / "pretune.json").read_text())
    card["digests"] = {name: digest_of_file(folder / name) for name in card["digests"]}
    (folder / "pretune.json").write_text(json.dumps(sealed(card)))


@pytest.mark.parametrize("family", [*FAMILIES, "mpnet"])
def test_every_family_answers_in_plain_transformers_as_here_long_texts_included(family, tmp_path, tiny_checkpoint):
    source = save_mpnet(tmp_path / "source", tiny_checkpoint("roberta")) if family == "mpnet" else tiny_checkpoint(family)
    network, tokenizer = save(tmp_path / "model", source)
    assert check_saved(tmp_path / "model", network, tokenizer, CARD, TEXTS) < 1e-4


def test_the_saved_tokenizer_cuts_where_the_model_was_judged_whatever_its_checkpoint_did(tmp_path, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"), classes=CARD.classes)
    tokenizer.backend_tokenizer.enable_truncation(max_length=20)
    tokenizer.backend_tokenizer.enable_padding(length=64)
    tokenizer.truncation_side = tokenizer.padding_side = "left"
    save_model(tmp_path / "model", network, tokenizer, CARD)
    assert tokenizer.backend_tokenizer.truncation["max_length"] == 20
    held = json.loads((tmp_path / "model" / "tokenizer.json").read_text())
    assert held["truncation"] is None
    assert held["padding"] is None
    text = long_texts(TEXTS, 12)[0]
    again = AutoTokenizer.from_pretrained(tmp_path / "model")
    expected = encode_texts(tokenizer, (text,), max_length=12).ids.tolist()
    assert again(text, truncation=True)["input_ids"] == expected
    assert again(["one", text], padding=True, truncation=True)["attention_mask"][0][-1] == 0
    assert len(again(text)["input_ids"]) > 20  # nothing is cut unless it is asked for


def test_another_process_that_knows_nothing_of_pretune_says_the_same(tmp_path, tiny_checkpoint, caplog):
    network, tokenizer = save(tmp_path / "model", tiny_checkpoint("bert"))
    assert check_saved(tmp_path / "model", network, tokenizer, CARD, TEXTS, apart=True) < 1e-4
    assert not caplog.records  # it was that process that answered
    with pytest.raises(OSError, match="nowhere"):
        ask_apart(str(tmp_path / "nowhere"), TEXTS[:1])


def longer(folder):
    about = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(about | {"model_max_length": 128}))


def moved(folder):
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"][1] += 0.5
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("spoil", [longer, moved])
def test_a_folder_that_answers_otherwise_in_plain_transformers_is_a_parity_error(spoil, tmp_path, tiny_checkpoint):
    network, tokenizer = save(tmp_path / "model", tiny_checkpoint("bert"))
    spoil(tmp_path / "model")
    reseal(tmp_path / "model")
    with pytest.raises(ParityError, match="in plain transformers"):
        check_saved(tmp_path / "model", network, tokenizer, CARD, TEXTS)


def test_differences_and_other_answers_are_counted_and_draws_are_none():
    ours = torch.tensor([[0.9, 0.1], [0.50001, 0.49999], [0.2, 0.8]], dtype=torch.float64)
    theirs = torch.tensor([[0.9, 0.1], [0.49999, 0.50001], [0.6, 0.4]], dtype=torch.float64)
    difference, others = compare(ours, theirs)
    assert difference == pytest.approx(0.4)
    assert others == 1
    assert compare(torch.empty(0, 2), torch.empty(0, 2)) == (0.0, 0)


def test_a_stored_threshold_decides_in_the_plain_pipeline_and_moves_no_figure(tmp_path, tiny_checkpoint):
    rows = make_rows(120, noise=0.1)
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    config = FinetuneConfig(precision="fp32", learning_rate=3e-3, batch_size=4, max_length=16)
    model = TextClassifier(str(tiny_checkpoint("bert")), epochs=6, config=config).fit(
        texts, labels, validation_data=(texts, labels)
    )
    shares = model.predict_proba(texts)[:, 1]
    ranked = np.sort(shares)
    threshold = float(ranked[np.argmax(np.diff(ranked)) + 1])  # a row lies exactly on it, and none just below
    loss = model.evaluate(texts, labels).value("loss")
    model.card_ = replace(model.card_, positive="good", threshold=threshold)
    expected = [("bad", "good")[int(share >= threshold)] for share in shares]
    assert model.predict(texts).tolist() == expected
    assert [("bad", "good")[row.argmax()] for row in model.predict_proba(texts)] == expected
    assert model.evaluate(texts, labels).value("loss") == loss  # of the probabilities that the threshold was chosen on
    assert list(model.predictions(model._training.validation, "given").predicted) == expected
    folder = model.save(tmp_path / "model")
    plain = pipeline("text-classification", model=str(folder), truncation=True)(texts)
    assert [answer["label"] for answer in plain] == expected
    again = TextClassifier.load(folder)
    assert again.predict(texts).tolist() == expected
    assert (again.predict_proba(texts) == model.predict_proba(texts)).all()
    assert load_folder(folder)[2].threshold == threshold


def test_a_control_token_that_a_text_spells_out_is_text_here_and_in_plain_transformers(tmp_path, tiny_checkpoint):
    rows = make_rows(60)
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    config = FinetuneConfig(precision="fp32", max_length=24)
    model = TextClassifier(str(tiny_checkpoint("bert")), epochs=1, config=config).fit(texts, labels)
    spelled = "a [SEP] great [MASK] film [PAD] [CLS]"
    ids = encode([spelled], model.tokenizer_, max_length=24).ids.tolist()
    special = [model.tokenizer_.sep_token_id, model.tokenizer_.mask_token_id, model.tokenizer_.pad_token_id]
    assert [ids.count(index) for index in special] == [1, 0, 0]
    again = AutoTokenizer.from_pretrained(model.save(tmp_path / "model"))
    assert again(spelled, truncation=True)["input_ids"] == ids
    about = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())
    assert (about["split_special_tokens"], about["tokenizer_class"]) == (True, "PreTrainedTokenizerFast")
    old = AutoTokenizer.from_pretrained(tiny_checkpoint("bert"))  # a folder that does not say so is read as it always was
    assert encode([spelled], old, max_length=24).ids.tolist() == old(spelled)["input_ids"]
