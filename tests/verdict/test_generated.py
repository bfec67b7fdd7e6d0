"""The decision on generated text: gates by interval ends, the other system by every comparison, and nothing by default."""

import pytest

from pretune.records import Comparison, Outcome, Score
from pretune.verdict.generated import decide_generated


def score(metric, value, low, high):
    return Score(
        metric=metric, label=None, split="test", source="audited", value=value, low=low, high=high, confidence=0.95,
        method="bca bootstrap, 10,000 resamples; nrefs:1", num_examples=200,
    )  # fmt: skip


def gain(metric, difference, p_value):
    return Comparison(
        metric=metric, split="test", a="audited", b="old", value_a=40, value_b=40 - difference, difference=difference,
        low=None, high=None, confidence=0.95, p_value=p_value, method="", num_examples=200,
    )  # fmt: skip


SCORES = (score("bleu", 30.0, 27.0, 33.0), score("chrf", 55.0, None, None))


@pytest.mark.parametrize(
    ("gates", "outcome"),
    [
        ({"bleu": 25}, Outcome.SHIP),
        ({"bleu": 30}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({"bleu": 35}, Outcome.DO_NOT_SHIP),
        ({"bleu": 25, "chrf": 40}, Outcome.NOT_ENOUGH_EVIDENCE),  # no interval: open
        ({}, Outcome.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_a_gate_is_held_against_the_interval(gates, outcome):
    verdict = decide_generated(SCORES, (), gates)
    assert verdict.outcome is outcome
    assert verdict.reasons


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ((("bleu", 2.0, 0.01), ("chrf", 1.0, 0.02)), Outcome.SHIP),
        ((("bleu", 2.0, 0.01), ("chrf", 1.0, 0.30)), Outcome.NOT_ENOUGH_EVIDENCE),
        ((("bleu", 2.0, 0.01), ("chrf", -1.0, 0.01)), Outcome.DO_NOT_SHIP),
    ],
)
def test_the_other_system_has_to_be_beaten_on_every_figure(gains, outcome):
    assert decide_generated(SCORES, [gain(*item) for item in gains], {}).outcome is outcome


def test_the_summary_names_what_decided():
    verdict = decide_generated(SCORES, [gain("bleu", 2.0, 0.01), gain("chrf", -1.0, 0.01)], {})
    assert verdict.summary.startswith("Do not ship: the gain over old is -1.0 chrF")
    assert verdict.reasons[0].holds is False


def test_nothing_asked_is_said_so():
    assert "no gate was set" in decide_generated(SCORES, (), {}).summary
