"""Planted: texts that are cut, and texts decoded wrongly."""

from dataclasses import replace

import pytest

from pretune.diagnose.texts import check_duplicates, check_truncation, check_unknown_tokens, check_unreadable
from pretune.records import Severity


@pytest.mark.parametrize(("num_cut", "severity"), [(1, Severity.NOTE), (120, Severity.NOTE), (121, Severity.WARNING)])
def test_more_than_a_fifth_of_texts_cut_warns(clean_evidence, num_cut, severity):
    counts = replace(clean_evidence.token_counts[0], num_cut_texts=num_cut, num_cut_tokens=15000)
    finding = check_truncation(replace(clean_evidence, token_counts=(*clean_evidence.token_counts, counts)))
    assert (finding.severity, finding.measured) == (severity, num_cut / 600)
    assert "50.0% of tokens" in finding.summary
    assert ("--max-length 256" in finding.fix) is (severity is Severity.WARNING)


@pytest.mark.parametrize("text", ["caf\ufffd", "cafÃ©", "itâ€™s", "a\x00b", "a\x92b"])
def test_wrongly_decoded_characters_are_found(clean_evidence, text):
    planted = replace(clean_evidence.train[0], text=text)
    finding = check_unreadable(replace(clean_evidence, train=(planted, *clean_evidence.train[1:])))
    assert (finding.severity, finding.examples) == (Severity.NOTE, ("train-0",))
    many = check_unreadable(replace(clean_evidence, train=(planted,) * 600))
    assert many.severity is Severity.WARNING


@pytest.mark.parametrize("text", ["café naïve", "it’s “fine” – really…", "Ângela ÃO", "日本語 Привет 😀", "tab\tand\nline"])
def test_what_authors_type_is_readable(clean_evidence, text):
    rows = tuple(replace(row, text=text) for row in clean_evidence.train)
    assert check_unreadable(replace(clean_evidence, train=rows)).severity is Severity.OK


@pytest.mark.parametrize(("num_wrong", "severity"), [(0, Severity.NOTE), (15, Severity.WARNING)])
def test_what_the_cut_costs_in_accuracy_is_measured(clean_evidence, num_wrong, severity):
    """30 of 300 validation texts are cut, a tenth; the longest are made longer, and some of them answered wrongly."""
    long = tuple(
        replace(row, text=f"{row.text} {row.text}") if n < 30 else row for n, row in enumerate(clean_evidence.validation)
    )
    other = {"neg": "pos", "pos": "neg"}
    known = clean_evidence.find("validation", "finetuned")
    known = replace(known, predicted=tuple(other[x] if n < num_wrong else x for n, x in enumerate(known.labels)))
    counts = replace(clean_evidence.token_counts[0], split="validation", num_texts=300, num_cut_texts=30)
    finding = check_truncation(replace(clean_evidence, validation=long, predictions=(known,), token_counts=(counts,)))
    assert finding.severity is severity
    share = 1 - num_wrong / 30
    assert f"accuracy is {share:.3f} on the 30 longest validation texts, as many as were cut, and 1.000 on" in finding.summary


@pytest.mark.parametrize(("num_unknown", "severity"), [(0, Severity.OK), (150, Severity.NOTE), (151, Severity.WARNING)])
def test_over_one_percent_of_unknown_tokens_warn(clean_evidence, num_unknown, severity):
    counts = replace(clean_evidence.token_counts[0], num_unknown=num_unknown)
    assert check_unknown_tokens(replace(clean_evidence, token_counts=(counts,))).severity is severity


@pytest.mark.parametrize(("copies", "severity"), [(0, Severity.OK), (80, Severity.NOTE), (642, Severity.WARNING)])
def test_a_table_of_copies_is_named_with_its_different_texts(clean_evidence, copies, severity):
    finding = check_duplicates(replace(clean_evidence, receipt=replace(clean_evidence.receipt, num_exact_duplicates=copies)))
    assert (finding.severity, finding.measured) == (severity, copies / 1200)
    assert f"{1200 - copies:,} texts are different" in finding.summary
