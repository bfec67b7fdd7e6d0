"""The speed contest: both sides train the same rows, the clock counts what it says, the page shows what was kept."""

import itertools

import pytest

import contest
import speed_page
from tiny import make_rows


def job_for(folder, **changes):
    texts, labels = zip(*make_rows(96), strict=True)
    part = {"texts": list(texts), "labels": list(labels)}
    settings = {
        "work": "all", "model": str(folder), "train": part, "validation": {key: held[:20] for key, held in part.items()},
        "epochs": 2, "rate": 3e-3, "max_length": 32, "batch_size": 4, "dropout": None, "freeze": "none", "seed": 0,
        "steps": None, "precision": "fp32", "validations_times": 3.0,
    }  # fmt: skip
    return settings | changes


@pytest.mark.parametrize("freeze", ["none", "last-1", "all"])
def test_both_sides_make_the_same_number_of_updates(tiny_checkpoint, freeze):
    job = job_for(tiny_checkpoint("bert"), freeze=freeze)
    ours, theirs = contest.train_with_pretune(job), contest.train_with_trainer(job, best=False)
    assert ours["steps"] == theirs["steps"] == 48
    assert [len(found["validations"]) for found in (ours, theirs)] == [2, 2]
    assert 0 < ours["epoch_seconds"] < ours["seconds"]


def test_so_many_steps_are_multiplied_to_a_whole_run(tiny_checkpoint):
    job = job_for(tiny_checkpoint("bert"), steps=12)
    for found in (contest.train_with_pretune(job), contest.train_with_trainer(job, best=True)):
        parts = found["projected"]
        assert found["steps"] == 12
        assert found["seconds"] == pytest.approx(parts["before"] + 48 * parts["step"] + 2 * parts["validation"])


def test_a_step_with_a_validation_in_it_is_not_counted(monkeypatch):
    moments = itertools.count()
    monkeypatch.setattr(contest.time, "perf_counter", lambda: float(next(moments)))
    clock = contest.Clock(None)
    for _ in range(contest.WARM):
        clock.tick({})
    for _ in range(4):
        clock.tick({})
    clock.validated(0.5)
    for _ in range(50):  # the validation took long
        next(moments)
    clock.tick({})
    clock.tick({})
    assert clock.each() == 1.0


def test_epochs_that_are_not_trained_are_counted_like_the_last_one(tiny_checkpoint):
    job = job_for(tiny_checkpoint("bert"), freeze="last-1", epochs=5, timed_epochs=2)
    found = contest.train_with_pretune(job)
    (first, _), (second, _) = found["validations"]
    assert found["timed_epochs"] == 2
    assert found["steps"] == 48
    assert "last_accuracy" not in found
    assert found["seconds"] == pytest.approx(second + 3 * (second - first), rel=0.5)
    assert found["seconds"] > second + 3 * (second - first) - 0.02


def run_of(work, side, seed, seconds, **more):
    return {
        "about": {"data": "movie-reviews", "work": work, "side": side, "seed": seed, "kind": ""}, "seconds": seconds,
        "last_accuracy": 0.8, "epoch_seconds": 10.0, "peak": {"bf16": 0.5}, "work_done": {"tokens": 1e6, "flop_a_token": 1e6},
        "machine": {"cores": 2}, "versions": {"torch": "2"}, "commit": "abc", **more,
    }  # fmt: skip


def test_the_page_shows_the_median_of_the_pairs_and_their_spread():
    kept = [run_of("all", "pretune", seed, 100) for seed in range(3)]
    kept += [run_of("all", "rival-best", seed, seconds) for seed, seconds in enumerate((150, 210, 180))]
    page = speed_page.write_page(kept)
    assert "**1.8** (1.5–2.1, 3 pairs; 1.5)" in page
    assert "| 100 s | 180 s | – |" in page
    assert "20%, 20%, –" in page  # 1e12 operations in 10 s of 0.5 TFLOP/s


def test_the_race_ends_at_the_first_validation_as_good_as_the_rivals_last():
    race = run_of("accuracy", "pretune", 0, 300, validations=[(50.0, 0.7), (110.0, 0.81), (170.0, 0.9)])
    page = speed_page.write_page([race, run_of("all", "pretune", 0, 1), run_of("all", "rival-best", 0, 220)])
    assert "**2.0** (1 pair; 2)" in page
