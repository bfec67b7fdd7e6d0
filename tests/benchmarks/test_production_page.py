"""The page of production: drawn from results alone, the targets first."""

import production_page

ONE = {
    "title": "Exports",
    "order": 1,
    "script": "benchmarks/exports.py",
    "targets": [{"what": "same answers", "must": "100 %", "reached": "99 %", "holds": False}],
    "text": ["How it was measured."],
    "tables": [{"caption": "Forms", "head": ["form", "texts/s"], "rows": [["a|b", 3]]}],
    "notes": ["falls short"],
    "machine": {"cores": 2, "bf16": True},
    "versions": {"torch": "2"},
    "measured": "2026-11-30",
}
TWO = {
    "title": "Server",
    "order": 2,
    "script": "benchmarks/serving.py",
    "targets": [{"what": "p99", "must": "≤ 5", "reached": "", "holds": None}],
}


def test_targets_of_all_sections_stand_first_and_a_missed_one_is_seen():
    page = production_page.draw([TWO, ONE])
    before, _, after = page.partition("## Exports")
    assert "| same answers | 100 % | 99 % | **no** |" in before
    assert "| p99 | ≤ 5 |  | not measured |" in before
    assert after.index("## Server") > after.index("- falls short")


def test_a_cell_cannot_break_its_row():
    assert "| a\\|b | 3 |" in production_page.draw([ONE])


def test_the_page_says_what_measured_it():
    assert "`benchmarks/exports.py`, 2026-11-30, 2 cores, with fast bf16 products; torch 2." in production_page.draw([ONE])
