"""Fitting a chat model."""

import pytest
import torch
from chat_models import make_pairs, save_chat_model

from pretune.configs import ReplyConfig
from pretune.data.conversations import load_conversations
from pretune.run.trace import Trace
from pretune.tasks.converse.fit import encode_splits, fit_chat
from pretune.tasks.converse.start import open_chat
from pretune.tokens.chat_date import now
from pretune.train import Plan
from tasks import CPU


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("chat")
    save_chat_model(place)
    return place


def fit(folder, **settings):
    start, template, _ = open_chat(str(folder), CPU, Trace(), moment=now())
    data, trace = load_conversations(make_pairs(60)), Trace()
    encoded = encode_splits(data.train, data.validation, template, start.tokenizer, max_length=64, trace=trace)
    config = ReplyConfig(learning_rate=3e-3, max_length=64, **settings)
    plan = Plan(epochs=2, freeze="none", device=CPU, seed=4)
    return start.network, fit_chat(start.network, encoded, config=config, plan=plan, trace=trace)


def test_adapters_are_trained_and_merged(folder):
    pytest.importorskip("peft", reason="needs the extra lora")
    begun = open_chat(str(folder), CPU, Trace(), moment=now()).start.network.state_dict()
    network, fitted = fit(folder, lora=2)
    after = network.state_dict()
    assert after.keys() == begun.keys()
    changed = {name for name, value in begun.items() if not torch.equal(value, after[name])}
    assert len(changed) == 14  # seven linear layers in each of two
    assert all(".layers." in name for name in changed)
    assert fitted.history.validations[-1].loss < fitted.history.validations[0].loss


def test_adapters_are_the_same_whatever_was_drawn_before(folder):
    pytest.importorskip("peft", reason="needs the extra lora")
    first = fit(folder, lora=2)[0].state_dict()
    torch.manual_seed(99)  # as a trial for a budget does, which a resumed run does not repeat
    second = fit(folder, lora=2)[0].state_dict()
    assert all(torch.equal(value, second[name]) for name, value in first.items())
