"""Planted: a word or a column that gives the label away."""

import random
from dataclasses import replace

import pytest

from pretune.diagnose.signature import check_signature_column, check_signature_token
from pretune.records import Evidence, Severity


def mark_texts(evidence: Evidence, share: float, *, word: str = "Sent_from_Berlin", other: float = 0.0) -> Evidence:
    """Return the evidence with a word at the end of this share of the positive rows, and of the other rows."""
    generator = random.Random(0)

    def marked(row):
        return replace(row, text=f"{row.text} {word}") if generator.random() < (share if row.label == "pos" else other) else row

    splits = {name: tuple(map(marked, getattr(evidence, name))) for name in ("train", "validation", "test")}
    return replace(evidence, **splits)


def add_column(evidence: Evidence, value, name: str = "source") -> Evidence:
    """Return the evidence with a further column, computed from each row."""
    splits = {
        split: tuple(replace(row, extra={**row.extra, name: value(row)}) for row in getattr(evidence, split))
        for split in ("train", "validation", "test")
    }
    return replace(evidence, **splits)


@pytest.mark.parametrize(
    ("share", "other", "severity"),
    [
        (1.0, 0.0, Severity.BLOCKING),
        (0.96, 0.04, Severity.WARNING),  # 0.96, but known only to ± 0.02
        (0.90, 0.05, Severity.WARNING),
        (0.60, 0.0, Severity.WARNING),  # never wrong, in over a third of the class
        (0.50, 0.50, Severity.OK),
        (0.10, 0.0, Severity.OK),  # a telling word, as there are in every language
    ],
)
def test_a_word_that_gives_the_class_away_is_found(clean_evidence, share, other, severity):
    finding = check_signature_token(mark_texts(clean_evidence, share, other=other))
    assert finding.severity is severity, finding
    if severity is not Severity.OK:
        assert "'Sent_from_Berlin'" in finding.summary
        assert finding.examples
        assert all(id.startswith("test") for id in finding.examples)


def test_a_word_that_tells_by_its_case_alone_is_found(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0, word="THE")
    both = mark_texts(marked, 0.0, word="the", other=1.0)
    assert check_signature_token(both).severity is Severity.BLOCKING


def test_the_word_is_sought_on_validation_where_the_test_is_sealed(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0)
    sealed = replace(marked, test=tuple(replace(row, label=None, extra={}) for row in marked.test))
    finding = check_signature_token(sealed)
    assert finding.severity is Severity.BLOCKING
    assert "of validation rows" in finding.summary


def test_a_source_column_warns(clean_evidence):
    evidence = add_column(clean_evidence, lambda row: "imdb" if row.label == "pos" else "blog")
    finding = check_signature_column(evidence)
    assert (finding.severity, finding.measured) == (Severity.WARNING, 1.0)
    assert "'source'" in finding.summary


def test_an_id_whose_prefix_is_the_class_warns(clean_evidence):
    finding = check_signature_column(add_column(clean_evidence, lambda row: f"{row.label}_{row.id}", "key"))
    assert finding.severity is Severity.WARNING
    assert "'key'" in finding.summary


def test_a_date_that_separates_the_classes_warns(clean_evidence):
    def seen(row):
        return f"20{10 + (row.label == 'pos')}-03-{random.Random(row.id).randrange(1, 29):02}"

    finding = check_signature_column(add_column(clean_evidence, seen, "seen"))
    assert finding.severity is Severity.WARNING


def test_a_column_whose_value_stands_in_the_text_blocks(clean_evidence):
    marked = mark_texts(clean_evidence, 1.0, word="imdb")
    finding = check_signature_column(add_column(marked, lambda row: "imdb" if row.label == "pos" else row.text.split()[0]))
    assert finding.severity is Severity.BLOCKING


@pytest.mark.parametrize("name", ["rating", "label_text"])
def test_the_label_under_another_name_is_noted_only(clean_evidence, name):
    evidence = add_column(clean_evidence, lambda row: str(8 if row.label == "pos" else 3), name)
    assert check_signature_column(evidence).severity is Severity.NOTE


def test_rows_without_columns_raise_no_question(clean_evidence):
    bare = {name: tuple(replace(row, extra={}) for row in getattr(clean_evidence, name)) for name in ("train", "test")}
    assert check_signature_column(replace(clean_evidence, **bare)).severity is Severity.NOT_APPLICABLE


def test_running_numbers_of_a_sorted_file_are_noted_only(clean_evidence):
    finding = check_signature_column(
        add_column(clean_evidence, lambda row: str(10_000 * (row.label == "pos") + int(row.id.split("-")[1])), "id")
    )
    assert finding.severity is Severity.NOTE
    assert "sorted by label" in finding.summary
