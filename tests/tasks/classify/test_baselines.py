"""The linear baselines of a run of three classes: right on disk, and restored where an earlier version scrambled them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from running import call, cover, learning_flags, read_strictly, read_table, write_reviews
from safetensors.numpy import load_file, save_file

from pretune.evaluate.baselines import load_linear
from pretune.run import RunFolder
from pretune.tasks.classify.baselines import open_linear
from tiny import make_rows


def three_classes(num_rows=300):
    """Return rows of which every third is of a third class, told by its own words."""
    rows = make_rows(num_rows)
    return [
        (f"{text} refund please", "refund") if number % 3 == 0 else (text, label) for number, (text, label) in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_checkpoint):
    """Return a judged run of three classes."""
    place = tmp_path_factory.mktemp("three")
    data = write_reviews(place / "reviews.csv", three_classes())
    flags = ["--text", "Critique (text)", "--label", "Mood?", "--run", place / "run", "--json", "--quiet"]
    assert call("run", data, *flags, *learning_flags(tiny_checkpoint("bert"), epochs=1)) in (0, 1, 3)
    return place


@pytest.fixture
def run(finished, tmp_path):
    return RunFolder(shutil.copytree(finished / "run", tmp_path / "run"))


def scramble(run):
    """Write both baselines as earlier versions did: by columns, without a mark; and what they then said of the test."""
    for folder, name in ((run.linear, "model"), (run.encoder_linear, "features")):
        described = json.loads((folder / f"{name}.json").read_text())
        del described["digest"], described["digests"]
        (folder / f"{name}.json").write_text(json.dumps(described | {"schema": 1}))
        arrays = load_file(folder / f"{name}.safetensors")
        weights = arrays["weights"]
        save_file(arrays | {"weights": weights.ravel(order="F").reshape(weights.shape).copy()}, folder / f"{name}.safetensors")

    record = json.loads((run.path / "run.json").read_text())
    for field in ("digest", "heads", "pending"):
        del record[field]
    covered = ("data/", "predictions/")
    record["digests"] = {name: digest for name, digest in record["digests"].items() if name.startswith(covered)}
    (run.path / "run.json").write_text(json.dumps(record | {"schema": 1}))


def accuracy_on_test(run, source):
    rows = read_table(run.path / "predictions" / f"test.{source}.csv")
    return np.mean([row["label"] == row["predicted"] for row in rows])


def test_the_test_is_scored_by_the_model_that_validation_was_scored_by(run):
    assert accuracy_on_test(run, "linear") > 0.9
    assert accuracy_on_test(run, "encoder_linear") > 0.5
    assert not open_linear(run).is_restored


def test_a_scrambled_baseline_is_restored_and_everything_is_judged_anew(run, capsys):
    right = load_linear(run.linear)
    scramble(run)
    assert call("judge", run.path, "--json", "--quiet") in (0, 1, 3)
    capsys.readouterr()
    assert accuracy_on_test(run, "linear") > 0.9
    restored = load_linear(run.linear)
    assert np.array_equal(restored.weights, right.weights)
    assert json.loads((run.linear / "model.json").read_text())["schema"] == 2
    assert json.loads((run.encoder_linear / "features.json").read_text())["schema"] == 2
    assert accuracy_on_test(run, "encoder_linear") > 0.5
    assert any("saved the linear baseline scrambled" in event.get("text", "") for event in run.read_events())
    assert call("judge", run.path, "--recompute", "--json") in (0, 1, 3)


def test_commands_that_show_figures_of_a_scrambled_baseline_say_that_they_are_void(run, finished, capsys):
    scramble(run)
    assert call("judge", run.path, "--recompute") == 4
    assert "is void" in capsys.readouterr().err
    assert call("compare", run.path, finished / "run", "--json") == 0
    assert any(
        "linear and encoder_linear predicted on the test is void" in note
        for note in read_strictly(capsys.readouterr().out)["notes"]
    )
    assert call("report", run.path) == 0
    assert "is void" in run.report.read_text(encoding="utf-8")


def test_predict_and_evaluate_answer_by_the_restored_weights(run, capsys, tmp_path):
    texts = [text for text, _ in three_classes()[:20]]
    assert call("predict", run.linear, *texts, "--json") == 0
    right = capsys.readouterr().out
    scramble(run)
    assert call("predict", run.linear, *texts, "--json") == 0
    assert capsys.readouterr().out == right
    data = write_reviews(tmp_path / "other.csv", three_classes(90))
    assert call("evaluate", run.path, data, "--text", "Critique (text)", "--label", "Mood?", "--json", "--quiet") == 0
    scores = read_strictly(capsys.readouterr().out)["scores"]
    assert next(item["value"] for item in scores if item["source"] == "linear" and item["metric"] == "accuracy") > 0.9
    assert next(item["value"] for item in scores if item["source"] == "encoder_linear" and item["metric"] == "accuracy") > 0.5


def test_a_scrambled_baseline_without_its_run_is_refused(run, capsys, tmp_path):
    scramble(run)
    shutil.copytree(run.linear, tmp_path / "alone")
    assert call("predict", tmp_path / "alone", "a text") == 4
    assert "scrambled the weights of three or more classes" in capsys.readouterr().err


def test_a_baseline_that_is_not_the_one_that_was_fitted_stops_judging_before_the_seal(run, capsys):
    arrays = load_file(run.linear / "model.safetensors")
    load_linear(run.linear)
    other = {name: value * np.float32(1.01) for name, value in arrays.items()}
    replace(load_linear(run.linear), **other).save(run.linear)
    cover(run.path)
    before = run.openings.read_bytes()
    assert call("judge", run.path) == 4
    assert "is not the model that was scored on validation" in capsys.readouterr().err
    assert run.openings.read_bytes() == before
