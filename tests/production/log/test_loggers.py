"""The real loggers: what a run tells them is there, and a run that was killed goes on in the same log without a step twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pretune.production.log import LOGGERS

SCRIPT = Path(__file__).parents[2] / "support" / "logged.py"
WHY = "a logger that requirements/production.txt installs"


@pytest.fixture(params=LOGGERS)
def logger(request: pytest.FixtureRequest) -> str:
    """The name of each logger whose package is installed."""
    pytest.importorskip(request.param, reason=WHY)
    return str(request.param)


def run(folder: Path, *words: str, code: int = 0) -> str:
    """Run the script in a folder of its own, with no setting of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "MLFLOW", "TRACKIO"))}
    own = {"TRACKIO_DIR": str(folder / "trackio"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HF_HUB_OFFLINE": "1"}
    ended = subprocess.run(
        [sys.executable, SCRIPT, *words], cwd=folder, env=kept | own, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout


def read(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads(run(folder, name, "read")))


def losses(found: dict[str, Any]) -> dict[int, list[float]]:
    steps: dict[int, list[float]] = {}
    for name, step, value in found["rows"]:
        if name == "training/loss":
            steps.setdefault(step, []).append(value)
    return steps


def test_a_killed_run_goes_on_in_the_same_log_and_no_step_is_there_twice(logger, tmp_path):
    run(tmp_path, logger, "write", "0", "12", "--kill", code=9)
    said = run(tmp_path, logger, "write", "6", "20", "--resume")
    assert said == "", "standard output belongs to results"
    found = read(tmp_path, logger)
    steps = losses(found)
    # What Weights & Biases had not written when it was killed is missing here, and comes from the record in a real run.
    assert set(steps) == set(range(6 if logger == "wandb" else 0, 20)) | (set(steps) & set(range(6)))
    assert all(values == [pytest.approx(1 / (step + 1))] for step, values in steps.items())


def test_parameters_figures_and_the_verdict_are_there(logger, tmp_path):
    run(tmp_path, logger, "write", "0", "3")
    found = read(tmp_path, logger)
    figures = {name: value for name, _, value in found["rows"]} | {
        name: float(value) for name, value in found.items() if name.startswith("test/")
    }
    assert figures["test/accuracy"] == pytest.approx(0.9)
    assert figures["test/accuracy.low"] == pytest.approx(0.8)
    assert "tiny" in found["parameters"]
    assert "ship" in found["verdict"]
    assert found.get("status", "FINISHED") == "FINISHED"
    assert found.get("files", ["report.html"]) == ["report.html"]


def test_a_new_run_of_the_same_name_hides_or_leaves_the_old_one(tmp_path):
    pytest.importorskip("tensorboard", reason=WHY)
    run(tmp_path, "tensorboard", "write", "0", "30")
    run(tmp_path, "tensorboard", "write", "0", "5")
    assert set(losses(read(tmp_path, "tensorboard"))) == set(range(5))
