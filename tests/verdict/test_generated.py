"""The decision on generated text: gates by interval ends, rivals by every comparison, and no ship over one trivial rival."""

from dataclasses import replace

import pytest

from pretune.records import Comparison, Outcome, Score
from pretune.verdict.generated import decide_generated


def score(metric, value, low, high):
    return Score(
        metric=metric, label=None, split="test", source="audited", value=value, low=low, high=high, confidence=0.95,
        method="bca bootstrap, 10,000 resamples; nrefs:1", num_examples=200,
    )  # fmt: skip


def gain(metric, difference, p_value, b="old"):
    return Comparison(
        metric=metric, split="test", a="audited", b=b, value_a=40, value_b=40 - difference, difference=difference,
        low=None, high=None, confidence=0.95, p_value=p_value, method="", num_examples=200,
    )  # fmt: skip


SCORES = (score("bleu", 30.0, 27.0, 33.0), score("chrf", 55.0, None, None))


RIVALS = ("constant", "retrieval")
BEATEN = tuple(gain("chrf", 3.0, 0.001, b=name) for name in RIVALS)


def subject(difference, low, high):
    return replace(
        gain("subject", 0.0, 0.01, b="reference"),
        value_a=0.88 + difference,
        value_b=0.88,
        difference=difference,
        low=low,
        high=high,
    )


def decide(comparisons=BEATEN, gates=None):
    return decide_generated(SCORES, comparisons, gates or {}, rivals=RIVALS)


@pytest.mark.parametrize(
    ("gates", "outcome"),
    [
        ({"bleu": 25}, Outcome.SHIP),
        ({"bleu": 30}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({"bleu": 35}, Outcome.DO_NOT_SHIP),
        ({"bleu": 25, "chrf": 40}, Outcome.NOT_ENOUGH_EVIDENCE),  # no interval: open
        ({}, Outcome.SHIP),
    ],
)
def test_a_gate_is_held_against_the_interval(gates, outcome):
    verdict = decide(gates=gates)
    assert verdict.outcome is outcome
    assert verdict.reasons


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ((("bleu", 2.0, 0.01), ("chrf", 1.0, 0.02)), Outcome.SHIP),
        ((("bleu", 2.0, 0.01), ("chrf", 1.0, 0.30)), Outcome.NOT_ENOUGH_EVIDENCE),
        ((("bleu", 2.0, 0.01), ("chrf", -1.0, 0.01)), Outcome.DO_NOT_SHIP),
        ((("chrf", 1.0, 0.02),), Outcome.SHIP),  # BLEU is undefined: chrF decides
    ],
)
def test_the_other_system_has_to_be_beaten_on_every_figure(gains, outcome):
    assert decide([*BEATEN, *(gain(*item) for item in gains)]).outcome is outcome


@pytest.mark.parametrize(
    ("rivals", "outcome"),
    [
        ((("constant", 3.0, 0.001), ("retrieval", 0.5, 0.4)), Outcome.NOT_ENOUGH_EVIDENCE),
        ((("constant", 3.0, 0.001), ("retrieval", -2.0, 0.01)), Outcome.DO_NOT_SHIP),
        ((("constant", 3.0, 0.001),), Outcome.NOT_ENOUGH_EVIDENCE),
        ((), Outcome.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_one_trivial_rival_is_never_enough(rivals, outcome):
    """Neither with a gate that holds nor with another system that is beaten."""
    beaten = [gain("bleu", 6.5, 0.001), gain("chrf", 4.0, 0.001)]
    found = [gain("chrf", difference, p_value, b=name) for name, difference, p_value in rivals]
    assert decide([*beaten, *found], {"bleu": 25}).outcome is outcome


def test_a_rival_that_could_not_be_made_says_what_it_needs():
    assert "--train FILE with prompts and replies" in decide([gain("bleu", 6.5, 0.001), BEATEN[0]]).summary


@pytest.mark.parametrize(
    ("difference", "outcome", "says"),
    [
        ((-0.27, -0.33, -0.21), Outcome.NOT_ENOUGH_EVIDENCE, "61 % of 200 replies name the subject of their question, 88 %"),
        ((-0.03, -0.05, -0.01), Outcome.NOT_ENOUGH_EVIDENCE, "clearly less often"),
        ((-0.03, -0.14, 0.08), Outcome.NOT_ENOUGH_EVIDENCE, "do not rule out 10 points less"),
        ((-0.01, -0.05, 0.03), Outcome.SHIP, ""),
        ((0.05, 0.01, 0.09), Outcome.SHIP, ""),
    ],
)
def test_a_system_that_speaks_of_something_else_is_never_shipped(difference, outcome, says):
    verdict = decide([*BEATEN, subject(*difference)])
    assert verdict.outcome is outcome
    assert says in verdict.summary


def test_the_summary_names_what_decided():
    verdict = decide([gain("bleu", 2.0, 0.01), gain("chrf", -1.0, 0.01)])
    assert verdict.summary.startswith("Do not ship: the gain over old is -1.0 chrF")
    assert verdict.reasons[0].holds is False


def test_gates_are_held_against_the_judged_system_and_not_against_a_rivals_figures():
    others = tuple(replace(item, source="constant", value=1.0, low=0.5, high=1.5) for item in SCORES)
    assert decide_generated((*SCORES, *others), BEATEN, {"bleu": 25}, rivals=RIVALS).outcome is Outcome.SHIP
