"""Fine-tuning whole: it learns, it keeps the best epoch, it leaves alone what is frozen, it does the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import encode_texts, from_config, open_network, save_mpnet, shake
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy

from pretune.configs.stages import DEFAULT_MAX_EPOCHS
from pretune.errors import DivergedError
from pretune.models import Inputs, prepare_inputs
from pretune.predict import predict_logits
from pretune.train import Figures
from pretune.train.sampling import class_weights
from tasks import CLASSES, CPU, QUICK, Task
from tiny import FAMILIES, make_rows


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


def weights_of(network):
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def scripted(values, network=None, kept=None, metric="accuracy"):
    """Return a validator that gives these values epoch by epoch, whatever the network says; it keeps the weights it saw."""
    left = iter(values)

    def validate():
        if kept is not None:
            kept.append(weights_of(network))
        value = next(left)
        return Figures(loss=0.5, accuracy=0.5, metric=metric, metric_value=value)

    return validate


@pytest.mark.parametrize("head", ["native", "mlp"])
def test_words_that_tell_classes_apart_are_learned(head, tiny_checkpoint):
    task = Task(tiny_checkpoint("bert"), num_rows=300)
    config = replace(QUICK, head=head, dropout=0.1)
    network, encoded = task.open(config)
    run = task.finetuning(network, Inputs(encoded), config, epochs=4)
    list(run)
    assert run.history.validations[0].training_accuracy < run.history.validations[-1].training_accuracy
    held_out = make_rows(400, seed=8)[300:]
    _, tokenizer = open_network(task.folder, CLASSES)
    logits = predict_logits(network, Inputs(encode_texts(tokenizer, [text for text, _ in held_out])))
    truth = torch.tensor([CLASSES.index(label) for _, label in held_out])
    assert float((logits.argmax(dim=1) == truth).float().mean()) >= 0.9


@pytest.mark.parametrize("family", [*FAMILIES, "mpnet"])
def test_every_family_is_trained_in_fp32_and_in_bf16_autocast(family, tiny_checkpoint, tmp_path):
    folder = save_mpnet(tmp_path, tiny_checkpoint("roberta")) if family == "mpnet" else tiny_checkpoint(family)
    task, losses = Task(folder), {}
    for precision in ("fp32", "bf16"):
        network, encoded = task.open()
        run = task.finetuning(network, Inputs(encoded), device=replace(CPU, precision=precision), epochs=2)
        list(run)
        losses[precision] = [step.loss for step in run.history.steps]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.2, abs=0.1)


@pytest.mark.parametrize("freeze", ["all", "last-1", "last-2", "none"])
@pytest.mark.parametrize("family", ["bert", "deberta-v2", "modernbert"])
def test_frozen_weights_keep_their_bits_and_trained_ones_move(family, freeze, tiny_checkpoint):
    task = Task(tiny_checkpoint(family))
    network, encoded = task.open(freeze=freeze)
    before = weights_of(network)
    list(task.finetuning(network, prepare_inputs(network, encoded, network.boundary), freeze=freeze))
    for name, weight in network.named_parameters():
        moved = not torch.equal(weight, before[name])
        idle = "position" in name or "token_type" in name  # rows that no text reads
        assert moved == weight.requires_grad or (idle and not moved), name


@pytest.mark.parametrize(("family", "freeze"), [("bert", "last-1"), *((family, "last-2") for family in FAMILIES)])
def test_training_on_kept_states_equals_training_on_ids(family, freeze, tiny_checkpoint):
    task, after = Task(tiny_checkpoint(family)), []
    for keep in (True, False):
        network, encoded = task.open(freeze=freeze)
        inputs = prepare_inputs(network, encoded, network.boundary) if keep else Inputs(encoded)
        run = task.finetuning(network, inputs, freeze=freeze, epochs=2)
        list(run)
        after.append([step.loss for step in run.history.steps])
    assert after[0] == pytest.approx(after[1], rel=1e-3)


def test_training_a_head_on_pooled_states_equals_training_it_on_ids(task):
    config, after = replace(QUICK, batch_size=32), []  # one batch: pooled states have no length to be grouped by
    for keep in (True, False):
        network, encoded = task.open(config, freeze="all")
        inputs = prepare_inputs(network, encoded, network.boundary) if keep else Inputs(encoded)
        run = task.finetuning(network, inputs, config, freeze="all", epochs=5)
        list(run)
        after.append([step.loss for step in run.history.steps])
    assert after[0] == pytest.approx(after[1], rel=1e-4)
    assert after[0][-1] < after[0][0]


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(dropout, task):
    config, after = replace(QUICK, dropout=dropout), []
    for seed in (0, 0, 1):
        network, encoded = task.open(config, seed=seed)
        list(task.finetuning(network, Inputs(encoded), config, seed=seed))
        after.append(weights_of(network))
    assert all(torch.equal(after[0][name], after[1][name]) for name in after[0])
    assert not all(torch.equal(after[0][name], after[2][name]) for name in after[0])


def test_a_negative_seed_is_a_seed(task):
    network, encoded = task.open(seed=-1)
    assert len(list(task.finetuning(network, Inputs(encoded), seed=-1))) == 1


def test_the_best_epochs_weights_are_in_the_live_network_at_the_end(task):
    network, encoded = task.open()
    kept = []
    run = task.finetuning(network, Inputs(encoded), epochs=3, validate=scripted([0.9, 0.5, 0.6], network, kept))
    list(run)
    assert run.history.best_epoch == 1
    assert run.history.best_step == run.history.validations[0].step == 1
    assert all(torch.equal(weight, kept[0][name]) for name, weight in network.named_parameters())
    assert not all(torch.equal(weight, kept[2][name]) for name, weight in network.named_parameters())
    assert not network.training


def test_the_last_epochs_weights_stay_where_it_was_the_best(task):
    network, encoded = task.open(freeze="last-1")
    kept = []
    run = task.finetuning(network, Inputs(encoded), epochs=2, freeze="last-1", validate=scripted([0.5, 0.6], network, kept))
    list(run)
    assert run.history.best_epoch == 2
    assert all(torch.equal(weight, kept[1][name]) for name, weight in network.named_parameters())


def test_training_stops_after_three_epochs_without_a_better_one(task):
    network, encoded = task.open()
    run = task.finetuning(network, Inputs(encoded), epochs=9, validate=scripted([0.5, 0.8, 0.8, 0.7, 0.8, 0.9]))
    assert len(list(run)) == 5
    assert run.history.best_epoch == 2
    assert run.history.stopped_because == "no better accuracy for 3 epochs"


def test_without_a_number_of_epochs_there_are_at_most_ten(task):
    assert DEFAULT_MAX_EPOCHS == 10
    network, encoded = task.open()
    run = task.finetuning(network, Inputs(encoded), epochs=None, validate=scripted([number / 20 for number in range(12)]))
    assert len(list(run)) == 10
    assert run.history.stopped_because == "all 10 epochs done"
    assert run.num_steps == len(run.history.steps) == 20


def test_a_monitored_loss_is_better_when_lower(task):
    network, encoded = task.open()
    run = task.finetuning(network, Inputs(encoded), epochs=3, validate=scripted([0.5, 0.4, 0.6], metric="loss"))
    list(run)
    assert (run.history.best_epoch, run.history.monitor) == (2, "loss")


def test_a_metric_that_is_no_number_ends_training(task):
    network, encoded = task.open()
    with pytest.raises(DivergedError):
        list(task.finetuning(network, Inputs(encoded), validate=scripted([float("nan")])))


def test_a_run_that_diverges_names_rows_of_the_training_set(task):
    network, encoded = task.open()
    with torch.no_grad():
        network.model.classifier.weight[0, 0] = torch.nan
    before = weights_of(network)
    with pytest.raises(DivergedError, match="row ") as caught:
        list(task.finetuning(network, Inputs(encoded)))
    assert caught.value.step == 0
    assert len(caught.value.rows) == 16
    assert set(caught.value.rows) < set(task.ids)
    assert all(torch.equal(weight.nan_to_num(), before[name].nan_to_num()) for name, weight in network.named_parameters())


def test_every_step_is_told_and_history_adds_up(task):
    network, encoded = task.open(replace(QUICK, batch_size=12))
    told = []
    run = task.finetuning(
        network,
        Inputs(encoded),
        replace(QUICK, batch_size=12),
        epochs=2,
        on_step=lambda step, planned: told.append((step, planned)),
    )
    first, second = list(run)
    steps = run.history.steps
    assert [step.index for step, _ in told] == [0, 1, 2, 3, 4, 5]
    assert {planned for _, planned in told} == {6}
    assert tuple(step for step, _ in told) == steps
    assert [step.num_targets for step in steps].count(12) == 4  # 32 rows: 12 + 12 + 8 an epoch
    assert first.training_loss == pytest.approx(sum(step.loss * step.num_targets for step in steps[:3]) / 32)
    assert (first.step, second.step) == (2, 5)
    assert second.learning_rate == steps[-1].learning_rate
    assert first.observation == "first epoch"
    assert second.observation


def test_one_row_can_be_trained_on(tiny_checkpoint):
    task = Task(tiny_checkpoint("bert"), num_rows=1)
    network, encoded = task.open()
    (validation,) = task.finetuning(network, Inputs(encoded))
    assert validation.training_accuracy in (0.0, 1.0)


def losses_of(task, config):
    """Return the loss of the first step on all rows, and the logits it was computed from."""
    config = replace(config, batch_size=32)
    network, encoded = task.open(config)
    logits = predict_logits(network.eval(), Inputs(encoded))
    run = task.finetuning(network, Inputs(encoded), config)
    list(run)
    return run.history.steps[0].loss, logits, torch.from_numpy(task.targets)


def test_label_smoothing_gives_a_share_to_all_classes(task):
    loss, logits, targets = losses_of(task, replace(QUICK, label_smoothing=0.2))
    spread = torch.full((32, 2), 0.1).scatter(1, targets[:, None], 0.9)  # 0.8 + 0.2 / 2 for the label, 0.2 / 2 elsewhere
    assert loss == pytest.approx(float(-(spread * logits.log_softmax(dim=1)).sum(dim=1).mean()), rel=1e-5)


def test_class_weights_weigh_the_loss(task):
    task.targets = np.array([0] * 4 + [1] * 28)
    loss, logits, targets = losses_of(task, QUICK)  # 4 of 32 is rare enough to be weighed unasked
    weights = torch.tensor([32 / (2 * 4), 32 / (2 * 28)])
    each = cross_entropy(logits, targets, reduction="none") * weights[targets]
    assert loss == pytest.approx(float(each.sum() / weights[targets].sum()), rel=1e-5)


@pytest.mark.parametrize("counts", [(90, 10), (50, 50), (5, 20, 75), (1, 99)])
def test_class_weights_are_those_of_scikit_learn(counts):
    targets = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=targets)
    assert class_weights(targets, len(counts), True).tolist() == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("counts", "wanted", "weighed"),
    [
        ((50, 50), None, False),
        ((25, 75), None, False),  # exactly half of an equal share
        ((24, 76), None, True),
        ((16, 42, 42), None, True),  # below a sixth
        ((17, 41, 42), None, False),
        ((10, 90), False, False),
        ((50, 50), True, True),
    ],
)
def test_classes_are_weighed_where_one_is_rare_or_as_asked(counts, wanted, weighed):
    targets = np.repeat(np.arange(len(counts)), counts)
    assert (class_weights(targets, len(counts), wanted) is not None) is weighed


def test_a_class_without_rows_gets_a_finite_weight():
    assert torch.isfinite(class_weights(np.array([0, 0, 1]), 3, True)).all()


def test_the_first_networks_of_these_tests_do_not_start_alike(task):
    """The comparisons above would pass on a network that ignores its weights."""
    network, encoded = task.open()
    other = from_config(network.model.config, 2)
    shake(other, seed=5)
    inputs = Inputs(encoded)
    assert not torch.allclose(predict_logits(network, inputs), predict_logits(other, inputs), atol=1e-3)
