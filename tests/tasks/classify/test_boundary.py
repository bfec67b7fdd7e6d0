"""Which layers are trained on how many tokens where nobody said: the processor and the size of the table decide."""

import pytest
from transformers import AutoConfig

from pretune.models import find_checkpoint, max_positions
from pretune.records import Example
from pretune.tasks.classify import boundary
from pretune.tasks.classify.boundary import EPOCHS, MOST_WORK, choose_length, resolve_freeze, training_work


def rows(number: int, text: str = "a b c") -> list[Example]:
    return [Example(id=str(place), text=text, label="x") for place in range(number)]


@pytest.fixture
def model(tiny_checkpoint) -> str:
    return str(tiny_checkpoint("bert"))


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    monkeypatch.setenv("PRETUNE_BF16", "0")


def test_work_is_that_of_matrices_and_attention(model):
    config = AutoConfig.from_pretrained(model)
    width, layers, length = config.hidden_size, config.num_hidden_layers, 5  # three words between two marks
    matrices = 24 * width * width * length
    attention = 4 * width * length * length
    assert training_work(model, rows(7)) == pytest.approx(3 * EPOCHS * 7 * layers * (matrices + attention))


def test_work_grows_with_the_rows_although_a_sample_is_read(model, monkeypatch):
    monkeypatch.setattr(boundary, "SAMPLE", 10)
    mixed = [row for pair in zip(rows(50), rows(50, "a b c d e f g"), strict=True) for row in pair]
    assert training_work(model, mixed) == pytest.approx(training_work(model, mixed[:2]) * 50, rel=0.1)


def test_long_texts_count_as_they_are_cut(model):
    assert training_work(model, rows(3, "a " * 500), 16) == training_work(model, rows(3, "a " * 14), 16)


def test_all_layers_of_a_small_table_and_the_last_of_a_large_one(model, monkeypatch):
    work = training_work(model, rows(40))
    assert work < MOST_WORK
    assert resolve_freeze("auto", "cpu", model, rows(40)) == "none"
    monkeypatch.setattr(boundary, "MOST_WORK", work * 0.99)
    assert resolve_freeze("auto", "cpu", model, rows(40)) == "last-2"


def test_all_layers_where_they_are_fast_and_what_was_named_where_it_was(model, monkeypatch):
    monkeypatch.setattr(boundary, "MOST_WORK", 0.0)
    assert resolve_freeze("auto", "cuda", model, rows(40)) == "none"
    assert resolve_freeze("last-1", "cpu", model, rows(40)) == "last-1"
    monkeypatch.setattr(boundary, "has_fast_bf16", lambda _: True)
    assert resolve_freeze("auto", "cpu", model, rows(40)) == "none"


def test_a_table_without_rows_is_small(model):
    assert training_work(model, []) == 0.0


@pytest.mark.parametrize(("words", "expected"), [(20, 128), (126, 128), (127, 256), (254, 256), (255, 512), (2_000, 512)])
def test_as_many_tokens_are_read_as_cut_few_texts(model, monkeypatch, words, expected):
    monkeypatch.setattr(boundary, "max_positions", lambda _: 512)
    assert choose_length(model, rows(40, "a " * words)) == expected


def test_a_few_long_texts_are_cut(model, monkeypatch):
    monkeypatch.setattr(boundary, "max_positions", lambda _: 512)
    assert choose_length(model, rows(96) + rows(4, "a " * 300)) == 128
    assert choose_length(model, rows(90) + rows(10, "a " * 300)) == 512


def test_a_long_table_is_read_as_far_as_its_work_allows(model, monkeypatch):
    monkeypatch.setattr(boundary, "max_positions", lambda _: 512)
    table = rows(40, "a " * 1_000)
    work = training_work(model, table, 512)
    monkeypatch.setattr(boundary, "MOST_WORK", work * 0.99)
    assert choose_length(model, table) == 256
    assert choose_length(model, table, 4 * EPOCHS) == 128
    assert choose_length(model, []) == 128


def test_a_model_whose_work_is_not_known_reads_no_more_than_usual(model, monkeypatch):
    monkeypatch.setattr(boundary, "max_positions", lambda _: 512)
    monkeypatch.setattr(boundary, "read_config", lambda _: object())
    assert choose_length(model, rows(40, "a " * 1_000)) == 128


def test_no_more_than_the_model_has_positions_for(model):
    assert max_positions(find_checkpoint(model)) == 128
    assert choose_length(model, rows(40, "a " * 1_000)) == 128
