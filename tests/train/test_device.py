"""Where and how precisely to compute."""

import random
import time

import numpy as np
import pytest
import torch

from pretune.errors import UsageError
from pretune.train import Device, choose_device, device as device_module, has_fast_bf16, seed_everything


@pytest.fixture
def threads():
    """Put the number of threads back."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_bf16_can_be_switched_off(monkeypatch):
    monkeypatch.delenv("PRETUNE_BF16")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert has_fast_bf16()
    monkeypatch.setenv("PRETUNE_BF16", "0")
    assert not has_fast_bf16()


@pytest.mark.parametrize(
    ("instruction", "seconds", "expected"),
    [
        ("amx_bf16", (1.0, 9.0), True),  # not measured
        ("avx512_bf16", (1.0, 0.4), True),
        ("avx512_bf16", (1.0, 0.9), False),
        ("bf16", (1.0, 1.7), False),
    ],
)
def test_instructions_for_bf16_must_be_the_faster_ones(instruction, seconds, expected, monkeypatch):
    monkeypatch.delenv("PRETUNE_BF16")
    device_module._bf16_wins.cache_clear()
    taken = {torch.float32: seconds[0], torch.bfloat16: seconds[1]}
    monkeypatch.setattr(device_module, "_seconds", lambda left, _: taken[left.dtype])
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, instruction: False})
    assert not has_fast_bf16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, instruction: True})
    assert has_fast_bf16() is expected
    device_module._bf16_wins.cache_clear()


def test_what_is_measured_is_a_product_and_takes_no_time():
    assert 0 < device_module._seconds(torch.ones(8, 16), torch.ones(4, 16)) < 5
    start = time.process_time()
    assert isinstance(device_module._bf16_wins.__wrapped__(), bool)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(("fast", "precision"), [(True, "bf16"), (False, "fp32")])
def test_precision_follows_the_processor_and_says_why(fast, precision, monkeypatch):
    monkeypatch.setattr(device_module, "has_fast_bf16", lambda _: fast)
    chosen = choose_device("cpu")
    assert (chosen.kind, chosen.precision) == ("cpu", precision)
    assert ("no fast bf16" in chosen.why) is not fast


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_precision_that_was_asked_for_is_taken_and_the_reason_is_that(precision, fast, monkeypatch):
    monkeypatch.setattr(device_module, "has_fast_bf16", lambda _: fast)
    chosen = choose_device("cpu", precision=precision)
    assert chosen.precision == precision
    assert chosen.why == f"{precision} was asked for"


@pytest.mark.parametrize("kind", ["tpu", "", "CPU", "cpu:1"])
def test_a_device_that_is_not_known_is_an_error(kind):
    with pytest.raises(UsageError, match="--device cpu"):
        choose_device(kind)


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="a GPU that PyTorch sees"):
        choose_device("cuda")
    assert choose_device("auto").kind == "cpu"


@pytest.mark.usefixtures("threads")
def test_threads_are_set_and_told():
    chosen = choose_device("cpu", threads=1, precision="fp32")
    assert chosen.threads == torch.get_num_threads() == 1
    assert str(chosen) == "cpu, 1 threads, fp32"


@pytest.mark.parametrize("number", [0, -1])
def test_less_than_one_thread_is_an_error_and_changes_nothing(number, threads):
    with pytest.raises(UsageError, match="at least 1"):
        choose_device("cpu", threads=number)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_products_are_computed_in_the_precision_named(precision, dtype):
    with Device(kind="cpu", precision=precision, threads=1, why="").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize("seed", [0, 7, -1, 2**32 + 3])
def test_a_seed_fixes_every_generator(seed):
    draws = []
    for _ in range(2):
        seed_everything(seed)
        draws.append((random.random(), float(np.random.rand()), float(torch.rand(1))))
    assert draws[0] == draws[1]
