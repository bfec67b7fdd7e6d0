"""Planted: contradicting labels and classes too small to be learned."""

from dataclasses import replace

import pytest

from pretune.diagnose.labels import check_conflicts, check_starved_classes
from pretune.records import Conflict, Severity


@pytest.mark.parametrize(("num_rows", "severity"), [(2, Severity.NOTE), (3, Severity.NOTE), (4, Severity.WARNING)])
def test_conflicts_are_counted_in_rows_and_warn_above_one_percent(clean_evidence, num_rows, severity):
    ids = tuple(f"train-{n}" for n in range(num_rows))
    conflict = Conflict(text="fine", ids=ids, labels=("neg", "pos"))
    finding = check_conflicts(replace(clean_evidence, receipt=replace(clean_evidence.receipt, conflicts=(conflict,))))
    assert (finding.severity, finding.measured, finding.examples) == (severity, num_rows / 300, ids)


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
