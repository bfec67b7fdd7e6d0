"""Every command on every kind of thing that a user may point it at: it works, or one message says what that is."""

import json
import os
import shutil
from pathlib import Path

import pytest
from chains import SMALL, write_corpus
from running import call, read_strictly, write_reviews

from pretune import storage
from tiny import make_rows

TEXT = "a great wonderful film"
# Command → what comes behind the place, and the kinds of places on which it works.
CLASSIFIERS = {"trained", "judged", "older"}
MODELS = CLASSIFIERS | {"model folder", "model of a run"}
LANGUAGES = {"masked", "causal"}
BASELINES = ["linear", "encoder linear"]
COMMANDS = {
    "judge": ([], CLASSIFIERS),
    "judge --recompute": (["--recompute"], {"judged", "older"}),
    "evaluate": (["more.csv"], MODELS),
    "predict": ([TEXT], MODELS.union(BASELINES)),
    "predict --file": (["--file", "more.csv"], MODELS.union(BASELINES)),
    "trace": ([TEXT], MODELS),
    "compare": (["runs/first"], CLASSIFIERS - {"judged"}),  # the judged one is runs/first itself
    "compare, second": ([], CLASSIFIERS - {"judged"}),
    "report": ([], CLASSIFIERS | LANGUAGES),
    "practice": ([], CLASSIFIERS | LANGUAGES),
}
# What a message must name, by kind.
NAMED = {
    "masked": "a language model of `pretune pretrain`",
    "causal": "a language model of `pretune pretrain`",
    "cut off": "cut off before training ended",
    "language model cut off": "cut off before pre-training ended",
    "diverged": "the loss stopped being finite",
    "claimed": "no training has started",
    "audit report": "a report, for people to read",
    "model folder": "a model folder",
    "model of a run": "a model folder",
    "language model folder": "a checkpoint that pretune has not fine-tuned",
    "linear": "the linear baseline of a run",
    "encoder linear": "the encoder-linear baseline of a run",
    "catalogue": "a pre-trained model of the catalogue",
    "data of the catalogue": "a data set of the catalogue",
    "other folder": "a folder with other contents",
    "file": "a file",
    "missing": "not there",
}
PLACES = {
    "trained": "runs/trained", "judged": "runs/first", "older": "runs/older", "masked": "runs/masked", "causal": "runs/causal",
    "cut off": "runs/cut", "language model cut off": "runs/cut-lm", "diverged": "runs/diverged", "claimed": "runs/claimed",
    "audit report": "audit.html", "model folder": "model", "model of a run": "runs/trained/model",
    "language model folder": "runs/masked/model", "linear": "runs/trained/linear",
    "encoder linear": "runs/trained/encoder_linear", "catalogue": "minilm", "data of the catalogue": "sms-spam",
    "other folder": "other", "file": "more.csv", "missing": "nowhere",
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(finetuned_folder, judged_folder, tmp_path_factory):
    """A folder with one of each kind; read only."""
    place = tmp_path_factory.mktemp("kinds")
    shutil.copytree(judged_folder, place, dirs_exist_ok=True)
    runs = place / "runs"
    shutil.copytree(finetuned_folder / "runs" / "first", runs / "trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("PRETUNE_HOME", str(place / "pretune-home"))
        corpus = write_corpus(place / "words.txt")
        for objective in ("masked", "causal"):
            flags = ["--objective", objective, "--epochs", "1", "--set", "corpus.near_duplicate_threshold=0.95", "--quiet"]
            assert call("pretrain", corpus, "--run", f"runs/{objective}", *SMALL, *flags) == 0
    for name, source, changes in (
        ("cut", "trained", {"status": "started"}),
        ("cut-lm", "masked", {"status": "started"}),
        ("diverged", "trained", {"status": "diverged", "failure": "the loss stopped being finite at step 3"}),
    ):
        shutil.copytree(runs / source, runs / name)
        shutil.rmtree(runs / name / "model")
        _change(runs / name / "run.json", **changes)
    shutil.copytree(runs / "first", runs / "older")
    _forget(
        runs / "older" / "run.json",
        "digest",
        "digests",
        "heads",
        "pending",
        "task",
        "inputs",
        "budget",
        "seeds",
        "proof",
        "slices",
        "changes",
        "pretraining",
    )
    _change(runs / "older" / "run.json", schema=1)
    _forget(runs / "older" / "model" / "pretune.json", "text_columns", "digest", "digests", "goal")
    (runs / "claimed").mkdir()
    shutil.copytree(runs / "trained" / "model", place / "model")
    (place / "audit.html").write_text("<!doctype html><title>Audit</title>")
    (place / "other").mkdir()
    (place / "other" / "notes.txt").write_text("nothing of ours")
    write_reviews(place / "more.csv", make_rows(40, seed=9))
    return place


@pytest.fixture
def here(everything, tmp_path, monkeypatch):
    shutil.copytree(everything, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _change(file: Path, **values) -> None:
    value = json.loads(file.read_text()) | values
    file.write_text(json.dumps(storage.sealed(value) if "digest" in value else value))


def _forget(file: Path, *names: str) -> None:
    file.write_text(json.dumps({name: value for name, value in json.loads(file.read_text()).items() if name not in names}))


def _files(place: Path) -> dict[str, tuple[int, int]]:
    """Every file but locks, with its time of change."""
    found = (Path(root) / name for root, _, names in os.walk(place) for name in names)
    return {str(file): (file.stat().st_mtime_ns, file.stat().st_size) for file in found if "locks" not in file.parts}


def _arguments(command: str, place: str) -> list[str]:
    more = COMMANDS[command][0]
    if command == "compare, second":
        return ["compare", "runs/first", place]
    return [command.split()[0], place, *more]


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("command", COMMANDS)
def test_it_works_or_one_message_says_what_it_is(command, kind, here, capsys):
    before = _files(here)
    code = call(*_arguments(command, PLACES[kind]), "--json")
    out = capsys.readouterr().out
    if kind in COMMANDS[command][1]:
        assert code in (0, 1, 3) if command.startswith("judge") else code == 0, out
        return
    error = read_strictly(out)["error"]
    assert code == 2, error
    assert error["got"], error
    assert error["expected"], error
    if kind in NAMED:
        assert NAMED[kind] in error["got"]
    assert _files(here) == before


@pytest.mark.parametrize("objective", ["masked", "causal"])
def test_the_report_of_a_language_model_is_its_own(objective, here):
    run = here / "runs" / objective
    page, card = (run / "report.html").read_bytes(), (run / "README.md").read_bytes()
    (run / "report.html").unlink()
    (run / "README.md").unlink()
    assert call("report", run) == 0
    assert ((run / "report.html").read_bytes(), (run / "README.md").read_bytes()) == (page, card)
    assert b"sealed" not in card


@pytest.mark.usefixtures("here")
def test_a_language_model_still_answers_masks(capsys):
    assert call("trace", "runs/masked", "--mask", "a [MASK] film", "--json") == 0
    assert call("trace", "runs/masked/model", "--mask", "a [MASK] film", "--json") == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    "kind", ["cut off", "language model cut off", "claimed", "linear", "encoder linear", "audit report", "file"]
)
@pytest.mark.parametrize("command", ["run", "pretrain"])
def test_what_is_no_model_is_none_to_start_from(command, kind, here, capsys):
    data = "reviews.csv" if command == "run" else "words.txt"
    assert call(command, data, "--model", PLACES[kind], "--run", "runs/new", "--json") == 2
    error = read_strictly(capsys.readouterr().out)["error"]
    assert PLACES[kind] in error["got"]
    assert error["fix"]
    assert not (here / "runs" / "new").exists()
