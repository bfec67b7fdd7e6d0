"""A GGUF file is taken apart once: what is kept is the same to the bit, and never taken for something else."""

import multiprocessing
import os
import shutil

import pytest
import torch
from gguf_files import TEXT, write_gguf

from pretune import storage
from pretune.models.formats import gguf as form, unpacked

pytest.importorskip("gguf")


@pytest.fixture
def file(tmp_path):
    return write_gguf(tmp_path / "tiny.gguf", "smollm")


@pytest.fixture
def taken_apart(monkeypatch):
    """Return the files that were taken apart so far."""
    seen, read = [], form.read

    def counted(file, name):
        seen.append(file.name)
        return read(file, name)

    monkeypatch.setattr(form, "read", counted)
    return seen


def assert_same(found, expected):
    (model, tokenizer), (wanted, of_file) = found, expected
    weights = wanted.state_dict()
    assert model.state_dict().keys() == weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert all(torch.equal(one, other) for one, other in zip(model.buffers(), wanted.buffers(), strict=True))
    assert model.config.to_dict() == wanted.config.to_dict()
    assert (model.config.name_or_path, type(model)) == (wanted.config.name_or_path, type(wanted))
    assert tokenizer.backend_tokenizer.to_str() == of_file.backend_tokenizer.to_str()
    assert tokenizer(TEXT).input_ids == of_file(TEXT).input_ids
    assert tokenizer.special_tokens_map == of_file.special_tokens_map
    assert tokenizer.chat_template == of_file.chat_template
    assert (tokenizer.name_or_path, tokenizer.model_max_length) == (of_file.name_or_path, of_file.model_max_length)


def test_what_is_kept_is_what_was_taken_apart_to_the_bit(file, taken_apart):
    expected = form.read(file, "tiny")
    for _ in range(3):
        assert_same(unpacked.read(file, "tiny"), expected)
    assert len(taken_apart) == 2, "once here, once for the cache"


def test_training_what_was_read_leaves_what_is_kept_alone(file):
    model, _ = unpacked.read(file, "tiny")
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1)
    again, _ = unpacked.read(file, "tiny")
    assert all(torch.equal(weight, before[name]) for name, weight in again.state_dict().items())


def flip(entry):
    path = entry / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(entry):
    os.truncate(entry / "model.safetensors", 100)


def lose(entry):
    (entry / "tokenizer.json").unlink()


def add(entry):
    (entry / "model-2.safetensors").write_bytes(b"")


def link(entry):
    elsewhere = entry.parent.parent / "elsewhere"
    shutil.move(entry, elsewhere)
    entry.symlink_to(elsewhere)


def fill_with_something_else(entry):
    shutil.rmtree(entry)
    entry.mkdir()
    (entry / "notes.txt").write_text("mine")
    storage.write_digests(entry)


@pytest.mark.parametrize("spoil", [flip, cut, lose, add, link, fill_with_something_else])
def test_what_is_not_what_was_written_is_made_again(spoil, file, taken_apart):
    expected = form.read(file, "tiny")
    unpacked.read(file, "tiny")
    spoil(unpacked.entry_of(file))
    assert_same(unpacked.read(file, "tiny"), expected)
    assert_same(unpacked.read(file, "tiny"), expected)
    assert len(taken_apart) == 3


def test_another_file_is_another_entry(file, tmp_path):
    other = write_gguf(tmp_path / "other.gguf", "gpt-2")
    assert unpacked.entry_of(file) != unpacked.entry_of(other)
    unpacked.read(file, "tiny")
    assert unpacked.read(other, "other")[1].tokenize("of 2024") == ["of", "Ġ2024"]


@pytest.mark.parametrize("package", ["transformers", "tokenizers", "gguf", "pretune"])
def test_another_version_of_what_takes_it_apart_is_another_entry(package, file, monkeypatch):
    before, version = unpacked.entry_of(file), unpacked.version
    monkeypatch.setattr(unpacked, "version", lambda name: "0.0.1" if name == package else version(name))
    assert unpacked.entry_of(file) != before


def test_where_the_cache_cannot_be_written_the_file_is_taken_apart_each_time(file, tmp_path, monkeypatch, caplog):
    (tmp_path / "a-file").write_text("")
    monkeypatch.setenv("PRETUNE_CACHE", str(tmp_path / "a-file"))
    assert_same(unpacked.read(file, "tiny"), form.read(file, "tiny"))
    assert "taken apart" in caplog.text


def test_a_full_disk_costs_the_entry_and_not_the_model(file, monkeypatch, caplog):
    def refuse(*_):
        raise storage.refused(OSError(28, "No space left on device"), file)

    monkeypatch.setattr(storage, "replace", refuse)
    assert_same(unpacked.read(file, "tiny"), form.read(file, "tiny"))
    assert "disk is full" in caplog.text
    assert not unpacked.entry_of(file).exists()


def test_the_oldest_entries_go(file, tmp_path):
    unpacked.read(file, "tiny")
    folder = unpacked.entry_of(file).parent
    for number in range(5):
        (folder / f"old-{number}").mkdir()
        os.utime(folder / f"old-{number}", (number, number))
    unpacked.read(write_gguf(tmp_path / "other.gguf", "gpt-2"), "other")
    kept = {item.name for item in folder.iterdir() if item.is_dir()}
    assert len(kept) == unpacked.MAX_ENTRIES
    assert unpacked.entry_of(file).name in kept


def _read_in_a_process(file, results):
    model, _ = unpacked.read(file, "tiny")
    results.put(float(sum(weight.detach().double().sum() for weight in model.parameters())))


def test_two_processes_at_once_find_the_same(file):
    start = multiprocessing.get_context("fork")
    results = start.Queue()
    processes = [start.Process(target=_read_in_a_process, args=(file, results)) for _ in range(2)]
    for process in processes:
        process.start()
    sums = {results.get(timeout=120) for _ in processes}
    for process in processes:
        process.join()
    expected, _ = form.read(file, "tiny")
    assert sums == {float(sum(weight.detach().double().sum() for weight in expected.parameters()))}
    assert [item.name for item in unpacked.entry_of(file).parent.iterdir() if item.is_dir()] == [unpacked.entry_of(file).name]
