"""Replies as an objective."""

import numpy as np
import pytest
import torch
from chat_models import make_pairs, save_chat_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from pretune.configs import ReplyConfig
from pretune.errors import UsageError
from pretune.models import load_language_model
from pretune.records import TokenCounts
from pretune.tokens import Encoded
from pretune.train import Checkpoints, Device, Plan, Training, seed_everything
from pretune.train.replies import ReplyObjective, ReplyRows, ReplyValidator, Talks, windows_of

CPU = Device(kind="cpu", precision="fp32", threads=1, why="tests")
QUICK = ReplyConfig(learning_rate=3e-3, batch_size=4, max_length=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("chat")
    save_chat_model(place)
    return place


def encoded_pairs(folder, num_rows=24):
    tokenizer, ids, is_reply, lengths = AutoTokenizer.from_pretrained(folder), [], [], []
    for row in make_pairs(num_rows):
        asked = [{"role": "user", "content": row["prompt"]}]
        whole = [*asked, {"role": "assistant", "content": row["response"]}]
        before = tokenizer.apply_chat_template(asked, add_generation_prompt=True)["input_ids"]
        after = tokenizer.apply_chat_template(whole)["input_ids"][:-1]  # without the line end after the stop token
        ids += after
        is_reply += [place >= len(before) for place in range(len(after))]
        lengths.append(len(after))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = Encoded(
        ids=np.array(ids, dtype=np.int32),
        offsets=offsets,
        padding_id=2,
        counts=TokenCounts(
            split="train",
            num_texts=num_rows,
            num_tokens=len(ids),
            num_cut_texts=0,
            num_cut_tokens=0,
            num_unknown=0,
            max_length=64,
        ),
    )
    return Talks(tokens=tokens, is_reply=np.array(is_reply))


def objective_of(folder, *, epochs=2, freeze="none", config=QUICK, seed=0):
    seed_everything(seed)
    network, encoded = load_language_model(str(folder)).network, encoded_pairs(folder)
    plan = Plan(epochs=epochs, freeze=freeze, device=CPU, seed=seed)
    names = [f"row {number}" for number in range(len(encoded.tokens.offsets) - 1)]
    validate = ReplyValidator(network, encoded, CPU)
    return ReplyObjective(network, encoded, names, config, plan, validate=validate)


def train(objective, checkpoints=None):
    training = Training(objective, checkpoints=checkpoints, waits=checkpoints is not None)
    training.resume()
    run_stages(objective, training)
    return objective


def run_stages(objective, training):
    for _ in objective.each_stage():
        list(training.rounds())


def test_the_loss_is_that_of_transformers_over_reply_tokens_alone(folder):
    encoded, model = encoded_pairs(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    validate = ReplyValidator(load_language_model(str(folder)).network, encoded, CPU)
    total, count = 0.0, 0
    for row in range(len(encoded.tokens.offsets) - 1):
        start, stop = encoded.tokens.offsets[row], encoded.tokens.offsets[row + 1]
        ids = torch.from_numpy(encoded.tokens.ids[start:stop].astype(np.int64))[None]
        labels = torch.where(torch.from_numpy(encoded.is_reply[start:stop])[None], ids, -100)
        num = int((labels[:, 1:] != -100).sum())
        with torch.no_grad():
            total, count = total + float(model(input_ids=ids, labels=labels).loss) * num, count + num
    assert validate().loss == pytest.approx(total / count, abs=1e-5)


def test_what_fills_a_row_up_is_no_target(folder):
    encoded = encoded_pairs(folder)
    windows, labels = windows_of(encoded, np.arange(6), width=60)
    assert len(windows.targets) == len(labels) == sum(encoded.is_reply[: encoded.tokens.offsets[6]])
    assert (labels == 2).sum() == 6  # the stop token of each row, which is also what rows are filled up with


def test_training_lowers_the_loss_and_keeps_the_best_epoch(folder):
    found = train(objective_of(folder, epochs=6))
    losses = [item.loss for item in found.history.validations]
    assert losses[-1] < 0.8 * losses[0]
    assert found.validate().loss == pytest.approx(min(losses), abs=1e-6)


@pytest.mark.parametrize("freeze", ["none", "last-1", "last-1:1,none:1"])
def test_a_training_that_is_cut_off_ends_with_the_same_bits(folder, tmp_path, freeze, monkeypatch):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    whole = train(objective_of(folder, freeze=freeze, epochs=None if ":" in freeze else 2))
    cut, keeper = objective_of(folder, freeze=freeze, epochs=None if ":" in freeze else 2), Checkpoints(tmp_path, {})
    training, made = Training(cut, checkpoints=keeper, waits=True), 0

    def stop(*_):
        nonlocal made
        made += 1
        if made == 4:
            raise KeyboardInterrupt

    training._on_step = stop
    with pytest.raises(KeyboardInterrupt):
        run_stages(cut, training)
    resumed = train(objective_of(folder, freeze=freeze, epochs=None if ":" in freeze else 2), Checkpoints(tmp_path, {}))
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_the_layers_below_the_boundary_stay(folder):
    before = {name: value.clone() for name, value in load_language_model(str(folder)).network.state_dict().items()}
    after = train(objective_of(folder, freeze="last-1")).network.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed
    assert all(".layers.1." in name or name.endswith("model.norm.weight") for name in changed)


def test_an_update_is_divided_by_the_reply_tokens_of_all_its_rows(folder):
    encoded, network = encoded_pairs(folder), load_language_model(str(folder)).network
    rows = ReplyRows(
        network, encoded, [str(number) for number in range(24)], QUICK, Plan(epochs=1, freeze="none", device=CPU, seed=0)
    )
    update = rows.update(np.arange(4), None)
    assert update.weight == update.num_targets == int(encoded.is_reply[: encoded.tokens.offsets[4]].sum())


def test_a_stage_that_trains_nothing_is_refused(folder):
    network = load_language_model(str(folder)).network
    with pytest.raises(UsageError, match="no weight"):
        network.freeze("all")
