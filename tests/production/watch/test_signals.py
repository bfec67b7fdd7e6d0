"""Signals: each finds the shift that was planted, names what moved, and is silent on the clean twin."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pretune.production.watch.budget import ERROR, PER_WINDOWS, SHARES, level_of
from pretune.production.watch.looking import find_all_signals
from pretune.production.watch.measured import Measure, Measured, join
from pretune.production.watch.moved_words import find_words
from pretune.production.watch.signals import find_signals
from pretune.records import Example
from watching import NEW, RARE, WORDS, draw_measured, draw_reference, draw_texts

SIZE = 2_000


@pytest.fixture(scope="module")
def reference():
    return draw_reference()


def generator():
    return np.random.default_rng(11)


def alarms(signals):
    return {(signal.column or signal.name, signal.item) for signal in signals if signal.is_alarm}


PLANTED = {
    "length": ({"lengths": np.exp(generator().normal(4.2, 0.6, SIZE))}, ("length", "")),
    "vocabulary": ({"unknown": generator().binomial(20, 0.08, SIZE) / 20}, ("vocabulary", "")),
    "rarity": ({"rarity": generator().normal(9.4, 1.2, SIZE)}, ("vocabulary", "")),
    "pieces": ({"pieces": generator().gamma(30.0, 0.05, SIZE)}, ("tokens", "")),
    "unknown tokens": ({"untold": (generator().random(SIZE) < 0.06).astype(float)}, ("tokens", "")),
    "confidence": ({"confidence": generator().beta(9.0, 1.5, SIZE)}, ("confidence", "")),
    "alerts": ({"predicted": (generator().random(SIZE) < 0.25).astype(np.int64)}, ("alerts", "spam")),
    "column": ({"columns": {"lang": tuple(generator().choice(["de", "en", "nl"], SIZE, p=[0.1, 0.8, 0.1]))}}, ("lang", "nl")),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_shift_is_found_and_named(planted, reference):
    fields, name = PLANTED[planted]
    found = alarms(find_signals(reference, draw_measured(SIZE, np.random.default_rng(1), **fields)))
    assert name in found
    assert {column for column, _ in found} == {name[0]}, "nothing else moved"


@pytest.mark.parametrize("to", [RARE, WORDS], ids=["rare words", "all words"])
def test_known_words_that_become_common_make_texts_of_rarer_words(to):
    """No word is new to training, and each alone moves by too little to be seen."""
    draw = np.random.default_rng(4)
    counts = Counter(word for text in draw_texts(5_000, draw) for word in text.split())
    measure = Measure(counts=counts, classes=("spam",), tokenizer=None)
    before, now = (
        measure([Example(id=str(number), text=text) for number, text in enumerate(texts)], ["spam"] * len(texts), np.zeros(0))
        for texts in (draw_texts(1_500, draw), draw_texts(SIZE, draw, share_new=0.05, new=to))
    )
    found = {signal.unit: signal for signal in find_signals(replace(draw_reference(), measured=before), now)}
    signal = found["rarity of words in training, bits a word"]
    assert signal.is_alarm
    assert signal.now - signal.before > 0.05
    assert not found["share of words unknown to training"].is_alarm


def test_rarity_is_that_of_laplace_in_bits():
    measure = Measure(counts={"a": 3, "b": 1}, classes=("x",), tokenizer=None)
    found = measure(
        [Example(id="1", text="a b b"), Example(id="2", text="new"), Example(id="3", text="")], ["x"] * 3, np.zeros(0)
    )
    total = 3 + 1 + 2 + 1  # words, kinds, and one for those that training lacks
    assert found.rarity == pytest.approx([np.mean(np.log2([total / 4, total / 2, total / 2])), np.log2(total), 0.0])


def test_what_earlier_versions_kept_is_read_and_its_rarity_is_not_compared(reference):
    kept = draw_measured(100, np.random.default_rng(0)).to_json()
    del kept["rarity"]
    old = Measured.from_json(kept)
    assert len(old.rarity) == 0
    joined = join([old, draw_measured(100, np.random.default_rng(1))])
    assert (len(joined), len(joined.rarity)) == (200, 0)
    assert not any("rarity" in signal.unit for signal in find_signals(reference, joined))


def test_fewer_unknown_words_are_no_alarm(reference):
    """Production has near copies of training texts, which a split keeps out of the test."""
    known = draw_measured(SIZE, np.random.default_rng(1), unknown=np.zeros(SIZE))
    known = replace(known, rarity=known.rarity - 0.5)
    signals = [item for item in find_signals(reference, known) if item.name == "vocabulary"]
    assert all(signal.change < -0.1 and signal.p_value == 1.0 for signal in signals)
    assert len(signals) == 2


@pytest.mark.parametrize("size", [60, 400, SIZE])
def test_the_clean_twin_raises_no_alarm(size, reference):
    for seed in range(4):
        draw = np.random.default_rng(seed)
        assert alarms(find_all_signals(reference, draw_measured(size, draw), draw_texts(size, draw))) == set()


@pytest.mark.parametrize("new", [NEW, RARE], ids=["unknown words", "known words"])
def test_other_words_are_told_apart_and_named(new, reference):
    draw = np.random.default_rng(2)
    texts = draw_texts(SIZE, draw, share_new=0.05, new=new)
    assert ("told_apart", "") in alarms(find_all_signals(reference, draw_measured(SIZE, draw), texts))
    words = find_words(reference.texts, texts, reference.measure.counts)
    assert {word.word for word in words} <= {*new}
    assert all(word.now > word.before and word.is_known is (new is RARE) for word in words)


def test_words_that_did_not_move_are_not_named(reference):
    texts = draw_texts(SIZE, np.random.default_rng(3))
    assert find_words(reference.texts, texts, reference.measure.counts) == ()


def test_small_windows_are_joined_until_they_show_what_one_cannot(reference):
    parts = [draw_measured(200, np.random.default_rng(seed), share=0.26) for seed in range(10)]
    texts = draw_texts(200, np.random.default_rng(0))
    assert alarms(find_all_signals(reference, parts[-1], texts)) == set()
    joined = find_all_signals(reference, parts[-1], texts, parts[:-1])
    assert alarms(joined) == {("alerts", "spam")}
    assert {signal.num_windows for signal in joined} == {1, 10}


def test_a_window_of_a_few_texts_is_not_compared(reference):
    assert find_signals(reference, draw_measured(49, np.random.default_rng(0))) == ()


def test_a_change_too_small_to_matter_is_sure_and_no_alarm():
    large = draw_reference(40_000)
    window = draw_measured(40_000, np.random.default_rng(1), share=0.165)
    signal = next(item for item in find_signals(large, window) if item.name == "alerts")
    assert signal.is_sure
    assert not signal.is_alarm


def test_a_column_of_numbers_is_compared_by_size_and_one_of_ids_is_left_out(reference):
    draw, size = np.random.default_rng(5), len(reference.measured)
    ages, ids = draw.integers(18, 70, size).astype(str), np.arange(size).astype(str)
    test = replace(reference.measured, columns={"age": tuple(ages), "id": tuple(ids)})
    ages, ids = draw.integers(28, 80, SIZE).astype(str), np.arange(size, size + SIZE).astype(str)
    window = draw_measured(SIZE, draw, columns={"age": tuple(ages), "id": tuple(ids), "new": ("x",) * SIZE})
    found = [signal for signal in find_signals(replace(reference, measured=test), window) if signal.column]
    assert [(signal.column, signal.is_alarm) for signal in found] == [("age", True)]
    assert found[0].before < found[0].now


def test_every_class_of_many_is_held_against_its_share_of_the_error():
    many = tuple(f"class {number}" for number in range(40))
    base = draw_reference()
    draw = np.random.default_rng(6)
    test = replace(base.measured, predicted=draw.integers(0, 40, 1_500))
    reference = replace(base, measured=test, classes=many, positive=None, labels=tuple(many[n] for n in test.predicted))
    moved = np.where(draw.random(SIZE) < 0.08, 7, draw.integers(0, 40, SIZE))
    found = [item for item in find_signals(reference, draw_measured(SIZE, draw, predicted=moved)) if item.name == "classes"]
    assert [item.item for item in found if item.is_alarm] == ["class 7"]
    assert (len(found), found[0].item, found[0].level) == (20, "class 7", level_of("classes", 40))


def test_a_stratified_test_is_worth_more_for_the_share_of_a_class():
    """Shares of classes are those of all rows, so only the mistakes are the test's own."""
    plain = draw_reference(accuracy=0.98)
    is_hit = plain.measured.predicted == 1
    assert plain.worth_of_test(is_hit) == 1.0
    assert 2 < replace(plain, num_drawn=10_000).worth_of_test(is_hit) < 10_000 / 1_500


def test_all_tests_of_a_look_together_stay_within_its_error(reference):
    found = find_all_signals(
        reference,
        draw_measured(300, np.random.default_rng(0)),
        draw_texts(300, np.random.default_rng(0)),
        [draw_measured(300, np.random.default_rng(1))],
    )
    spent = sum(signal.level for signal in found)
    assert spent <= ERROR / PER_WINDOWS * (1 - SHARES["figures"]) + 1e-12
    assert sum(SHARES.values()) == pytest.approx(1.0)
