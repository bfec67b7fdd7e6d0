"""Going on with a training that was cut off: the same bits as without the cut, or a clear no."""

import json
import os
import shutil
import signal
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings, strategies as st

from pretune.errors import StorageError, UsageError
from pretune.models import Inputs, prepare_inputs
from pretune.records import Change
from pretune.storage import DIGESTS
from pretune.train import Checkpoints
from pretune.train.checkpoint import STATE, TENSORS, Saved
from pretune.train.interrupt import Interrupt
from tasks import QUICK, Task

ABOUT = {"data": "1", "settings": "2"}
CONFIG = replace(QUICK, dropout=0.2, batch_size=4, patience=2)


class KilledError(Exception):
    """What stands for the end of the process."""


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


def train(task, folder, *, freeze="none", kill_at=None, save_at=(), seed=0, epochs=3):
    """Train from the start, or go on; save at the steps named; die after one. Return weights, steps, epochs without seconds."""
    network, encoded = task.open(CONFIG, freeze=freeze, seed=seed)
    inputs = prepare_inputs(network, encoded, network.boundary) if network.boundary else Inputs(encoded)
    keeper = None if folder is None else Checkpoints(folder, ABOUT)

    def on_step(step, _):
        if keeper is not None and step.index in save_at:
            keeper._due = 0.0
        if step.index - 1 == kill_at:  # the one before is saved by now
            raise KilledError

    run = task.finetuning(network, inputs, CONFIG, epochs=epochs, freeze=freeze, seed=seed, on_step=on_step, checkpoints=keeper)
    list(run)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    return weights, run.history.steps, tuple(replace(item, seconds=0.0) for item in run.history.validations)


def equal(first, second):
    return all(torch.equal(first[0][name], second[0][name]) for name in first[0]) and first[1:] == second[1:]


@pytest.mark.parametrize("freeze", ["none", "last-1", "all"])
@pytest.mark.parametrize("at", [0, 6, 7, 12])
def test_a_run_that_was_cut_off_ends_with_the_same_bits(at, freeze, task, tmp_path):
    """Eight steps an epoch: cut in the first epoch, before and after its last step, and in the second."""
    whole = train(task, None, freeze=freeze)
    with pytest.raises(KilledError):
        train(task, tmp_path / "checkpoints", freeze=freeze, kill_at=at, save_at=(at,))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [f"step-{at + 1}"]
    assert equal(whole, train(task, tmp_path / "checkpoints", freeze=freeze))


def test_it_can_be_cut_off_many_times(task, tmp_path):
    whole, folder = train(task, None), tmp_path / "checkpoints"
    for at in (2, 5, 11, 16, 20):
        with pytest.raises(KilledError):
            train(task, folder, kill_at=at, save_at=(at,))
    assert sorted(path.name for path in folder.iterdir()) == ["step-17", "step-21"]  # the newest two
    assert equal(whole, train(task, folder))


def test_saving_changes_no_bit(task, tmp_path):
    assert equal(train(task, None), train(task, tmp_path / "checkpoints", save_at=range(24)))


@pytest.mark.parametrize("damage", ["bit", "cut", "gone", "state", "state gone", "link"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(damage, task, tmp_path):
    whole, folder = train(task, None), tmp_path / "checkpoints"
    with pytest.raises(KilledError):
        train(task, folder, kill_at=13, save_at=(9, 13))
    newest = folder / "step-14"
    data = bytearray((newest / TENSORS).read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 1
        (newest / TENSORS).write_bytes(data)
    elif damage == "cut":
        (newest / TENSORS).write_bytes(data[:-10])
    elif damage == "gone":
        (newest / TENSORS).unlink()
    elif damage == "state":
        (newest / STATE).write_text("{}")
    elif damage == "state gone":
        (newest / STATE).unlink()
    else:
        shutil.move(newest / TENSORS, tmp_path / "elsewhere")
        (newest / TENSORS).symlink_to(tmp_path / "elsewhere")
    told = []
    assert Checkpoints(folder, ABOUT, told.append).load().step == 10
    assert "step-14 is damaged" in told[0]
    assert told[1] == "resuming after step 10, from step-10"
    assert equal(whole, train(task, folder))


def test_another_training_is_refused_and_the_difference_named(tmp_path):
    keeper = Checkpoints(tmp_path / "run" / "checkpoints", ABOUT)
    keeper.save(Saved(step=3, tensors={"weights.a": torch.ones(2)}, state={}))
    with pytest.raises(UsageError, match=r"data: 1 then, 7 now; torch: nothing then, 2 now") as caught:
        Checkpoints(tmp_path / "run" / "checkpoints", ABOUT | {"data": "7", "torch": "2"}).load()
    assert "--overwrite" in caught.value.fix
    assert keeper.load().step == 3


def test_machinery_that_changed_may_be_gone_on_with_exactly_where_it_was(tmp_path):
    folder, now = tmp_path / "checkpoints", ABOUT | {"torch": "2"}
    Checkpoints(folder, ABOUT | {"torch": "1"}).save(Saved(step=3, tensors={"weights.a": torch.ones(2)}, state={}))
    told = []
    keeper = Checkpoints(folder, now, told.append, continue_changed=True)
    assert keeper.load().is_exact
    assert keeper.changes == (Change(what="torch", then="1", now="2", step=3),)
    assert "torch: 1 then, 2 now" in told[-1]
    keeper.save(Saved(step=4, tensors={"weights.a": torch.ones(2)}, state={}))
    again = Checkpoints(folder, now)  # nothing differs any more, and what did is not forgotten
    assert again.load().step == 4
    assert again.changes == keeper.changes


def test_after_a_change_of_rows_or_settings_the_weights_are_gone_on_with_and_epochs_counted_anew(task, tmp_path):
    folder = tmp_path / "checkpoints"
    with pytest.raises(KilledError):
        train(task, folder, kill_at=13, save_at=(9, 13))
    saved = Checkpoints(folder, ABOUT).load()
    network, encoded = task.open(CONFIG)
    keeper = Checkpoints(folder, ABOUT | {"data": "7"}, continue_changed=True)
    seen = []

    def on_step(step, _):
        if step.index == 0:
            keeper._due = 0.0
        elif step.index == 1:
            seen.extend(sorted(path.name for path in folder.iterdir()))
            keeper._due = float("inf")

    run = task.finetuning(network, Inputs(encoded), CONFIG, epochs=2, on_step=on_step, checkpoints=keeper)
    run.training.resume()
    for name, value in saved.tensors.items():
        if name.startswith("weights."):
            assert torch.equal(network.state_dict()[name.removeprefix("weights.")], value)
    list(run)
    assert [step.index for step in run.history.steps] == list(range(16))
    assert seen == ["step-14", "step-15"], "the newest is known by its number"
    again = Checkpoints(folder, ABOUT | {"data": "7"})
    assert again.load().step == 1
    assert {(change.what, change.step) for change in again.changes} == {("data", 14)}


def test_weights_that_do_not_fit_are_not_gone_on_with(task, tmp_path):
    keeper = Checkpoints(tmp_path, ABOUT)
    keeper.save(Saved(step=3, tensors={"weights.model.classifier.weight": torch.ones(5, 32)}, state={}))
    network, encoded = task.open(CONFIG)
    keeper = Checkpoints(tmp_path, ABOUT | {"data": "7"}, continue_changed=True)
    with pytest.raises(UsageError, match=r"the first is model\.classifier\.weight"):
        list(task.finetuning(network, Inputs(encoded), CONFIG, checkpoints=keeper))


@pytest.mark.parametrize(
    "state",
    [{}, {"steps": 3}, {"steps": [], "validations": [], "position": -5, "seconds": 0, "num_hits": 0},
     {"steps": [], "validations": [], "position": 10**18, "seconds": 0, "num_hits": 0},
     {"steps": [{"index": "x"}], "validations": [], "position": 0, "seconds": 0, "num_hits": 0}],
    ids=str,
)  # fmt: skip
def test_a_checkpoint_with_right_digests_and_hostile_contents_is_one_clear_error(state, task, tmp_path):
    network, encoded = task.open(CONFIG)
    keeper = Checkpoints(tmp_path, ABOUT)
    keeper.save(Saved(step=3, tensors={"weights.a": torch.ones(2)}, state=state))
    with pytest.raises(StorageError, match="does not hold what this training saves") as caught:
        list(task.finetuning(network, Inputs(encoded), CONFIG, checkpoints=Checkpoints(tmp_path, ABOUT)))
    assert "--overwrite" in caught.value.fix


def test_weights_in_parts_as_an_earlier_version_saved_them_are_refused_with_the_reason(task, tmp_path):
    """That had one vector of moments for all matrices of a layer; taken for those of one weight, training would go astray."""
    with pytest.raises(KilledError):
        train(task, tmp_path, kill_at=2, save_at=(2,))
    saved = Checkpoints(tmp_path, ABOUT).load()
    tensors = {name: value for name, value in saved.tensors.items() if not name.startswith("optimizer.dense.")}
    for moment in ("exp_avg", "exp_avg_sq"):
        kept = [value for name, value in saved.tensors.items() if name.startswith("optimizer.dense.") and name.endswith(moment)]
        tensors[f"optimizer.dense.0.{moment}"] = torch.cat([value.reshape(-1) for value in kept])
    shutil.rmtree(tmp_path)
    Checkpoints(tmp_path, ABOUT | {"code": "earlier"}).save(replace(saved, tensors=tensors))

    def resume(**options):
        network, encoded = task.open(CONFIG)
        keeper = Checkpoints(tmp_path, ABOUT | {"code": "now"}, **options)
        list(task.finetuning(network, Inputs(encoded), CONFIG, epochs=3, checkpoints=keeper))

    with pytest.raises(UsageError, match="code: earlier then, now now"):
        resume()
    with pytest.raises(StorageError, match=r"does not hold what this training saves \(moments of weight 0") as caught:
        resume(continue_changed=True)
    assert "--overwrite" in caught.value.fix


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "checkpoints"
    keeper = Checkpoints(folder, ABOUT)
    for step in (3, 4):
        state = {"position": step, "seconds": 0.5, "steps": [], "validations": []}
        keeper.save(Saved(step=step, tensors={"weights.a": torch.arange(6.0), "best.a": torch.ones(2)}, state=state))
    return folder


FILES = (TENSORS, STATE, DIGESTS)


@given(name=st.sampled_from(FILES), place=st.integers(0, 10**6), bit=st.integers(0, 7))
@settings(max_examples=300, deadline=None)
def test_any_flipped_bit_of_any_file_is_found_and_the_one_before_is_used(two_checkpoints, name, place, bit):
    file = two_checkpoints / "step-4" / name
    whole = file.read_bytes()
    spoiled = bytearray(whole)
    spoiled[place % len(whole)] ^= 1 << bit
    try:
        file.write_bytes(spoiled)
        step, refused, resumed = use(two_checkpoints)
        assert refused.startswith("step-4 is damaged and is not used: ")
        assert (step, resumed) == (3, "resuming after step 3, from step-3")
    finally:
        file.write_bytes(whole)


@given(name=st.sampled_from(FILES), size=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_any_file_cut_anywhere_is_found_and_the_one_before_is_used(two_checkpoints, name, size):
    file = two_checkpoints / "step-4" / name
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: size % len(whole)])
        step, refused, resumed = use(two_checkpoints)
        assert refused.startswith("step-4 is damaged and is not used: ")
        assert (step, resumed) == (3, "resuming after step 3, from step-3")
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
def test_any_missing_file_is_found(two_checkpoints, name, tmp_path):
    folder = shutil.copytree(two_checkpoints, tmp_path / "checkpoints")
    (folder / "step-4" / name).unlink()
    step, refused, _ = use(folder)
    assert step == 3
    assert name in refused


def test_a_file_too_many_is_found(two_checkpoints, tmp_path):
    folder = shutil.copytree(two_checkpoints, tmp_path / "checkpoints")
    (folder / "step-4" / "more.bin").write_bytes(b"x")
    step, refused, _ = use(folder)
    assert step == 3
    assert "more.bin" in refused


def use(folder):
    """Load the newest checkpoint that is whole; return its step, and what is told of the one that is not, and of it."""
    told = []
    return Checkpoints(folder, ABOUT, told.append).load().step, *told


def test_what_a_killed_save_left_is_removed(two_checkpoints, tmp_path):
    folder = shutil.copytree(two_checkpoints, tmp_path / "checkpoints")
    (folder / ".step-9.abcd.aside").mkdir()
    (folder / ".step-9.abcd.aside" / TENSORS).write_bytes(b"half")
    assert Checkpoints(folder, ABOUT).load().step == 4
    assert sorted(path.name for path in folder.iterdir()) == ["step-3", "step-4"]


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", ""])
def test_seconds_between_saves_must_be_a_number(value, monkeypatch, tmp_path):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", value)
    with pytest.raises(UsageError, match="PRETUNE_SAVE_SECONDS"):
        Checkpoints(tmp_path, ABOUT)


def test_seconds_between_saves_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    assert Checkpoints(tmp_path, ABOUT).is_due


def test_a_save_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    keeper = Checkpoints(tmp_path / "checkpoints", ABOUT)
    keeper.save(Saved(step=3, tensors={"weights.a": torch.ones(2)}, state={}))
    before = (tmp_path / "checkpoints" / "step-3" / TENSORS).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pretune.train.checkpoint.save_file", full)
    with pytest.raises(StorageError, match="No space left"):
        keeper.save(Saved(step=4, tensors={"weights.a": torch.ones(2)}, state={}))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-3"]
    assert (tmp_path / "checkpoints" / "step-3" / TENSORS).read_bytes() == before


def test_room_is_looked_for_before_the_first_step(tmp_path):
    keeper = Checkpoints(tmp_path / "run" / "checkpoints", ABOUT)
    keeper.check_room(1_000)
    with pytest.raises(StorageError, match=r"the disk is full: .* needed for the checkpoints"):
        keeper.check_room(1 << 60)


def test_what_is_no_checkpoint_is_left_alone(tmp_path):
    (tmp_path / "step-x").mkdir()
    (tmp_path / "step-7").mkdir()
    told = []
    assert Checkpoints(tmp_path, ABOUT, told.append).load() is None
    assert told == ["step-7 is damaged and is not used: digests.txt is missing"]
    (tmp_path / "step-7" / STATE).write_text(json.dumps({"step": 7}))
    (tmp_path / "step-7" / TENSORS).write_bytes(b"\x80\x04K\x01.")  # a pickle under that name
    assert Checkpoints(tmp_path, ABOUT).load() is None


def test_one_ctrl_c_finishes_the_step_saves_and_ends_and_the_rest_follows_later(task, tmp_path):
    whole, folder = train(task, None), tmp_path / "checkpoints"
    network, encoded = task.open(CONFIG)
    made, before = [], signal.getsignal(signal.SIGINT)  # ignored where the tests were started in the background

    def on_step(step, _):
        made.append(step.index)
        if step.index == 10:
            os.kill(os.getpid(), signal.SIGINT)

    keeper = Checkpoints(folder, ABOUT)
    with pytest.raises(KeyboardInterrupt):
        list(task.finetuning(network, Inputs(encoded), CONFIG, epochs=3, on_step=on_step, checkpoints=keeper))
    assert made[-1] == 10
    assert [path.name for path in folder.iterdir()] == ["step-11"]
    assert signal.getsignal(signal.SIGINT) is before
    assert equal(whole, train(task, folder))


def test_the_second_ctrl_c_stops_at_once(capsys):
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert "once more stops at once" in capsys.readouterr().err
