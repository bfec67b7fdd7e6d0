"""Faults of chat models: the clean twin is clean, every plain fault is found, and the page names what was not measured."""

import pytest

import converse_faults
import converse_page
import converse_systems
from harness import SHARED

TWIN = converse_faults.twin(0)


@pytest.mark.slow
def test_a_clean_twin_raises_no_alarm():
    assert converse_faults.judge_draw(0)["alarms"] == []


@pytest.mark.parametrize("fault", converse_faults.FAULTS, ids=lambda fault: f"{fault.check}-{fault.plant.__name__}")
def test_a_plain_fault_is_found(fault):
    planted = fault.plant(TWIN, fault.strengths[-1], converse_faults.Draw(0))
    assert converse_faults._find(planted, fault.check).severity in converse_faults.ALARMS


def test_every_check_has_a_fault():
    assert {fault.check for fault in converse_faults.FAULTS} == set(converse_faults.BY_NAME)


def test_a_page_without_rows_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(converse_page, "KEPT", tmp_path)
    monkeypatch.setattr(converse_page, "PAGE", tmp_path / "page.md")
    converse_page.write_page()
    assert "`converse-faults` is not measured yet" in (tmp_path / "page.md").read_text()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="there is no ../shared/data")
def test_no_subject_is_on_two_sides_of_a_simulated_split():
    rows = converse_systems.read_rows()
    parts = converse_systems.divide(rows, 60, converse_systems.random.Random(0))
    sides = [{item.extra["set"] for item in part} for part in parts.values()]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
