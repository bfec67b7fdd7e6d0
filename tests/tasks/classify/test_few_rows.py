"""Few rows: more epochs, lower rates, and the last epoch."""

import json
import shutil

import pytest

from pretune.configs import FinetuneConfig, RunConfig
from pretune.records import Example
from pretune.run.trace import Trace
from pretune.tasks.classify.begin import FEW_ROWS_HEAD_RATE, FEW_ROWS_RATE, LEAST_UPDATES, settle
from pretune.train import Device


@pytest.fixture
def sentence_encoder(tiny_checkpoint, tmp_path) -> str:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_checkpoint("bert"), folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return str(folder)


@pytest.fixture(autouse=True)
def all_layers(monkeypatch):
    """As on a processor where bf16 is fast."""
    monkeypatch.setattr("pretune.tasks.classify.boundary.has_fast_bf16", lambda _: True)


def settled(model: str, num_rows: int, *, text: str = "a b", run: dict | None = None, **settings) -> RunConfig:
    device = Device(kind="cpu", precision="bf16", why="bf16 instructions found", threads=1)
    rows = [Example(id=str(number), text=text, label="x") for number in range(num_rows)]
    config = RunConfig(model=model, finetune=FinetuneConfig(**settings), **(run or {}))
    return settle(config, device, rows, Trace())


def rates(config: RunConfig):
    return config.finetune.learning_rate, config.finetune.head_learning_rate


@pytest.mark.parametrize(("num_rows", "epochs"), [(14, 60), (64, 30), (600, 4), (1_000, 3), (10_000, 3)])
def test_a_table_gets_as_many_epochs_as_make_the_least_updates(sentence_encoder, num_rows, epochs):
    config = settled(sentence_encoder, num_rows)
    assert config.epochs == epochs
    assert epochs * -(-num_rows // 32) >= LEAST_UPDATES
    assert rates(config) == ((FEW_ROWS_RATE, FEW_ROWS_HEAD_RATE) if epochs > 3 else (None, None))


def test_rates_that_were_named_stay(sentence_encoder):
    assert rates(settled(sentence_encoder, 64, learning_rate=2e-4)) == (2e-4, None)
    assert rates(settled(sentence_encoder, 64, head_learning_rate=2e-4)) == (None, 2e-4)


def test_a_head_that_reads_no_mean_keeps_the_usual_rates(sentence_encoder, tiny_checkpoint):
    assert rates(settled(str(tiny_checkpoint("bert")), 64)) == (None, None)
    assert rates(settled(sentence_encoder, 64, pooling="own")) == (None, None)
    assert rates(settled(sentence_encoder, 64, head="mlp")) == (None, None)


def test_long_texts_of_a_small_table_are_read_whole(sentence_encoder, monkeypatch):
    noted: list[str] = []
    monkeypatch.setattr("pretune.tasks.classify.boundary.max_positions", lambda _: 512)
    monkeypatch.setattr(Trace, "note", lambda _, text: noted.append(text))
    assert settled(sentence_encoder, 64).finetune.max_length == 128
    assert settled(sentence_encoder, 64, text="a " * 200).finetune.max_length == 256
    assert any("longer than 128 tokens" in note for note in noted)
    assert settled(sentence_encoder, 64, text="a " * 200, max_length=32).finetune.max_length == 32
    assert settled(sentence_encoder, 64, text="a " * 200, head="mlp").finetune.max_length == 256


def test_a_length_is_not_chosen_where_anything_else_was_named(sentence_encoder, monkeypatch):
    monkeypatch.setattr("pretune.tasks.classify.boundary.max_positions", lambda _: 512)
    for fields in ({"epochs": 2}, {"freeze": "none"}, {"budget": "5m"}):
        assert settled(sentence_encoder, 64, text="a " * 200, run=fields).finetune.max_length == 128
