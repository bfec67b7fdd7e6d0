"""Contracts over all checks."""

import pytest

from pretune.diagnose import CHECKS, DATA_CHECKS, RESULT_CHECKS, checks_by, diagnose
from pretune.records import Evidence, Finding, Severity
from pretune.verdict import load_policy


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_is_ok_and_has_something_to_say_when_nothing_is_wrong(check, clean_evidence, clean_evaluation):
    finding = check(clean_evidence, clean_evaluation)
    assert finding.severity is Severity.OK, finding
    assert finding.summary
    assert finding.fix == ""
    assert Finding.from_json(finding.to_json()) == finding


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_without_evidence_no_check_passes(check):
    finding = check(Evidence(), None)
    assert finding.severity in (Severity.UNKNOWN, Severity.NOT_APPLICABLE)
    assert finding.summary


def test_names_are_unique_and_the_default_policy_requires_only_known_ones(clean_evidence, clean_evaluation):
    names = [finding.check for finding in diagnose(clean_evidence, clean_evaluation)]
    assert len(set(names)) == len(names) == len(CHECKS)
    assert set(load_policy().required_checks) <= set(names)


def test_data_can_be_checked_before_there_is_a_model(clean_evidence):
    assert CHECKS == DATA_CHECKS + RESULT_CHECKS
    findings = diagnose(clean_evidence, checks=DATA_CHECKS)
    assert {finding.severity for finding in findings} == {Severity.OK}


def test_runs_of_the_first_rules_are_asked_what_they_were_asked_then(clean_evidence, clean_evaluation):
    names = {
        rules: [item.check for item in diagnose(clean_evidence, clean_evaluation, checks=checks_by(rules))] for rules in (1, 2)
    }
    assert [name for name in names[2] if name not in ("labels.kind", "labels.annotations", "texts.duplicates")] == names[1]
    assert len(names[2]) == len(CHECKS)
