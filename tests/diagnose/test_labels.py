"""Planted: contradicting labels and classes too small to be learned."""

from dataclasses import replace

import pytest

from pretune.diagnose.labels import check_conflicts, check_imbalance, check_starved_classes, check_test_rows
from pretune.records import Conflict, Severity


@pytest.mark.parametrize(("num_rows", "severity"), [(2, Severity.NOTE), (12, Severity.NOTE), (13, Severity.WARNING)])
def test_conflicts_are_counted_in_rows_and_warn_above_one_percent(clean_evidence, num_rows, severity):
    ids = tuple(f"train-{n}" for n in range(num_rows))
    conflict = Conflict(text="fine", ids=ids, labels=("neg", "pos"))
    finding = check_conflicts(replace(clean_evidence, receipt=replace(clean_evidence.receipt, conflicts=(conflict,))))
    assert (finding.severity, finding.measured, finding.examples) == (severity, num_rows / 1200, ids[:5])
    assert "no model can" not in finding.summary  # one row of 1,200 is lost


@pytest.mark.parametrize(("kept", "severity"), [(19, Severity.WARNING), (20, Severity.OK)])
def test_a_class_with_fewer_than_twenty_training_rows_is_starved(clean_evidence, kept, severity):
    positive = [row for row in clean_evidence.train if row.label == "pos"][:kept]
    negative = [row for row in clean_evidence.train if row.label == "neg"]
    finding = check_starved_classes(replace(clean_evidence, train=(*negative, *positive)))
    assert (finding.severity, finding.measured) == (severity, kept)


def test_a_class_without_any_training_row_is_starved(clean_evidence):
    finding = check_starved_classes(replace(clean_evidence, classes=("neg", "pos", "other")))
    assert (finding.severity, finding.measured) == (Severity.WARNING, 0)
    assert "other" in finding.fix


@pytest.mark.parametrize(("positives", "severity"), [(300, Severity.OK), (150, Severity.NOTE), (30, Severity.WARNING)])
def test_one_class_that_holds_most_rows_is_named(clean_evidence, positives, severity):
    rows = [row for row in clean_evidence.train if row.label == "pos"][:positives]
    rows += [replace(row, id=f"more-{row.id}", label="neg") for row in clean_evidence.train if row.label == "pos"][positives:]
    negative = [row for row in clean_evidence.train if row.label == "neg"]
    finding = check_imbalance(replace(clean_evidence, train=(*negative, *rows)))
    assert (finding.severity, finding.measured) == (severity, 1 - positives / 600)
    assert ("not by accuracy" in finding.summary) is (severity is not Severity.OK)


@pytest.mark.parametrize(("positives", "severity"), [(150, Severity.OK), (30, Severity.WARNING), (0, Severity.WARNING)])
def test_too_few_test_rows_of_a_class_are_known_without_opening_the_seal(clean_evidence, positives, severity):
    splits = tuple(
        replace(item, labels={"neg": 300 - positives, "pos": positives}) if item.name == "test" else item
        for item in clean_evidence.receipt.splits
    )
    evidence = replace(clean_evidence, test=(), receipt=replace(clean_evidence.receipt, splits=splits))
    finding = check_test_rows(evidence)
    assert finding.severity is severity
    assert finding.summary.startswith(f"{positives} test rows are pos")


def test_many_conflicts_put_a_ceiling_on_accuracy(clean_evidence):
    """60 texts under two labels lose a row each, of 1,200."""
    conflicts = tuple(Conflict(text=str(n), ids=(f"{n}a", f"{n}b"), labels=("neg", "pos")) for n in range(60))
    finding = check_conflicts(replace(clean_evidence, receipt=replace(clean_evidence.receipt, conflicts=conflicts)))
    assert "no model can score over 95 % on all rows" in finding.summary
