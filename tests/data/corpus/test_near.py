"""Near-duplicates of a corpus: what is near is found and what is not is kept, within few bytes a document."""

import numpy as np
import pytest
from corpora import change_words, make_documents

from pretune.data.alike.similar import jaccard
from pretune.data.alike.words import distinct, pairs_of, words_of
from pretune.data.corpus import near as near_module
from pretune.data.corpus.hold_out import choose_held_out
from pretune.data.corpus.minhash import NUM_KEYS, WIDTH, keys_of, may_be_near, minima_of
from pretune.data.corpus.near import NearDuplicates, find_near


def find(texts: list[str], threshold: float = 0.8) -> NearDuplicates:
    words = words_of(texts)
    rows = np.flatnonzero(words.sizes > 0)
    return find_near(keys_of(words, minima_of(threshold)), rows, words, threshold=threshold)


def similar(first: str, second: str) -> float:
    sets = []
    for text in (first, second):
        words = words_of([text])
        sets.append(distinct(np.concatenate((words.hashes, pairs_of(words)[:-1]))))
    return jaccard(*sets)


def test_at_the_threshold_nine_in_ten_are_found_and_below_it_none():
    originals = make_documents(1_500, num_words=50)
    copies = [change_words(text, 1 + index % 6, seed=index) for index, text in enumerate(originals)]
    is_near = np.array([similar(a, b) >= 0.8 for a, b in zip(originals, copies, strict=True)])
    repeats = find([*originals, *copies]).repeats
    assert not repeats[: len(originals)].any()
    assert 500 < is_near.sum() < 1_000
    assert repeats[len(originals) :][is_near].mean() >= 0.95
    assert not repeats[len(originals) :][~is_near].any()


def test_the_index_takes_at_most_100_bytes_a_document():
    keys = keys_of(words_of(make_documents(10)), minima_of(0.8))
    assert keys.nbytes / 10 + 8 <= 100  # keys, bits, and the hash for exact duplicates
    assert keys.shape == (10, WIDTH)


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_the_keys_are_made_for_the_threshold(threshold: float):
    number = minima_of(threshold)
    assert 1 - (1 - threshold**number) ** NUM_KEYS >= 0.95


def test_the_first_of_a_chain_is_kept():
    first = make_documents(1, num_words=50)[0]
    second = change_words(first, 2, seed=1)
    third = change_words(second, 2, seed=2)
    assert similar(first, third) < 0.8 < min(similar(first, second), similar(second, third))
    found = find([third, *make_documents(5, seed=5), first, second])
    assert found.repeats.tolist() == [False] * 6 + [True, True]
    assert (found.num_near, found.largest) == (2, 3)


def test_a_template_costs_comparisons_in_proportion_to_its_documents(monkeypatch: pytest.MonkeyPatch):
    counted = []
    monkeypatch.setattr(near_module, "jaccard", lambda a, b: counted.append(1) or jaccard(a, b))
    template = make_documents(1, num_words=60)[0]
    texts = [f"{template} {name}" for name in make_documents(2_000, num_words=1)]
    found = find(texts)
    assert found.repeats.sum() == 1_999
    assert len(counted) <= 3 * len(texts)


def test_documents_of_one_key_that_are_not_alike_cost_little_each():
    texts = make_documents(3_000)
    words = words_of(texts)
    keys = np.zeros((3_000, WIDTH), dtype=np.uint32)
    found = find_near(keys, np.arange(3_000), words, threshold=0.8)
    assert found.num_compared <= 3_000 * (near_module.MAX_NEIGHBOURS + 1) * NUM_KEYS
    assert not found.repeats.any()


def test_bits_tell_most_pairs_that_are_not_near_and_hardly_any_that_are():
    originals = make_documents(2_000, num_words=50)
    near = [change_words(text, 3, seed=index) for index, text in enumerate(originals)]  # about 0.8
    far = [change_words(text, 20, seed=index) for index, text in enumerate(originals)]  # about 0.3
    keys = [keys_of(words_of(texts), 8) for texts in (originals, near, far)]
    assert may_be_near(keys[0], keys[1], 0.8).mean() > 0.998
    assert may_be_near(keys[0], keys[2], 0.8).mean() < 0.15


def test_keys_do_not_depend_on_the_company():
    texts = [*make_documents(20), *make_documents(5, num_words=1)]
    together = keys_of(words_of(texts), 8)
    alone = [keys_of(words_of([text]), 8)[0] for text in texts]
    assert (together == np.array(alone)).all()


def test_pairs_end_with_the_text():
    words = words_of(["a b c", "d", "", "e f"])
    pairs = pairs_of(words)
    assert len(set(pairs.tolist())) == len(pairs) == 6
    assert [pairs[place] == words.hashes[place] for place in range(6)] == [False, False, True, True, False, True]
    assert pairs[4] == pairs_of(words_of(["e f"]))[0]


def test_the_held_out_rows_are_those_of_the_smallest_hash_whatever_their_order():
    exact = np.random.default_rng(0).integers(0, 1 << 63, size=5_000, dtype=np.uint64)
    rows = np.arange(0, 5_000, 2)
    held = choose_held_out(exact, rows, 0.04)
    order = np.random.default_rng(1).permutation(5_000)
    again = choose_held_out(exact[order], np.flatnonzero(np.isin(order, rows)), 0.04)
    assert len(held) == 100
    assert set(exact[held]) == set(exact[order][again])
