"""States of a frozen trunk are kept on disk: the same bits with and without, never those of something else."""

import os
import time
from collections import namedtuple

import pytest
import torch
from networks import TEXTS, encode_texts, open_network

from pretune.models import Inputs, TrunkCache, prepare_inputs, trunk_cache

BOUNDARIES = [1, 2, 3]


@pytest.fixture
def cache(tmp_path):
    return TrunkCache(tmp_path / "trunk")


@pytest.fixture
def bert(tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint("bert"))
    return network.eval(), encode_texts(tokenizer)


def states(inputs):
    return inputs.hidden if inputs.pooled is None else inputs.pooled


def entries(cache):
    return sorted(path.name for path in cache.folder.iterdir())


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_kept_states_are_those_computed_to_the_bit(bert, cache, boundary):
    network, encoded = bert
    told = []
    expected = prepare_inputs(network, encoded, boundary)
    first = prepare_inputs(network, encoded, boundary, cache=cache)
    again = prepare_inputs(network, encoded, boundary, cache=cache, progress=lambda *call: told.append(call))
    assert torch.equal(states(first), states(expected))
    assert torch.equal(states(again), states(expected))
    assert (expected.reused, first.reused, again.reused) == (False, False, True)
    assert told == []


def test_deleting_an_entry_changes_no_bit(bert, cache):
    network, encoded = bert
    expected = states(prepare_inputs(network, encoded, 2, cache=cache)).clone()
    held = prepare_inputs(network, encoded, 2, cache=cache)
    for name in entries(cache):
        for file in (cache.folder / name).iterdir():
            file.unlink()
    assert torch.equal(states(held), expected)  # mapped: it outlives its name
    again = prepare_inputs(network, encoded, 2, cache=cache)
    assert not again.reused
    assert torch.equal(states(again), expected)


def test_weights_above_the_boundary_do_not_count_and_those_below_do(bert, cache):
    network, encoded = bert
    prepare_inputs(network, encoded, 2, cache=cache)
    with torch.no_grad():
        for weight in [*network.layers[2].parameters(), *network.head_parameters()]:
            weight += 1.0
    assert prepare_inputs(network, encoded, 2, cache=cache).reused
    with torch.no_grad():
        next(network.layers[1].parameters())[0] += 1e-3
    changed = prepare_inputs(network, encoded, 2, cache=cache)
    assert not changed.reused
    assert torch.equal(states(changed), states(prepare_inputs(network, encoded, 2)))


def test_other_texts_boundary_precision_threads_and_head_are_other_entries(tiny_checkpoint, bert, cache, monkeypatch):
    network, encoded = bert
    _, tokenizer = open_network(tiny_checkpoint("bert"))
    prepare_inputs(network, encoded, 3, cache=cache)
    assert not prepare_inputs(network, encode_texts(tokenizer, TEXTS[:-1]), 3, cache=cache).reused
    assert not prepare_inputs(network, encoded, 2, cache=cache).reused
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not prepare_inputs(network, encoded, 3, cache=cache).reused
    pooled_otherwise, _ = open_network(tiny_checkpoint("bert"), head="mlp")
    assert not prepare_inputs(pooled_otherwise.eval(), encoded, 3, cache=cache).reused
    monkeypatch.setattr(torch, "get_num_threads", lambda: 17)
    assert not prepare_inputs(network, encoded, 3, cache=cache).reused


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove", "about"])
def test_a_damaged_entry_is_computed_again(bert, cache, damage):
    network, encoded = bert
    expected = states(prepare_inputs(network, encoded, 2, cache=cache)).clone()
    file = cache.folder / entries(cache)[0] / (trunk_cache.ABOUT if damage == "about" else trunk_cache.STATES)
    data = bytearray(file.read_bytes())
    if damage == "remove":
        file.unlink()
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes(data if damage == "flip" else data[:-5])
    again = prepare_inputs(network, encoded, 2, cache=cache)
    assert not again.reused
    assert torch.equal(states(again), expected)
    assert prepare_inputs(network, encoded, 2, cache=cache).reused


def test_training_cannot_write_into_an_entry(bert, cache):
    network, encoded = bert
    prepare_inputs(network, encoded, 2, cache=cache)
    with torch.inference_mode():
        prepare_inputs(network, encoded, 2, cache=cache).hidden.zero_()
    again = prepare_inputs(network, encoded, 2, cache=cache)
    assert again.reused
    assert again.hidden.abs().sum() > 0


def test_what_was_not_used_for_longest_goes_first(bert, tmp_path):
    network, encoded = bert
    size = int(encoded.offsets[-1]) * 32 * 4
    cache = TrunkCache(tmp_path / "trunk", max_total=int(2.5 * size))
    prepare_inputs(network, encoded, 1, cache=cache)
    oldest = entries(cache)[0]
    os.utime(cache.folder / oldest, (1, 1))
    prepare_inputs(network, encoded, 2, cache=cache)
    half_made = cache.folder / ".left.behind"
    half_made.mkdir()
    os.utime(half_made, (time.time() - 2 * trunk_cache.STALE,) * 2)
    with torch.no_grad():
        next(network.layers[0].parameters())[0] += 1.0
    prepare_inputs(network, encoded, 1, cache=cache)
    assert len(entries(cache)) == 2
    assert oldest not in entries(cache)


@pytest.mark.parametrize("limit", ["entry", "disk"])
def test_without_room_nothing_is_kept_and_the_states_are_the_same(bert, tmp_path, monkeypatch, limit):
    network, encoded = bert
    cache = TrunkCache(tmp_path / "trunk", max_entry=100 if limit == "entry" else 1 << 30)
    if limit == "disk":
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(trunk_cache.shutil, "disk_usage", lambda _: usage(1_000, 900, 100))
    found = prepare_inputs(network, encoded, 2, cache=cache)
    assert torch.equal(states(found), states(prepare_inputs(network, encoded, 2)))
    assert not cache.folder.exists()


def test_a_disk_that_refuses_costs_time_only(bert, cache, monkeypatch):
    network, encoded = bert

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trunk_cache.os, "posix_fallocate", refuse)
    found = prepare_inputs(network, encoded, 2, cache=cache)
    assert torch.equal(states(found), states(prepare_inputs(network, encoded, 2)))
    assert entries(cache) == []


def test_ids_are_never_kept(bert, cache):
    network, encoded = bert
    assert isinstance(prepare_inputs(network, encoded, 0, cache=cache), Inputs)
    assert not cache.folder.exists()
