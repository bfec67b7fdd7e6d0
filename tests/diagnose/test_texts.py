"""Planted: texts that are cut, and texts decoded wrongly."""

from dataclasses import replace

import pytest

from pretune.diagnose.texts import check_truncation, check_unreadable
from pretune.records import Severity


@pytest.mark.parametrize(("num_cut", "severity"), [(1, Severity.NOTE), (40, Severity.NOTE), (41, Severity.WARNING)])
def test_more_than_a_fifth_of_texts_cut_warns(clean_evidence, num_cut, severity):
    counts = replace(clean_evidence.token_counts[0], num_cut_texts=num_cut, num_cut_tokens=5000)
    finding = check_truncation(replace(clean_evidence, token_counts=(*clean_evidence.token_counts, counts)))
    assert (finding.severity, finding.measured) == (severity, num_cut / 200)
    assert "50.0% of tokens" in finding.summary
    assert ("--max-length 256" in finding.fix) is (severity is Severity.WARNING)


@pytest.mark.parametrize("text", ["caf\ufffd", "cafÃ©", "itâ€™s", "a\x00b", "a\x92b"])
def test_wrongly_decoded_characters_are_found(clean_evidence, text):
    planted = replace(clean_evidence.train[0], text=text)
    finding = check_unreadable(replace(clean_evidence, train=(planted, *clean_evidence.train[1:])))
    assert (finding.severity, finding.examples) == (Severity.NOTE, ("train-0",))
    many = check_unreadable(replace(clean_evidence, train=(planted,) * 200))
    assert many.severity is Severity.WARNING


@pytest.mark.parametrize("text", ["café naïve", "it’s “fine” – really…", "Ângela ÃO", "日本語 Привет 😀", "tab\tand\nline"])
def test_what_authors_type_is_readable(clean_evidence, text):
    rows = tuple(replace(row, text=text) for row in clean_evidence.train)
    assert check_unreadable(replace(clean_evidence, train=rows)).severity is Severity.OK
