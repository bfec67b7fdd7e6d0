"""The kill harness: no kill and no refused write changes what comes out, whatever is trained; a planted fault is told."""

import json
import os
import subprocess
import sys

import pytest
from running import python, read_strictly

from pretune.selftest.__main__ import tell
from pretune.selftest.harness import Harness
from pretune.selftest.kinds import KINDS
from pretune.selftest.life import PLACES
from pretune.selftest.material import make_rows

# A product that zeroes what a checkpoint holds under a name, when it goes on with it.
FORGETFUL = """
import sys
from pathlib import Path
from pretune.selftest.harness import Harness
from pretune.selftest.kinds import KINDS
from pretune.train import Checkpoints

folder, name, part = sys.argv[1:]
load = Checkpoints.load

def forget(self):
    saved = load(self)
    for key, value in {} if saved is None else saved.tensors.items():
        if part in key:
            value.zero_()
    return saved

Checkpoints.load = forget
harness = Harness(Path(folder), kinds=tuple(kind for kind in KINDS if kind.name == name))
harness.begin()
harness.torture(kills=4)
print(*harness.report()["details"], sep="\\n")
"""


def selftest(*flags, timeout):
    done = subprocess.run(
        python("-m", "pretune", "selftest", "--json", *flags), capture_output=True, text=True, timeout=timeout
    )
    found = read_strictly(done.stdout)
    assert found["details"] == [], done.stderr
    assert (done.returncode, found["differences"]) == (0, 0)
    return found


@pytest.mark.slow
def test_trainings_that_are_killed_or_refused_a_write_end_like_the_unbroken_one():
    found = selftest("--kill", "2", "--refuse", "2", timeout=300)
    assert (found["kills"], sum(found["where"].values()), found["refused"]) == (2, 2, {"full": 1, "read-only": 1})
    assert set(found["where"]) == set(PLACES)
    assert list(found["kinds"]) == [kind.name for kind in KINDS if kind.is_possible]
    assert sum(kind["trainings"] for kind in found["kinds"].values()) == found["trainings"]


@pytest.mark.slow
def test_sixty_kills_and_forty_refused_writes_change_no_bit():
    found = selftest("--kill", "60", "--refuse", "40", timeout=1_800)
    assert found["counted"] + found["timed"] == 60
    assert all(found["where"].values()), "some hit inside a checkpoint, some inside another write, some elsewhere"
    assert sum(found["refused"].values()) == 40
    assert all(kind["trainings"] for kind in found["kinds"].values()), "every kind had its turn"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("gradual stages", "optimizer."),
        ("LoRA", "lora_"),
        ("moving average", "average."),
        ("replies", "optimizer."),
        ("replies, in stages", "optimizer."),
        ("replies, LoRA", "lora_"),
    ],
)
def test_what_a_kind_of_training_forgets_when_it_goes_on_is_found(name, part, tmp_path):
    if not next(kind for kind in KINDS if kind.name == name).is_possible:
        pytest.skip("needs the extra lora")
    alone = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    words = python("-c", FORGETFUL, str(tmp_path), name, part)
    said = subprocess.run(words, env=alone, capture_output=True, text=True, check=True, timeout=300).stdout
    assert f", {name} (kill " in said
    assert "model/model.safetensors" in said


def test_a_kind_whose_package_is_missing_is_left_out_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    report = Harness(tmp_path).report()
    assert list(report["kinds"]) == [kind.name for kind in KINDS if not kind.needs]
    lines = tell({**report, "seed": 0, "seconds": 0.0}).splitlines()
    missing = [f"  left out, {name}: peft is not installed" for name in ("LoRA", "replies, LoRA")]
    assert [line for line in lines if "LoRA" in line] == missing


def test_each_seed_has_its_own_order_of_kinds_and_all_take_turns(tmp_path):
    orders = set()
    for seed in range(8):
        harness = Harness(tmp_path, seed=seed)
        turns = [next(harness._turns).kind.name for _ in harness.unbroken * 2]
        half = len(turns) // 2
        assert turns[:half] == turns[half:]
        assert set(turns) == {unbroken.kind.name for unbroken in harness.unbroken}
        orders.add(tuple(turns))
    assert len(orders) > 1


def test_a_difference_is_told_with_the_lives_that_led_to_it(tmp_path):
    harness = Harness(tmp_path)
    harness._now.wanted = {"model/model.safetensors": "1", "run.json: history": "2"}
    harness._lives = ["kill at 7", "none"]
    harness.tally.trainings["all layers"] = 1
    harness._compare({"model/model.safetensors": "3", "run.json: history": "2"}, harness._story())
    report = harness.report()
    assert report["differences"] == 1
    assert report["details"] == ["training 1, all layers (kill at 7, none): model/model.safetensors differ"]
    assert json.loads(json.dumps(report)) == report


def test_rows_are_distinct_and_told_apart():
    rows = make_rows(60)
    assert len(dict(rows)) == 60
    assert {label for _, label in rows} == {"good", "bad"}
