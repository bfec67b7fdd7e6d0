"""What answers for an export: batches, cuts, thresholds, whatever runs the graph."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from pretune.errors import DamagedModelError, ModelLoadError
from pretune.models.card import ModelCard
from pretune.models.exported import ExportCard, Reading, read_export_card, write_export_card
from pretune.predict import answers_of
from pretune.predict.exported import ExportedScorer, PlainTokenizer, open_export, softmax
from pretune.records import Example

WORDS = {"[UNK]": 0, "[PAD]": 1, "good": 2, "bad": 3}


def make_scorer(*, max_tokens: int = 2048, **changes: object) -> tuple[ExportedScorer, list[tuple[int, ...]]]:
    """Return a scorer whose graph counts good and bad words, and the shapes that it was asked."""
    backend = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PlainTokenizer(backend_tokenizer=backend, unk_token_id=0, pad_token_id=1, split_special_tokens=False)
    shapes = list[tuple[int, ...]]()

    def run(ids, mask):
        shapes.append(ids.shape)
        assert ((ids == 1) == (mask == 0)).all()
        return np.stack([((ids == word) * mask).sum(axis=1) for word in (3, 2)], axis=1).astype(np.float32)

    card = ModelCard(classes=("bad", "good"), max_length=4)
    export = replace(ExportCard(form="onnx", card=card), **changes)
    return ExportedScorer(card=export, tokenizer=tokenizer, run=run, max_tokens=max_tokens), shapes


def test_logits_stand_in_the_order_of_the_texts_whatever_shares_a_batch():
    texts = ["good", "bad bad bad", "good good bad", "what", "bad good good good good good good"]
    scorer, shapes = make_scorer(max_tokens=8)
    expected = [[0, 1], [3, 0], [1, 2], [0, 0], [1, 3]]  # the last text is cut at four tokens
    assert scorer.logits(texts).tolist() == expected
    assert len(shapes) > 1
    assert make_scorer(max_tokens=1)[0].logits(texts).tolist() == expected


def test_a_text_of_no_tokens_is_read_as_the_unknown_token():
    scorer, shapes = make_scorer()
    assert scorer.logits(["\u200d"]).tolist() == [[0, 0]]
    assert shapes == [(1, 2)], "padded to an even width"


def test_no_texts_have_probabilities_for_every_class():
    assert make_scorer()[0].shares([]).shape == (0, 2)


def test_the_largest_class_decides_where_the_graph_holds_the_threshold_and_the_rule_where_not():
    card = ModelCard(classes=("bad", "good"), max_length=4, positive="good", threshold=0.8)
    shares = np.array([[0.4, 0.6]])
    assert make_scorer(card=card)[0].decide(shares) == [0]
    assert make_scorer(card=card, shift=(0.0, -1.4))[0].decide(shares) == [1]


def test_answers_name_the_classes():
    found = answers_of(make_scorer()[0], [Example(id="1", text="good"), Example(id="2", text="bad bad")])
    assert found.predicted == ("good", "bad")
    assert np.allclose(np.sum(found.probabilities, axis=1), 1)


def test_large_logits_have_a_softmax():
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]


def write(folder: Path, **changes: object) -> Path:
    (folder / "model.onnx").write_bytes(b"a graph")
    card = ExportCard(form="onnx", card=ModelCard(classes=("a", "b")), reading=Reading(padding_id=3))
    write_export_card(folder, replace(card, **changes))
    return folder


def test_a_card_is_read_as_it_was_written(tmp_path):
    assert read_export_card(write(tmp_path)).reading.padding_id == 3


def test_a_changed_file_or_card_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"another")
    with pytest.raises(DamagedModelError, match=r"model\.onnx is not what was written"):
        read_export_card(tmp_path)
    write(tmp_path)
    value = json.loads((tmp_path / "export.json").read_text())
    (tmp_path / "export.json").write_text(json.dumps(value | {"shift": [0.0, 9.0]}))
    with pytest.raises(DamagedModelError, match="its digest does not match"):
        read_export_card(tmp_path)
    (tmp_path / "export.json").write_text("[]")
    with pytest.raises(DamagedModelError):
        read_export_card(tmp_path)


def test_an_exported_chat_model_is_named(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps({"form": "gguf-f16", "bytes": 3}))
    with pytest.raises(ModelLoadError, match="an exported chat model"):
        read_export_card(tmp_path)


def test_a_form_of_a_later_version_is_named(tmp_path):
    with pytest.raises(ModelLoadError, match="of the form 'onnx-int2'"):
        open_export(write(tmp_path, form="onnx-int2"))


def test_a_graph_that_cannot_be_run_is_named(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    backend = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelLoadError, match=r"model\.onnx cannot be loaded"):
        open_export(write(tmp_path))
