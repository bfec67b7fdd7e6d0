"""The kill harness: no kill and no refused write changes what comes out; a planted fault is told."""

import json
import subprocess

import pytest

from pretune.selftest.harness import Harness
from pretune.selftest.life import PLACES
from pretune.selftest.material import make_rows
from running import python, read_strictly


def selftest(*flags, timeout):
    done = subprocess.run(
        python("-m", "pretune", "selftest", "--json", *flags), capture_output=True, text=True, timeout=timeout
    )
    found = read_strictly(done.stdout)
    assert found["details"] == [], done.stderr
    assert (done.returncode, found["differences"]) == (0, 0)
    return found


def test_trainings_that_are_killed_or_refused_a_write_end_like_the_unbroken_one():
    found = selftest("--kill", "2", "--refuse", "2", timeout=300)
    assert (found["kills"], sum(found["where"].values()), found["refused"]) == (2, 2, {"full": 1, "read-only": 1})
    assert set(found["where"]) == set(PLACES)


@pytest.mark.slow
def test_sixty_kills_and_forty_refused_writes_change_no_bit():
    found = selftest("--kill", "60", "--refuse", "40", timeout=1_800)
    assert found["counted"] + found["timed"] == 60
    assert all(found["where"].values()), "some hit inside a checkpoint, some inside another write, some elsewhere"
    assert sum(found["refused"].values()) == 40


def test_a_difference_is_told_with_the_lives_that_led_to_it(tmp_path):
    harness = Harness(tmp_path)
    harness._wanted, harness._lives = {"model/model.safetensors": "1", "run.json: history": "2"}, ["kill at 7", "none"]
    harness._compare({"model/model.safetensors": "3", "run.json: history": "2"}, harness._story())
    report = harness.report()
    assert report["differences"] == 1
    assert report["details"] == ["training 1 (kill at 7, none): model/model.safetensors differ"]
    assert json.loads(json.dumps(report)) == report


def test_rows_are_distinct_and_told_apart():
    rows = make_rows(60)
    assert len(dict(rows)) == 60
    assert {label for _, label in rows} == {"good", "bad"}
