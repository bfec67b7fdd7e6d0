"""Planted: a training that was resumed after something had changed."""

from dataclasses import replace

import pytest

from pretune.diagnose.changes import check_changed_inputs
from pretune.records import Change, Severity


@pytest.mark.parametrize(
    ("what", "severity"),
    [
        ("torch", Severity.WARNING),
        ("learning_rate", Severity.WARNING),
        ("data", Severity.BLOCKING),
        ("tokenizer", Severity.BLOCKING),
    ],
)
def test_a_change_is_told_and_one_of_the_rows_blocks(what, severity, clean_evidence):
    change = Change(what=what, then="1", now="2", step=1_234)
    finding = check_changed_inputs(replace(clean_evidence, changes=(change,)))
    assert finding.severity is severity
    assert f"{what} after step 1,234 (1 then, 2 now)" in finding.summary
    assert ("may have been trained on" in finding.summary) is (severity is Severity.BLOCKING)
    assert finding.fix
