"""``--log`` of the commands: every step of a run once, whatever cuts it off; wrong names before anything is read."""

import json
import signal
from pathlib import Path

import pytest
from running import call, learning_flags

from pretune.production.log import open as opening
from pretune.records import RunRecord
from pretune.run import RunFolder

KEPT: dict[str, list[tuple[str, int]]] = {}


class Kept:
    """A logger that keeps its marks by the folder of the run, as a server would; ``json`` stands in for its package."""

    def __init__(self, about):
        if not about.is_resumed:
            KEPT.pop(str(about.path), None)
        self.rows, self.about = KEPT.setdefault(str(about.path), []), about

    def known(self):
        return set(self.rows)

    def write(self, points):
        self.rows += [point.mark for point in points]

    def finish(self, ending):
        KEPT["ending"] = ending


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    KEPT.clear()
    monkeypatch.setattr(opening, "LOGGERS", {"json": "Kept", "csv": "Kept"})
    monkeypatch.setattr(opening, "_begin", lambda _, about: Kept(about))
    return KEPT


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C comes after the 20th step that the logs hear of."""
    heard = []

    def call_and_stop(self, event, told=opening.Logs.__call__):
        told(self, event)
        heard.extend([event] if event["event"] == "step" else [])
        if len(heard) == 20 and event["event"] == "step":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(opening.Logs, "__call__", call_and_stop)


def record_of(place="runs/first") -> RunRecord:
    return RunFolder(Path(place)).read_record()


def refuse(*_):
    raise OSError("no route to host")


def command(tiny_checkpoint, *more):
    return ("finetune", "reviews.csv", "--run", "runs/first", "--json", *learning_flags(tiny_checkpoint("bert")), *more)


@pytest.mark.usefixtures("workplace", "interrupted")
def test_a_run_that_was_cut_off_and_resumed_has_every_step_once(tiny_checkpoint, kept, capsys):
    assert call(*command(tiny_checkpoint, "--log", "json")) == 130
    assert kept["ending"].status == "interrupted"
    assert len(kept["runs/first"]) == 20
    assert call(*command(tiny_checkpoint, "--log", "json")) == 0
    history = record_of().history
    assert history is not None
    steps = [step for name, step in kept["runs/first"] if name == "training/loss"]
    assert steps == list(range(len(history.steps)))
    looks = [step for name, step in kept["runs/first"] if name == "validation/loss"]
    assert looks == [item.step for item in history.validations]
    assert kept["ending"].status == "trained"
    assert kept["ending"].figures["validation/accuracy"] > 0.5
    json.loads(capsys.readouterr().out.splitlines()[-1])


def test_judging_goes_on_in_the_log_of_the_training(finetuned, kept):
    assert call("judge", str(finetuned), "--json", "--log", "json,csv") in (0, 1, 3)
    ending = kept["ending"]
    assert ending.status == "judged"
    assert {"verdict", "look"} <= ending.facts.keys()
    assert ending.figures["test/accuracy.low"] <= ending.figures["test/accuracy"]
    assert [file.name for file in ending.files] == ["report.html", "README.md"]
    assert "test/accuracy" not in str(ending.parameters)


@pytest.mark.usefixtures("workplace")
def test_a_logger_that_fails_is_one_warning_and_the_run_is_the_same(tiny_checkpoint, monkeypatch, caplog):
    monkeypatch.setattr(opening, "_begin", refuse)
    assert call(*command(tiny_checkpoint, "--log", "json")) == 0
    told = [record.getMessage() for record in caplog.records if record.name == "pretune.log"]
    assert told == ["--log json: OSError: no route to host. The run itself is not affected"]
    assert record_of().status == "trained"


@pytest.mark.parametrize(
    ("asked", "said"),
    [("nothing", "one of json, csv"), ("json,", "one of json, csv"), ("json;csv", "one of json, csv")],
)
def test_a_logger_that_does_not_exist_is_named_before_anything_is_read(asked, said, capsys):
    assert call("finetune", "there-is-no-such.csv", "--log", asked, "--json") == 2
    assert said in json.loads(capsys.readouterr().out)["error"]["expected"]


@pytest.mark.parametrize("name", ["run", "finetune", "pretrain"])
def test_a_package_that_is_missing_is_named_before_anything_is_read(name, monkeypatch, capsys):
    monkeypatch.setattr(opening, "LOGGERS", {"there_is_none": "Kept"})
    assert call(name, "there-is-no-such.csv", "--log", "there_is_none", "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "missing_package"
    assert error["fix"] == '`pip install "pretune[there_is_none]"`'


def test_data_that_is_refused_leaves_no_log(workplace, kept):
    (workplace / "empty.csv").write_text("text,label\n")
    assert call("finetune", "empty.csv", "--log", "json", "--json") == 2
    assert kept == {}
