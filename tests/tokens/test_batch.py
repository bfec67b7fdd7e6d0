"""Batches: every row once, alike in length, padded on the right."""

import numpy as np
import pytest

from pretune.records import TokenCounts
from pretune.tokens import Encoded, pad, padded_width, plan_batches, plan_scoring

LENGTHS = np.random.default_rng(7).integers(3, 128, size=1_003)


def padding_share(batches, lengths):
    filled = sum(int(lengths[rows].sum()) for rows in batches)
    return 1 - filled / sum(len(rows) * int(lengths[rows].max()) for rows in batches)


def encoded_of(*pieces, padding_id=9):
    flat = np.array([number for piece in pieces for number in piece], dtype=np.int32)
    offsets = np.cumsum([0, *(len(piece) for piece in pieces)])
    counts = TokenCounts(
        split="", num_texts=len(pieces), num_tokens=len(flat), num_cut_texts=0, num_cut_tokens=0, num_unknown=0, max_length=8
    )
    return Encoded(ids=flat, offsets=offsets, padding_id=padding_id, counts=counts)


@pytest.mark.parametrize(("num_rows", "batch_size"), [(0, 4), (1, 4), (4, 4), (5, 4), (1_003, 32), (1_003, 1), (10, 1_000)])
def test_every_row_is_in_exactly_one_batch(num_rows, batch_size):
    batches = plan_batches(LENGTHS[:num_rows], batch_size, generator=np.random.default_rng(0))
    assert sorted(int(row) for rows in batches for row in rows) == list(range(num_rows))
    assert len(batches) == -(-num_rows // batch_size)
    assert all(1 <= len(rows) <= batch_size for rows in batches)


def test_the_same_generator_gives_the_same_batches_and_another_others():
    first, same, other = (
        [rows.tolist() for rows in plan_batches(LENGTHS, 32, generator=np.random.default_rng(seed))] for seed in (0, 0, 1)
    )
    assert first == same
    assert first != other


def test_a_generator_goes_on_from_epoch_to_epoch():
    generator = np.random.default_rng(0)
    first, second = ([rows.tolist() for rows in plan_batches(LENGTHS, 32, generator=generator)] for _ in range(2))
    assert first != second


def test_batches_hold_little_padding():
    order = np.random.default_rng(0).permutation(len(LENGTHS))
    at_random = [order[start : start + 32] for start in range(0, len(order), 32)]
    grouped = plan_batches(LENGTHS, 32, generator=np.random.default_rng(0))
    assert padding_share(at_random, LENGTHS) > 0.4
    assert padding_share(grouped, LENGTHS) < 0.05


def test_short_and_long_batches_are_mixed():
    means = [float(LENGTHS[rows].mean()) for rows in plan_batches(LENGTHS, 32, generator=np.random.default_rng(0))]
    assert means != sorted(means)
    assert abs(float(np.corrcoef(means, range(len(means)))[0, 1])) < 0.5


def test_a_row_meets_other_rows_in_the_next_epoch():
    lengths = np.full(100, 5)
    generator = np.random.default_rng(0)
    first, second = ({frozenset(rows.tolist()) for rows in plan_batches(lengths, 10, generator=generator)} for _ in range(2))
    assert not first & second


def test_scoring_goes_from_long_to_short_in_batches_of_so_many_tokens():
    batches = plan_scoring(np.array([3, 9, 5, 9, 22]), max_tokens=20)
    assert [rows.tolist() for rows in batches] == [[4], [1, 3], [2, 0]]


@pytest.mark.parametrize("max_tokens", [1, 50, 1_000_000])
def test_scoring_reads_every_row_once(max_tokens):
    batches = plan_scoring(LENGTHS, max_tokens=max_tokens)
    assert sorted(int(row) for rows in batches for row in rows) == list(range(len(LENGTHS)))
    assert all(len(rows) == 1 or len(rows) * LENGTHS[rows].max() <= max_tokens for rows in batches)


def test_padding_and_mask_lie_on_the_right():
    ids, mask = pad(encoded_of([1, 2, 3], [4], [5, 6]), [1, 0])
    assert ids.tolist() == [[4, 9, 9], [1, 2, 3]]
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert ids.dtype == mask.dtype == np.int64


def test_one_row_is_not_padded():
    ids, mask = pad(encoded_of([1, 2, 3], [4]), [1])
    assert ids.tolist() == [[4]]
    assert mask.tolist() == [[1]]


def test_no_rows_are_an_empty_batch():
    ids, mask = pad(encoded_of([1]), [])
    assert ids.shape == mask.shape == (0, 0)


@pytest.mark.parametrize("limit", [64, 100, 512])
def test_widths_are_few_and_never_beyond_what_the_model_takes(limit):
    widths = [padded_width(longest, limit) for longest in range(1, limit + 1)]
    assert all(longest <= width <= limit for longest, width in enumerate(widths, start=1))
    assert all(width <= max(longest + 1, longest * 1.125) for longest, width in enumerate(widths, start=1))
    assert len(set(widths)) <= 16 + 8 * (limit.bit_length() - 4)


def test_a_text_longer_than_the_limit_is_not_cut_here():
    assert padded_width(9, 4) == 9


def test_padding_goes_to_the_width_asked_for():
    ids, mask = pad(encoded_of([1, 2, 3], [4]), [0, 1], width=5)
    assert ids.shape == mask.shape == (2, 5)
    assert mask.sum(axis=1).tolist() == [3, 1]
