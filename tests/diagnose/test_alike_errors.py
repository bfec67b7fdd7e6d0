"""Alike errors: a column within which mistakes come together is named, and its clean twin is not."""

import numpy as np
import pytest

from pretune.diagnose.alike_errors import check_alike_errors, measure
from pretune.records import Copies, Evidence, Example, Predictions, Severity


def evidence_of(alike, *, num_values=60, size=10, seed=0):
    """Rows of 60 films; the share of right answers of a film follows a beta distribution of mean 0.85."""
    generator, total = np.random.default_rng(seed), (1 - alike) / alike if alike else 0.0
    rates = generator.beta(0.85 * total, 0.15 * total, num_values) if alike else np.full(num_values, 0.85)
    films = np.repeat(np.arange(num_values), size)
    labels = np.where(generator.random(len(films)) < 0.5, "good", "bad")
    said = np.where(generator.random(len(films)) < rates[films], labels, np.where(labels == "good", "bad", "good"))
    rows = tuple(
        Example(id=str(row), text=f"text {row}", label=str(label), extra={"film": f"f{film}", "mood": str(row % 3)})
        for row, (label, film) in enumerate(zip(labels, films, strict=True))
    )
    ids = tuple(row.id for row in rows)
    made = Predictions(
        source="finetuned",
        split="test",
        classes=("bad", "good"),
        ids=ids,
        labels=tuple(labels.tolist()),
        predicted=tuple(said.tolist()),
    )
    return Evidence(classes=("bad", "good"), test=rows, predictions=(made,), copies=Copies(threshold=0.8))


def test_mistakes_that_come_together_are_named_with_what_the_group_would_change():
    found = check_alike_errors(evidence_of(0.2))
    assert found.severity is Severity.WARNING
    assert "'film'" in found.summary
    assert "--group film would widen the interval of accuracy from" in found.summary
    assert found.measured > 1.5


def test_mistakes_that_fall_on_all_rows_alike_are_not():
    alarms = [check_alike_errors(evidence_of(0.0, seed=seed)).severity is Severity.WARNING for seed in range(40)]
    assert sum(alarms) <= 4


def test_a_column_of_few_values_is_no_group():
    rows = evidence_of(0.2)
    films = tuple(Example(id=row.id, text=row.text, label=row.label, extra={"mood": row.extra["mood"]}) for row in rows.test)
    found = check_alike_errors(Evidence(classes=rows.classes, test=films, predictions=rows.predictions))
    assert found.severity is Severity.NOT_APPLICABLE


@pytest.mark.parametrize(("alike", "least"), [(0.0, 0.94), (0.1, 0.90), (0.3, 0.89)])
def test_the_interval_of_the_design_effect_covers(alike, least):
    generator, values, covered = np.random.default_rng(1), np.repeat(np.arange(40), 25), []
    for _ in range(400):
        total = (1 - alike) / alike if alike else 0.0
        rates = generator.beta(0.85 * total, 0.15 * total, 40) if alike else np.full(40, 0.85)
        found = measure("film", generator.random(1000) < rates[values], values, 0.95)
        covered.append(found.low <= 1 + 24 * alike <= found.high)
    assert np.mean(covered) > least


def test_mistakes_that_fill_whole_values_count_a_value_as_one_row():
    is_right = np.repeat(np.arange(40) % 8 > 0, 10)
    found = measure("seller", is_right, np.repeat(np.arange(40), 10), 0.95)
    assert (found.effect, found.low) == (pytest.approx(10), pytest.approx(10))
