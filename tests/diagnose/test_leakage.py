"""Planted: test rows that training has, exactly, but for case, or nearly."""

from dataclasses import replace

import pytest

from pretune.diagnose.leakage import check_near_texts, check_seen_texts, check_validation_texts
from pretune.records import Severity


def plant(evidence, texts, *, split="test"):
    """Return the evidence with these texts in place of the first rows of a split."""
    rows = getattr(evidence, split)
    planted = tuple(replace(row, text=text) for row, text in zip(rows, texts, strict=False))
    return replace(evidence, **{split: planted + rows[len(planted) :]})


def test_a_copied_row_is_found_despite_case_and_spacing(clean_evidence):
    copied = f"  {clean_evidence.train[7].text.upper()} "
    finding = check_seen_texts(plant(clean_evidence, [copied]))
    assert finding.severity is Severity.BLOCKING  # 1 of 50 is 2 %
    assert (finding.measured, finding.examples) == (0.02, ("test-0",))
    assert "1 of 50" in finding.summary
    assert finding.fix


def test_up_to_one_percent_warns_and_does_not_block(clean_evidence):
    larger = replace(
        clean_evidence,
        test=tuple(replace(row, id=f"{n}-{row.id}", text=f"{n} {row.text}") for n in range(2) for row in clean_evidence.test),
    )
    assert check_seen_texts(plant(larger, [larger.train[0].text])).severity is Severity.WARNING


@pytest.mark.parametrize("num_planted", [3, 10])
def test_rows_with_one_word_changed_are_found(clean_evidence, num_planted):
    texts = [" ".join(["other", *row.text.split()[1:]]) for row in clean_evidence.train[:num_planted]]
    finding = check_near_texts(plant(clean_evidence, texts))
    assert finding.severity is Severity.BLOCKING  # 6 % and 20 %
    assert finding.measured == num_planted / 50
    assert check_seen_texts(plant(clean_evidence, texts)).severity is Severity.OK


def test_exact_copies_are_not_counted_as_near(clean_evidence):
    assert check_near_texts(plant(clean_evidence, [clean_evidence.train[0].text])).measured == 0


@pytest.mark.parametrize("source", ["train", "test"])
def test_validation_rows_that_other_splits_have_warn(clean_evidence, source):
    copied = getattr(clean_evidence, source)[3].text
    finding = check_validation_texts(plant(clean_evidence, [copied], split="validation"))
    assert (finding.severity, finding.examples) == (Severity.WARNING, ("validation-0",))


def test_without_texts_of_training_the_question_stays_open(clean_evidence):
    for check in (check_seen_texts, check_near_texts):
        assert check(replace(clean_evidence, train=())).severity is Severity.UNKNOWN
