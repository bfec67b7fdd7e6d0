"""Training in stages: what each trains and at which rate, one history over all, and going on in each of them to the bit."""

import math
from dataclasses import replace

import pytest
import torch
from networks import save_mpnet

from pretune.errors import MetricError, UsageError
from pretune.models import Inputs, prepare_inputs
from pretune.train import Checkpoints, Figures, Plan, TrainingSet
from pretune.train.schedule import make_schedule
from tasks import CPU, QUICK, Finetuning, Task

CONFIG = replace(QUICK, dropout=0.2, batch_size=8, patience=2)  # 32 rows: 4 steps an epoch
STAGES = "all:2,last-1:1,last-2:1@1e-4,none:1"
ABOUT = {"data": "1"}


class KilledError(Exception):
    """What stands for the end of the process."""


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


class Run:
    """A fine-tuning in stages whose frozen trunk is computed for each of them, as ``fit_network`` does it."""

    def __init__(self, task, freeze, config=CONFIG, *, epochs=None, values=None, **options):
        self.network, encoded = task.open(config)
        self.prepared, self.inputs = [], Inputs(encoded)
        left = iter(values or ())

        def prepare(boundary):
            self.prepared.append(boundary)
            self.inputs = prepare_inputs(self.network, encoded, boundary) if boundary else Inputs(encoded)
            return self.inputs

        def validate():
            if values is None:
                return task.figures(self.network, self.inputs)
            return Figures(loss=0.5, accuracy=0.5, metric="accuracy", metric_value=next(left))

        plan = Plan(epochs=epochs, freeze=freeze, device=CPU, seed=0)
        first = prepare(self.network.boundary_of(plan.stages(len(self.network.layers))[0].freeze))
        training = TrainingSet(inputs=first, targets=task.targets, ids=task.ids, num_classes=2, prepare=prepare)
        self.tuning = Finetuning(self.network, training, config, plan, validate, **options)

    def weights(self):
        return {name: weight.detach().clone() for name, weight in self.network.named_parameters()}

    def train(self):
        """Return what each stage left: its place, what was trained, and the weights at its end."""
        stages = []
        for number in self.tuning.each_stage():
            trained = {name for name, weight in self.network.named_parameters() if weight.requires_grad}
            before = self.weights()
            list(self.tuning.epochs())
            stages.append((number, trained, before, self.weights()))
        return stages


def moved(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def idle(name):
    return "position" in name or "token_type" in name  # rows that no text reads


def test_each_stage_trains_what_it_names_and_leaves_the_rest_alone(task):
    run = Run(task, STAGES)
    stages = run.train()
    assert [number for number, *_ in stages] == [0, 1, 2, 3]
    for _, trained, before, after in stages:
        assert moved(before, after) <= trained
        assert {name for name in trained if not idle(name)} <= moved(before, after)
    layers = [{name.split("layer.")[1][0] for name in trained if "layer." in name} for _, trained, *_ in stages]
    assert layers == [set(), {"2"}, {"1", "2"}, {"0", "1", "2"}]
    assert run.prepared == [3, 2, 1, 0]


def test_epochs_and_steps_are_numbered_through_and_the_history_is_one(task):
    run = Run(task, STAGES)
    run.train()
    history = run.tuning.history
    assert [item.epoch for item in history.validations] == [1, 2, 3, 4, 5]
    assert [item.stage for item in history.validations] == ["all", "all", "last-1", "last-2", "none"]
    assert [step.index for step in history.steps] == list(range(20))
    assert run.tuning.num_steps == 20
    assert [item.observation == "first epoch" for item in history.validations] == [True, False, True, True, True]
    assert history.stopped_because == "stage 4 of 4: the one epoch asked for is done"


@pytest.mark.parametrize("decay", ["linear", "cosine", "constant"])
def test_warm_up_and_decay_run_over_each_stages_own_steps_at_its_own_peak(decay, task):
    config = replace(CONFIG, decay=decay, warmup_share=0.25, learning_rate=None, head_learning_rate=None)
    run = Run(task, STAGES, config)
    run.train()
    rates = [step.learning_rate for step in run.tuning.history.steps]
    expected = []
    for num_steps, peak in ((8, 1e-3), (4, 1e-4), (4, 1e-4), (4, 5e-5)):  # the defaults of each boundary; @1e-4 is given
        factor = make_schedule(num_steps=num_steps, warmup_share=0.25, decay=decay)
        expected += [peak * factor(step) for step in range(num_steps)]
    assert rates == pytest.approx(expected)
    assert len(set(rates)) >= 4


def test_a_stages_own_rate_wins_over_the_configs(task):
    run = Run(task, "all:1,last-2:1@1e-6", replace(CONFIG, warmup_share=0.0))
    before = run.train()[1][2]
    rates = [step.learning_rate for step in run.tuning.history.steps]
    assert max(rates[:4]) == CONFIG.learning_rate
    assert max(rates[4:]) == 1e-6
    after = run.weights()
    shift = max(float((after[name] - before[name]).abs().max()) for name in after)
    assert 0 < shift <= 4 * 1.1e-6 + 1e-6  # at most the rate a step, and decay


def test_the_best_epoch_is_chosen_over_all_stages_and_its_weights_are_in_the_network(task):
    run = Run(task, STAGES, values=[0.5, 0.6, 0.9, 0.7, 0.8])
    stages = run.train()
    assert run.tuning.history.best_epoch == 3
    assert moved(stages[1][3], run.weights()) == set()  # those at the end of the second stage
    assert moved(stages[3][3], run.weights())
    assert not run.network.training


def test_a_stage_begins_with_the_best_weights_so_far(task):
    """The third stage made it worse, also in layers that the fourth trains no less."""
    run = Run(task, "all:1,last-2:1,last-3:1,last-1:1", values=[0.5, 0.8, 0.6, 0.7])
    stages = run.train()
    assert moved(stages[1][3], stages[2][3])
    assert moved(stages[1][3], stages[3][2]) == set()
    assert run.prepared == [3, 1, 0, 2]


def test_weights_that_only_a_worse_stage_trained_go_back_to_where_they_were(task):
    run = Run(task, "all:1,last-1:1", values=[0.8, 0.5])
    stages = run.train()
    assert any("layer.2" in name for name in moved(stages[0][3], stages[1][3]))
    assert moved(stages[0][3], run.weights()) == set()


def test_early_stopping_ends_a_stage_and_the_next_one_begins(task):
    values = [0.5, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7]  # two epochs without a better one end the stage
    run = Run(task, "all,last-1", values=values)
    run.train()
    history = run.tuning.history
    assert [item.stage for item in history.validations] == ["all"] * 4 + ["last-1"] * 3
    assert history.best_epoch == 5
    assert history.stopped_because == "stage 2 of 2: no better accuracy for 2 epochs"


def test_a_new_stage_has_its_patience_to_itself(task):
    """Epoch 1 stays the best; the second stage is not over before it has had two epochs."""
    run = Run(task, "all:2,last-1", values=[0.9, 0.5, 0.6, 0.7])
    run.train()
    assert [item.stage for item in run.tuning.history.validations] == ["all", "all", "last-1", "last-1"]


def test_kept_states_of_each_stage_train_as_ids_do(task):
    """Without dropout; a stage whose lower layers an earlier one has trained needs states of the trained weights."""
    config = replace(CONFIG, dropout=0.0, batch_size=32, learning_rate=1e-3)
    freeze, losses = "none:1,last-2:2,all:1", []
    run = Run(task, freeze, config)
    run.train()
    losses.append([step.loss for step in run.tuning.history.steps])
    network, encoded = task.open(config)
    plain = task.finetuning(network, Inputs(encoded), config, freeze=freeze, epochs=None)
    list(plain)
    losses.append([step.loss for step in plain.history.steps])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert run.prepared == [0, 1, 3]


def test_one_stage_is_what_it_is_without_the_word(task):
    """``last-1:2`` and ``last-1`` with two epochs: the same bits, and no place is told."""
    first, second = Run(task, "last-1:2"), Run(task, "last-1", epochs=2)
    first.train(), second.train()
    assert moved(first.weights(), second.weights()) == set()
    assert first.tuning.history.stopped_because == second.tuning.history.stopped_because == "all 2 epochs done"
    assert {item.stage for item in first.tuning.history.validations} == {""}


def test_gradual_reaches_the_embeddings_and_learns(tiny_checkpoint):
    task = Task(tiny_checkpoint("bert"), num_rows=120)
    run = Run(task, "gradual", replace(QUICK, layer_decay=0.9), epochs=8)
    run.train()
    validations = run.tuning.history.validations
    assert [item.stage for item in validations] == ["all", "last-1", "last-2", "last-3", *["none"] * 4]
    assert validations[-1].accuracy > 0.9 > validations[0].accuracy


def test_a_family_whose_layers_are_not_known_is_unfrozen_in_two_stages(tiny_checkpoint, tmp_path):
    task = Task(save_mpnet(tmp_path, tiny_checkpoint("roberta")))
    run = Run(task, "gradual", epochs=3)
    run.train()
    assert [item.stage for item in run.tuning.history.validations] == ["all", "none", "none"]


def test_a_stage_that_does_not_fit_the_model_is_refused_before_anything_is_trained(task):
    with pytest.raises(UsageError, match="freeze is 'last-4', but the model has 3 layers"):
        Run(task, "all:1,last-4:1")


def finish(task, folder, *, kill_at=None, save_at=()):
    """Train from the start, or go on; save at the steps named; die after one. Return weights, steps, epochs without seconds."""
    keeper = None if folder is None else Checkpoints(folder, ABOUT)

    def on_step(step, _):
        if keeper is not None and step.index in save_at:
            keeper._due = 0.0
        if step.index - 1 == kill_at:  # the one before is saved by now
            raise KilledError

    run = Run(task, STAGES, on_step=on_step, checkpoints=keeper)
    run.train()
    history = run.tuning.history
    validations = tuple(replace(item, seconds=0.0) for item in history.validations)
    return run.weights(), history.steps, validations, history.stopped_because


@pytest.mark.parametrize("at", [2, 3, 7, 9, 11, 13, 15, 17])
def test_a_run_that_was_cut_off_in_any_stage_ends_with_the_same_bits(at, task, tmp_path):
    """Four steps an epoch: cut within each of the four stages, and after the last step of the first three."""
    whole, folder = finish(task, None), tmp_path / "checkpoints"
    with pytest.raises(KilledError):
        finish(task, folder, kill_at=at, save_at=(at,))
    assert [path.name for path in folder.iterdir()] == [f"step-{at + 1}"]
    again = finish(task, folder)
    assert moved(whole[0], again[0]) == set()
    assert again[1:] == whole[1:]


def test_it_can_be_cut_off_in_every_stage_in_turn(task, tmp_path):
    whole, folder = finish(task, None), tmp_path / "checkpoints"
    for at in (5, 9, 11, 13, 18):
        with pytest.raises(KilledError):
            finish(task, folder, kill_at=at, save_at=(at,))
    again = finish(task, folder)
    assert moved(whole[0], again[0]) == set()
    assert again[1:] == whole[1:]


def test_a_stage_whose_metric_is_no_number_ends_the_training(task):
    run = Run(task, "all:1,last-1:1", values=[0.5, math.nan])
    with pytest.raises(MetricError, match="accuracy on validation is nan after epoch 2"):
        run.train()
