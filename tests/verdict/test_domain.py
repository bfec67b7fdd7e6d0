"""The policy for adapted models: another bar, and the model before adaptation has to be beaten."""

from dataclasses import replace

import pytest
from judging import clean_findings, constant, from_counts, from_pairs, noisy
from traced import figure_of

from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources
from pretune.records import Finding, Outcome, Severity, Terms
from pretune.verdict import decide, load_policy, parse_policy

DOMAIN = load_policy("domain")
MODEL = from_counts(940, 60, 60, 940)


def findings(**forgetting):
    found = [item for item in clean_findings(DOMAIN) if item.check != "adaptation.forgetting"]
    given = {"check": "adaptation.forgetting", "severity": Severity.OK, "summary": "general loss rose", "measured": 0.01}
    return (*found, Finding(**{**given, **forgetting}))


def judge(model=MODEL, *, before=0.85, found=None, policy=DOMAIN):
    sources = [model, constant(model), noisy(model, 0.75), *([noisy(model, before, source="before", seed=1)] if before else [])]
    evaluation = evaluate_sources(sources, Terms(positive="pos"), main="finetuned")
    found = findings() if found is None else found
    return evaluation, decide(evaluation, found, policy, Terms(positive="pos"))


def rows_of(num_found, num_false):
    """1,000 positive rows, then 1,000 negative ones, of which the first so many are called positive."""
    called = ["pos"] * num_found + ["neg"] * (1000 - num_found) + ["pos"] * num_false + ["neg"] * (1000 - num_false)
    return from_pairs(list(zip(["pos"] * 1000 + ["neg"] * 1000, called, strict=True)))


def holds(verdict):
    return {(item.name, item.metric) if item.metric else item.name: item.holds for item in verdict.reasons}


def test_the_gates_are_those_of_the_design():
    assert {gate.metric: gate.minimum for gate in DOMAIN.gates} == {"precision": 0.85, "recall": 0.80}
    assert DOMAIN.better_on == {"before": ("precision", "recall")}


def test_a_model_that_adaptation_made_better_ships_and_every_reason_leads_to_its_figure():
    evaluation, verdict = judge()
    assert verdict.outcome is Outcome.SHIP
    for reason in verdict.reasons:
        figure = figure_of(reason, evaluation, findings())
        assert reason.name in (figure.check if isinstance(figure, Finding) else figure.name)
        assert reason.metric in (None, getattr(figure, "metric", None))


def test_adaptation_that_did_not_help_does_not_ship():
    _, verdict = judge(before=0.94)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert holds(verdict)["finetuned-before", "recall[pos]"] is None
    assert "the model before adaptation" in verdict.summary
    _, worse = judge(before=0.99)
    assert worse.outcome is Outcome.DO_NOT_SHIP


def test_better_on_one_of_the_two_is_not_enough():
    """Recall of 0.97 instead of 0.80, precision the same."""
    model, before = rows_of(970, 60), rows_of(800, 50)
    sources = [model, constant(model), noisy(model, 0.75), replace(before, source="before")]
    evaluation = evaluate_sources(sources, Terms(positive="pos"), main="finetuned")
    verdict = decide(evaluation, findings(), DOMAIN, Terms(positive="pos"))
    shown = holds(verdict)
    assert (shown["finetuned-before", "recall[pos]"], shown["finetuned-before", "precision[pos]"]) == (True, None)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE


def test_without_the_model_before_it_cannot_ship():
    _, verdict = judge(before=None)
    assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
    assert "no comparison with the model before adaptation on precision[pos]" in str(verdict.reasons)


@pytest.mark.parametrize(
    ("forgetting", "outcome"),
    [
        ({"measured": 0.05}, Outcome.SHIP),
        ({"measured": 0.051, "severity": Severity.NOTE}, Outcome.DO_NOT_SHIP),
        ({"measured": None}, Outcome.NOT_ENOUGH_EVIDENCE),
        ({"measured": None, "severity": Severity.UNKNOWN}, Outcome.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_what_was_forgotten_has_a_limit_of_its_own(forgetting, outcome):
    assert judge(found=findings(**forgetting))[1].outcome is outcome


def test_the_default_policy_asks_nothing_of_the_model_before():
    assert judge(before=0.99, policy=load_policy(), found=clean_findings())[1].outcome is Outcome.SHIP


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"better_on": {"before": ["speed"]}}, "'speed'"),
        ({"better_on": ["before"]}, "keys of the default policy"),
        ({"max_measured": {"adaptation.forgetting": "much"}}, "'much'"),
        ({"confidence": 95}, "confidence is 95"),
        ({"min_positives": 0}, "min_positives is 0"),
        ({"rows_needed": {"probability": 1.0}}, "probability is 1.0"),
        ({"goals": ["balanced"]}, "keys of the default policy"),
    ],
)
def test_what_a_policy_cannot_mean_is_an_error(change, message):
    value = {"name": "mine", "goals": {"balanced": [{"metric": "recall", "minimum": 0.8}]}}
    with pytest.raises(UsageError, match=message):
        parse_policy({**value, **change}, "mine.toml")


def test_a_name_that_is_neither_a_policy_nor_a_file_is_an_error():
    with pytest.raises(UsageError, match="classification or domain"):
        load_policy("domian")
