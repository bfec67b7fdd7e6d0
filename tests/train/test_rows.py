"""Rows on demand, against the dense AdamW that updates every row in every step."""

import re
from pathlib import Path

import pytest
import torch

from pretune.train import rows as module
from pretune.train.rows import RowAdamW

RATES = [1e-3 * (step + 1) / 10 if step < 10 else 1e-3 * (1 - step / 400) for step in range(300)]


def make_steps(num_rows, width, num_steps, seed):
    """Return (rows read, gradient) by step: some rows often, some once, some never."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(num_steps):
        rows = (torch.rand(4, generator=generator) ** 3 * (num_rows - 2)).long().unique()
        yield rows, torch.randn(len(rows), width, generator=generator)


def run_both(decay, num_steps, *, restart=None):
    start = torch.randn(12, 3, generator=torch.Generator().manual_seed(5))
    dense, lazy = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    reference = torch.optim.AdamW([dense], weight_decay=decay)
    rows_adam = RowAdamW(lazy, decay=decay)
    for index, (rows, gradient) in enumerate(make_steps(12, 3, num_steps, seed=1)):
        if index == restart:
            state = {name: value.clone() for name, value in rows_adam.state().items()}
            rows_adam = RowAdamW(lazy, decay=decay)
            rows_adam.load(state)
        rows_adam.catch_up(rows)
        torch.testing.assert_close(lazy[rows], dense[rows], rtol=1e-3, atol=2e-5)  # what the next forward would read
        dense.grad = torch.zeros_like(dense)
        dense.grad[rows] = gradient
        reference.param_groups[0]["lr"] = RATES[index]
        reference.step()
        rows_adam.step(rows, gradient, RATES[index])
    rows_adam.catch_up()
    return start, dense.detach(), lazy.detach()


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_every_row_ends_where_the_dense_optimizer_puts_it(decay):
    start, dense, lazy = run_both(decay, 300)
    assert (dense[:8] - start[:8]).abs().max() > 0.01  # there was something to get wrong
    torch.testing.assert_close(lazy, dense, rtol=1e-3, atol=2e-5)


def test_rows_that_were_never_read_only_decay():
    start, _, lazy = run_both(0.1, 300)
    kept = torch.tensor([1 - rate * 0.1 for rate in RATES]).prod()
    torch.testing.assert_close(lazy[10:], start[10:] * kept)


@pytest.mark.parametrize("block", [1, 5])
def test_the_size_of_a_block_changes_no_bit(block, monkeypatch):
    whole = run_both(0.1, 300)[2]
    monkeypatch.setattr(module, "BLOCK", block)
    assert torch.equal(run_both(0.1, 300)[2], whole)


@pytest.mark.parametrize("restart", [1, 150, 299])
def test_a_restart_from_its_state_changes_no_bit(restart):
    assert torch.equal(run_both(0.1, 300)[2], run_both(0.1, 300, restart=restart)[2])


def test_more_updates_than_its_first_memory_holds():
    table = torch.nn.Parameter(torch.zeros(2, 1))
    adam = RowAdamW(table, decay=0.0)
    for _ in range(2100):
        adam.catch_up(torch.tensor([0]))
        adam.step(torch.tensor([0]), torch.ones(1, 1), 1e-3)
    adam.catch_up()
    assert table[0].item() == pytest.approx(-2.1, rel=1e-3)  # a constant gradient moves by the rate
    assert table[1].item() == 0.0


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux tells what memory is in use there")
def test_moments_of_rows_that_nobody_reads_take_no_memory():
    table = torch.nn.Parameter(torch.zeros(200_000, 64))  # 51 MB, and each moment as much
    before = anonymous_megabytes()
    rows_adam = RowAdamW(table, decay=0.1)
    rows_adam.step(torch.arange(10), torch.ones(10, 64), 1e-3)
    rows_adam.catch_up()
    RowAdamW(table, decay=0.1).load(rows_adam.state())
    assert anonymous_megabytes() - before < 40


def anonymous_megabytes():
    found = re.search(r"^Anonymous:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1000
