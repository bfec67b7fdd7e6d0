"""Several processes train as one: the same steps, the same weights, the same validation, and one voice."""

import numpy as np
import pytest
import shared_steps
import torch
from safetensors.torch import load_file
from together import ROOT, finish, start

from pretune.train.distributed import ALONE, World, current_world, training_together


@pytest.fixture(scope="module")
def trained(tiny_checkpoint, tmp_path_factory):
    """The folder of the task's checkpoint, and where two processes left what they trained."""
    checkpoint, target = tiny_checkpoint("bert"), tmp_path_factory.mktemp("together")
    ended = finish(start(ROOT / "tests" / "support" / "shared_steps.py", checkpoint, target))
    assert [item.code for item in ended] == [0, 0], ended[0].err + ended[1].err
    return checkpoint, target


@pytest.mark.parametrize(("number", "name"), list(enumerate(shared_steps.CASES)), ids=list(shared_steps.CASES))
def test_two_processes_make_the_steps_of_one(number, name, trained):
    checkpoint, target = trained
    compare(checkpoint, name, [load_file(target / f"{number}.{rank}.safetensors") for rank in (0, 1)])


@pytest.mark.slow
def test_four_processes_of_which_two_and_two_hold_the_parts_make_the_steps_of_one(tiny_checkpoint, tmp_path):
    checkpoint = tiny_checkpoint("bert")
    ended = finish(start(ROOT / "tests" / "support" / "shared_steps.py", checkpoint, tmp_path, size=4))
    assert [item.code for item in ended] == [0] * 4, "".join(item.err for item in ended)
    for number, name in enumerate(shared_steps.GRID):
        compare(checkpoint, name, [load_file(tmp_path / f"{number}.{rank}.safetensors") for rank in range(4)])


def compare(checkpoint, name, shared):
    """Compare what each of several processes has with what one process trains."""
    alone, first = shared_steps.train(checkpoint, name), shared[0]
    assert all(torch.equal(first[key], other[key]) for other in shared for key in alone)
    num_layers = int(alone.pop("held"))
    whole = num_layers - 1 if name == "sharded, last layer" else 0 if name.startswith("sharded") else num_layers
    assert int(first.pop("held")) == whole
    for key, value in alone.items():
        if key.endswith("key.bias"):  # attention does not depend on it: its gradient is rounding, which Adam blows up
            continue
        torch.testing.assert_close(first[key], value, atol=1e-5, rtol=1e-5, msg=lambda text, key=key: f"{key}: {text}")
    assert torch.equal(first["first logits"], alone["first logits"])  # validation is the same to the bit
    assert torch.equal(first["training accuracy"], alone["training accuracy"])
    config = {**shared_steps.CASES, **shared_steps.GRID}[name][0]
    assert any(
        not torch.equal(value, shared_steps.Task(checkpoint).open(config)[0].state_dict()[key[8:]])
        for key, value in alone.items()
        if key.startswith("weights.")
    )  # there was something to learn


def test_layers_in_parts_draw_the_masks_of_whole_ones(trained):
    _, target = trained
    number = len(shared_steps.CASES)
    whole, parts = (load_file(target / f"{place}.0.safetensors") for place in (number, number + 1))
    for key, value in whole.items():
        if key != "held" and not key.endswith("key.bias"):
            torch.testing.assert_close(parts[key], value, atol=1e-5, rtol=1e-5, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("num_rows", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("longest", [0, 1, 7, 200])
def test_every_row_of_a_batch_has_one_process(size, num_rows, longest):
    draw = np.random.default_rng([size, num_rows, longest])
    lengths, rows = draw.integers(0, longest + 1, num_rows), draw.permutation(num_rows)
    shares = [World(rank, size).share_rows(rows, lengths) for rank in range(size)]
    assert sorted(np.concatenate(shares).tolist()) == sorted(rows.tolist())
    tokens = [np.maximum(lengths[share], 1).sum() for share in shares]
    assert max(tokens) - sum(tokens) / size <= max(lengths.max(), 1)  # nobody has more than a text too much


def test_one_process_changes_nothing():
    tensor, rows = torch.tensor([1.0, 2.0]), np.array([3, 1])
    ALONE.gather(tensor)
    assert tensor.tolist() == [1.0, 2.0]
    assert ALONE.share_rows(rows, np.arange(4)) is rows
    assert (ALONE.total(3), ALONE.most(2), ALONE.from_first(lambda: None)) == (3, 2, None)
    assert ALONE.union(torch.tensor([5]), 9).tolist() == [5]


def test_only_what_is_asked_to_be_shared_is_shared():
    world, seen = World(1, 2), []

    def fail():
        with training_together(world):
            seen.append(current_world())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [world]
    assert current_world() is ALONE
