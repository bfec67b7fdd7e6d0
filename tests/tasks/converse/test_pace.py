"""Pacing: timing changes nothing, ends early where updates take long, and a budget is kept."""

from itertools import count
from types import SimpleNamespace

import pytest
import torch
from chat_models import make_pairs, save_chat_model

from pretune.configs import ReplyConfig
from pretune.data.conversations import load_conversations
from pretune.run.trace import Trace
from pretune.tasks.converse import pace
from pretune.tasks.converse.fit import encode_splits
from pretune.tasks.converse.start import open_chat
from pretune.tokens.chat_date import now
from pretune.train import Plan
from tasks import CPU


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A tiny chat model and encoded conversations."""
    folder = tmp_path_factory.mktemp("chat")
    save_chat_model(folder)
    start, template, _ = open_chat(str(folder), CPU, Trace(), moment=now())
    data = load_conversations(make_pairs(60))
    return start.network, encode_splits(data.train, data.validation, template, start.tokenizer, max_length=64, trace=Trace())


@pytest.mark.parametrize(("within", "num_made"), [(1e9, pace.NUM_TIMED + 1), (35.0, 3), (0.0, 2)])
def test_updates_of_ten_seconds_are_timed_as_long_as_there_is_time_and_two_at_least(within, num_made, parts, monkeypatch):
    network, encoded = parts
    clock = count(0.0, 10.0)  # each stroke is an update
    made = list[float]()
    monkeypatch.setattr(pace, "time", SimpleNamespace(perf_counter=lambda: made.append(next(clock)) or made[-1]))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plan = Plan(epochs=1, freeze="none", device=CPU, seed=0)
    assert pace.seconds_per_update(network, encoded, ReplyConfig(max_length=64), plan, within=within) == 10
    assert len(made) - 1 == num_made
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_validation_has_its_share_of_the_time_and_reads_less_where_it_would_take_more(parts):
    _, encoded = parts
    assert pace._choose_held(encoded, 0.0, 1.0) == (None, 0.0)
    slow = pace._choose_held(encoded, 1000.0, 1.0)
    assert slow[0] == min(pace.LEAST_HELD, len(encoded.validation))
    assert slow[1] == pytest.approx(slow[0] * pace.READING * 1000, rel=0.2)  # all of them are about as long
    assert pace.choose_within(100, 1.0, total=5000, rows_per_update=8, validation=30.0).num_rows == 8 * 64
    assert pace.choose_within(100, 1.0, total=80, rows_per_update=8, validation=30.0).epochs == 2
    assert pace.choose_within(100, 1.0, total=80, rows_per_update=8).epochs == pace.MAX_EPOCHS


def test_a_part_is_drawn_by_the_seed_and_keeps_the_order(parts):
    _, encoded = parts
    part = pace.part_of(encoded, 9, 4, seed=3)
    again, other = pace.part_of(encoded, 9, 4, seed=3), pace.part_of(encoded, 9, 4, seed=5)
    assert (len(part.train), len(part.ids), len(part.validation)) == (9, 9, 4)
    assert list(part.ids) == sorted(part.ids, key=encoded.ids.index)
    assert part.ids == again.ids != other.ids
    assert pace.part_of(encoded, len(encoded.train), None, seed=3).ids == encoded.ids
