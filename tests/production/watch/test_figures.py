"""Figures on new labels: counted as scikit-learn counts them, held against the gate and against what the test showed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from pretune.production.watch import figures
from pretune.production.watch.figures import Claim, claims_of, not_watched, watch_figures
from watching import CLASSES, draw_reference

ERROR = 1e-4


def answered(labels, predicted):
    pairs = list(zip(labels, predicted, strict=True))
    return {pair: pairs.count(pair) for pair in set(pairs)}


def draw(num, seed, recall=0.9, false_alarms=0.02):
    generator = np.random.default_rng(seed)
    labels = generator.random(num) < 0.3
    called = np.where(labels, generator.random(num) < recall, generator.random(num) < false_alarms)
    return [CLASSES[int(item)] for item in labels], [CLASSES[int(item)] for item in called]


@pytest.mark.parametrize(
    ("metric", "label", "known"),
    [
        ("accuracy", None, accuracy_score),
        ("precision", "spam", lambda a, b: precision_score(a, b, pos_label="spam")),
        ("recall", "spam", lambda a, b: recall_score(a, b, pos_label="spam")),
        ("f1", "spam", lambda a, b: f1_score(a, b, pos_label="spam")),
        ("precision", "macro", lambda a, b: precision_score(a, b, average="macro")),
        ("recall", "macro", lambda a, b: recall_score(a, b, average="macro")),
        ("f1", "macro", lambda a, b: f1_score(a, b, average="macro")),
    ],
)
def test_a_figure_is_that_of_scikit_learn_over_all_looks(metric, label, known):
    looks = [draw(120, seed) for seed in range(3)]
    claim = Claim(metric, label, "gate", 0.5, ERROR)
    found = watch_figures([claim], CLASSES, [answered(*look) for look in looks], ["a", "b", "c"])[0]
    labels, predicted = ([item for look in looks for item in look[side]] for side in (0, 1))
    assert found.value == pytest.approx(known(labels, predicted))
    assert found.low < found.value < found.high
    assert not found.is_alarm


@pytest.mark.parametrize("metric", ["recall", "f1"])
def test_a_fall_below_the_gate_is_found_and_dated(metric):
    looks = [draw(200, seed) for seed in range(10)] + [draw(200, seed, recall=0.4) for seed in range(10, 16)]
    names = [f"day {number}" for number in range(16)]
    found = watch_figures([Claim(metric, "spam", "gate", 0.8, ERROR)], CLASSES, [answered(*look) for look in looks], names)[0]
    assert found.is_alarm
    assert found.since in ("day 9", "day 10", "day 11")


def test_a_mean_over_classes_falls_too():
    looks = [answered(*draw(800, seed, recall=0.2)) for seed in range(8)]
    found = watch_figures([Claim("recall", "macro", "gate", 0.8, ERROR)], CLASSES, looks, ["a"] * 8)[0]
    assert found.is_alarm
    assert found.high < 0.8


def test_without_labels_there_is_no_figure():
    assert watch_figures([Claim("accuracy", None, "gate", 0.8, ERROR)], CLASSES, [{}, {}], ["a", "b"]) == ()


def test_labels_of_another_class_say_nothing_of_a_recall():
    found = watch_figures([Claim("recall", "spam", "gate", 0.8, ERROR)], CLASSES, [{("ham", "ham"): 50}], ["a"])[0]
    assert (found.value, found.evidence, found.low, found.high) == (None, None, 0.0, 1.0)


def test_claims_are_the_gates_and_what_the_test_showed(monkeypatch):
    monkeypatch.setattr(figures, "read_gates", lambda _: {"recall[spam]": 0.8, "pr_area": 0.5})
    record = SimpleNamespace(verdict=None)
    claims = claims_of(record, draw_reference(accuracy=0.95))
    assert [(claim.metric, claim.label, claim.against) for claim in claims] == [
        ("accuracy", None, "test"), ("recall", "spam", "gate"), ("recall", "spam", "test"),
    ]  # fmt: skip
    assert 0.9 < claims[0].least < 0.95
    assert sum(claim.error for claim in claims) <= 0.01 * 0.15
    assert not_watched(record) == ("pr_area",)


def test_a_test_of_few_rows_claims_less():
    few, many = (figures._shown(draw_reference(num, accuracy=0.9), "accuracy", None, 1e-4) for num in (100, 5_000))
    assert few < many < 0.9


def test_a_class_that_the_test_does_not_have_claims_nothing(monkeypatch):
    monkeypatch.setattr(figures, "read_gates", lambda _: {"recall[eggs]": 0.8})
    reference = replace(draw_reference(), classes=(*CLASSES, "eggs"))
    claims = claims_of(SimpleNamespace(verdict=None), reference)
    assert ("recall", "test") not in {(claim.metric, claim.against) for claim in claims}
