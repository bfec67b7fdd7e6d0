"""Pre-training: does it learn what can be learned, is a cut-off one resumed to the bit, and are bad corpora told?"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pretune.configs import PretrainConfig
from pretune.errors import DataError, DivergedError, UsageError
from pretune.models import LanguageNetwork
from pretune.models.architectures import new_language_model
from pretune.tokens import Vocabulary
from pretune.train import Checkpoints, Training, choose_device
from pretune.train.plans import PretrainPlan
from pretune.train.windows import Text, WindowOrder
from pretune.train.words import WordObjective

VOCABULARY = 64
SPECIAL = 5
MASK = 4


class Stream:
    """A chain: each token names the next one, in documents of 16 tokens."""

    digest = "chain"

    def __init__(self, num_tokens: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        follower = np.random.default_rng(0).permutation(VOCABULARY - SPECIAL)
        ids = np.zeros(num_tokens, dtype=np.int64)
        for place in range(num_tokens):
            ids[place] = generator.integers(len(follower)) if place % 16 == 0 else follower[ids[place - 1]]
        self.ids, self.of, self.num_tokens = ids + SPECIAL, np.arange(num_tokens) // 16, num_tokens
        self.num_documents = num_tokens // 16

    def windows(self, starts, length):
        places = np.asarray(starts)[:, None] + np.arange(length)
        return self.ids[places], self.of[places].astype(np.int32)

    def documents(self, rows, max_length):
        lengths = np.minimum(8 + np.asarray(rows) % 9, max_length)  # 8 to 16 tokens
        width = int(lengths.max())
        mask = np.arange(width) < lengths[:, None]
        places = np.asarray(rows)[:, None] * 16 + np.arange(width)
        return np.where(mask, self.ids[places], 0), mask.astype(np.int64)


class Flat:
    """So many tokens in documents of eight."""

    def __init__(self, num_tokens):
        self.num_tokens, self.num_documents = num_tokens, num_tokens // 8


def vocabulary():
    special = np.zeros(VOCABULARY, dtype=bool)
    special[:SPECIAL] = True
    return Vocabulary(mask_id=MASK, is_special=special, continues=np.zeros(VOCABULARY, dtype=bool))


class Tokens(SimpleNamespace):
    def __len__(self):
        return VOCABULARY


TOKENIZER = Tokens(pad_token_id=0, cls_token_id=2, sep_token_id=3, eos_token_id=3, bos_token_id=2)


class Pretraining:
    """An objective and its training as one."""

    on_step = None

    def __init__(self, objective, checkpoints):
        self.objective, self.checkpoints = objective, checkpoints

    def milestones(self):
        training = Training(self.objective, checkpoints=self.checkpoints, on_step=self.on_step)
        training.resume()
        return training.rounds()

    def __getattr__(self, name):
        return getattr(self.objective, name)


def build(
    objective="causal", *, num_steps=60, tokens=6_000, checkpoints=None, seed=0, has_fresh_head=False, general=None, **settings
):
    torch.manual_seed(seed)
    fields = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    network = LanguageNetwork(new_language_model(objective, "tiny", TOKENIZER, fields))
    known = {
        "window": 32,
        "batch_tokens": 256,
        "learning_rate": 1e-2,
        "optimizer": "muon",
        "mask_share": 0.2,
        "num_milestones": 3,
    }
    config = PretrainConfig(**{"objective": objective, **known, **settings})
    text = Text(
        train=Stream(tokens, 1), validation=Stream(1_000, 2), vocabulary=vocabulary() if objective == "masked" else None,
        validation_bytes=2.0,
    )  # fmt: skip
    plan = PretrainPlan(
        num_steps=num_steps, device=choose_device("cpu", precision="fp32"), seed=seed, has_fresh_head=has_fresh_head,
        started_from="a checkpoint" if has_fresh_head else "", general=general and replace(text, validation=general),
    )  # fmt: skip
    return Pretraining(WordObjective(network, text, config, plan), checkpoints)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_next_words_of_a_chain_are_learned(optimizer):
    run = build(optimizer=optimizer, num_steps=90)
    milestones = list(run.milestones())
    assert [item.step for item in milestones] == [0, 30, 60, 90]
    assert milestones[0].loss == pytest.approx(math.log(VOCABULARY), abs=0.3)
    assert milestones[-1].accuracy > 0.95
    assert milestones[-1].perplexity == pytest.approx(math.exp(milestones[-1].loss))
    assert milestones[-1].bits_per_byte == pytest.approx(milestones[-1].loss / math.log(2) / 2.0)
    assert milestones[-1].num_tokens == 90 * 256
    assert run.history.num_targets == sum(1 for _ in range(90)) * 8 * 30  # two documents meet in a window of 32 tokens


def test_hidden_words_of_a_chain_are_learned():
    milestones = list(build("masked", num_steps=400, learning_rate=2e-2).milestones())
    assert milestones[-1].accuracy > 0.8
    assert milestones[-1].bits_per_byte is None
    assert milestones[-1].observation


@pytest.mark.parametrize("objective", ["masked", "causal"])
@pytest.mark.parametrize("cut", [1, 7, 20, 33])
def test_a_training_that_was_cut_off_ends_with_the_same_bits(objective, cut, tmp_path, monkeypatch):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    whole = build(objective, num_steps=40)
    expected = list(whole.milestones())

    def stop(step, _planned):
        if step.index + 1 == cut:
            raise SystemExit

    run = build(objective, num_steps=40, checkpoints=Checkpoints(tmp_path, {}))
    run.on_step = stop
    with pytest.raises(SystemExit):
        list(run.milestones())
    again = build(objective, num_steps=40, checkpoints=Checkpoints(tmp_path, {}))
    list(again.milestones())
    for name, weight in whole.network.named_parameters():
        assert torch.equal(weight, dict(again.network.named_parameters())[name]), name
    blank = {"seconds": 0.0, "tokens_per_second": 0.0}
    assert [replace(item, **blank) for item in again.history.milestones] == [replace(item, **blank) for item in expected]


@pytest.mark.parametrize("objective", ["masked", "causal"])
def test_whole_documents_are_read_and_padding_is_never_asked_for(objective):
    run = build(objective, num_steps=30 if objective == "causal" else 150, whole_documents=True, learning_rate=2e-2)
    update = run._update(0)
    for windows, labels in update.parts:
        assert windows.ids.shape[1] <= 16
        assert (labels >= SPECIAL).all()
        assert (windows.documents.flatten()[windows.targets] >= 0).all()
    milestones = list(run.milestones())
    assert milestones[-1].loss < milestones[0].loss
    assert run._order.num_windows == 375


def test_a_masked_model_predicts_next_words_first_and_is_scored_by_what_it_predicts():
    run = build("masked", num_steps=40, num_milestones=4, next_word_share=0.5)
    assert [windows.looks_back for step in (0, 19, 20, 39) for windows, _ in run._update(step).parts[:1]] == [
        True,
        True,
        False,
        False,
    ]
    milestones = list(run.milestones())
    assert [item.task for item in milestones] == ["", "next words", "next words", "", ""]
    assert milestones[1].observation.startswith("next words first: ")
    assert run.history.num_first_steps == 20
    assert not any(windows.looks_back for windows, _ in build("masked", next_word_share=0.0)._update(0).parts)


def test_a_fresh_head_learns_alone_first_and_the_layers_stand_still_meanwhile():
    run = build("masked", num_steps=40, num_milestones=4, has_fresh_head=True, head_share=0.25, general=Stream(800, 7))
    trunk = {id(weight) for weight in run.network.trunk.parameters()}
    start = {name: weight.detach().clone() for name, weight in run.network.named_parameters()}
    milestones = []
    for milestone in run.milestones():
        milestones.append(milestone)
        moved = {id(weight) in trunk for name, weight in run.network.named_parameters() if not torch.equal(weight, start[name])}
        assert moved == {0: set(), 10: {False}}.get(milestone.step, {True, False}), milestone.step
    assert [item.step for item in milestones] == [0, 10, 20, 30, 40]
    assert run.history.num_head_steps == 10
    assert run.history.first_fair == milestones[1]
    assert milestones[1].observation.startswith("the new head alone first: ")
    assert [item.general_loss is not None for item in milestones] == [False, True, False, False, True]
    assert milestones[1].general_loss != milestones[1].loss


def test_after_the_head_alone_all_rates_rise_anew():
    run = build("masked", num_steps=40, has_fresh_head=True, head_share=0.25, warmup_share=0.2)
    rates = []
    run.on_step = lambda step, _: rates.append(step.learning_rate)
    list(run.milestones())
    top = max(rates)
    assert rates[:3] == pytest.approx([top / 2, top, top])  # a fifth of ten steps
    assert rates[9:12] == pytest.approx([top, top / 6, top / 3])
    assert rates[-1] < top / 10


def test_general_text_is_scored_before_and_after_where_nothing_is_new():
    run = build(num_steps=9, general=Stream(800, 7))
    assert [item.general_loss is not None for item in run.milestones()] == [True, False, False, True]


@pytest.mark.parametrize("cut", [3, 10, 17])
def test_a_fresh_head_is_gone_on_with_to_the_bit(cut, tmp_path, monkeypatch):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    settings = {"num_steps": 24, "has_fresh_head": True, "head_share": 0.4}
    whole = build("masked", **settings)
    list(whole.milestones())

    def stop(step, _planned):
        if step.index + 1 == cut:
            raise SystemExit

    run = build("masked", checkpoints=Checkpoints(tmp_path, {}), **settings)
    run.on_step = stop
    with pytest.raises(SystemExit):
        list(run.milestones())
    again = build("masked", checkpoints=Checkpoints(tmp_path, {}), **settings)
    list(again.milestones())
    for name, weight in whole.network.named_parameters():
        assert torch.equal(weight, dict(again.network.named_parameters())[name]), name


def test_parts_of_an_update_give_the_gradient_of_the_whole(monkeypatch):
    def gradients():
        run = build(num_steps=1)
        update = run._update(0)
        for windows, labels in update.parts:
            (run.loss(windows, labels) / update.weight).backward()
        return len(update.parts), {name: weight.grad for name, weight in run.network.named_parameters()}

    one, whole = gradients()
    monkeypatch.setitem(__import__("pretune.train.held_out", fromlist=["x"]).MAX_TOKENS_A_PART, "cpu", 64)
    several, parted = gradients()
    assert (one, several) == (1, 4)
    for name, gradient in whole.items():
        torch.testing.assert_close(parted[name], gradient, atol=1e-5, rtol=1e-4)


def test_every_window_is_read_once_an_epoch_and_cut_elsewhere_in_the_next():
    config = PretrainConfig(window=32, batch_tokens=64)
    order = WindowOrder(Flat(32 * 21 + 1), config, seed=3)
    assert order.num_windows == 20
    first = np.concatenate([order.starts(step) for step in range(10)])
    assert sorted(first.tolist()) == list(range(0, 640, 32))
    second = np.concatenate([order.starts(step) for step in range(10, 20)])
    assert len(set(second % 32)) == 1
    assert second.max() + 32 < 32 * 21 + 1
    assert (WindowOrder(Flat(32 * 21 + 1), config, seed=3).starts(13) == order.starts(13)).all()
    assert second.tolist() != first.tolist()


def test_an_update_may_span_two_epochs():
    order = WindowOrder(Flat(32 * 4 + 1), PretrainConfig(window=32, batch_tokens=64), seed=0)
    assert order.num_windows == 3
    assert len(order.starts(1)) == 2


def test_less_text_than_one_update_is_told():
    with pytest.raises(DataError, match=r"less than one update(.|\n)*add text, or make updates smaller"):
        build(tokens=200)


def test_a_loss_that_is_not_finite_ends_with_the_windows_named():
    run = build(num_steps=5)
    with torch.no_grad():
        run.network.output.weight[10] = float("nan")
    with pytest.raises(DivergedError, match="tokens "):
        list(run.milestones())


def test_a_trial_is_at_the_first_rate_and_makes_no_milestone():
    run = build(num_steps=50)
    steps = list(run.trial(3))
    assert len(steps) == 3
    assert len({step.learning_rate for step in steps}) == 1
    assert run.history.milestones == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "other"}, {"size": "huge"}, {"window": 4}, {"mask_share": 0.0}, {"learning_rate": 2.0},
        {"optimizer": "sgd"},
        {"batch_tokens": 10}, {"architecture": ("layers",)}, {"dropout": 1.0}, {"num_milestones": 0}, {"warmup_share": 1.0},
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_told(settings):
    with pytest.raises(UsageError):
        PretrainConfig(**settings)
