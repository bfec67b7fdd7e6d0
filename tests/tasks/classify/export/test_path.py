"""Exports of a classifier: whole, self-contained, judged again without a look, refused where they are not what was judged."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from running import call, read_strictly

from pretune.errors import ParityError, StoppedError, UsageError
from pretune.predict import measured
from pretune.records import Predictions
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.export import beside, path
from pretune.tasks.classify.export.again import judge_again
from pretune.tasks.classify.on_file import read_judged

pytest.importorskip("onnxruntime", reason="exports need the extra onnx")
pytest.importorskip("onnxscript", reason="exports need the extra onnx")


def quickly(patch: pytest.MonkeyPatch, graph: Path) -> None:
    """Let exports take the graph that torch has traced once, and measure in this process, where torch is loaded."""
    inner = path.write_graph

    def write_graph(room, source, form):
        if not graph.is_dir():
            graph.mkdir()
            assert inner(graph, source, form) is None
        shutil.copytree(graph, room, dirs_exist_ok=True)

    patch.setattr(path, "write_graph", write_graph)
    patch.setattr(path, "measure_apart", measured.measure)


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """Where the graph of the run is, once it was traced."""
    return tmp_path_factory.mktemp("graph") / "onnx"


@pytest.fixture(scope="module")
def exported_folder(judged_folder, graph, tmp_path_factory):
    """A folder with ``runs/first``, judged and exported as onnx and onnx-int8; read only."""
    folder = shutil.copytree(judged_folder, tmp_path_factory.mktemp("exported"), dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        quickly(patch, graph)
        for form in ("onnx", "onnx-int8"):
            export(Path("runs/first"), form, accept_loss=True)
    return folder


@pytest.fixture
def copied(exported_folder, tmp_path, monkeypatch):
    """The path of the run, in the current folder."""
    shutil.copytree(exported_folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("runs/first")


@pytest.fixture
def exported(copied, graph, monkeypatch):
    """The same, where further exports are quick."""
    quickly(monkeypatch, graph)
    return copied


def export(run: Path, form: str, *, accept_loss: bool = False):
    return path.export_classifier(RunFolder(run), form=form, is_loss_accepted=accept_loss, trace=Trace())


def judged_of(run: Path, form: str) -> dict:
    return json.loads((run / "export" / form / "judged.json").read_text())


def test_onnx_gives_the_answers_and_the_verdict_of_the_model(exported):
    found, record = judged_of(exported, "onnx"), RunFolder(exported).read_record()
    assert {(item["split"], item["how"]) for item in found["beside"]} >= {
        ("validation", "as served"), ("test", "as served"), ("validation", "one by one"), ("validation", "64 at once"),
        ("validation", beside.CUT),
    }  # fmt: skip
    assert all(item["num_same"] == item["num_rows"] and item["largest"] <= 1e-5 for item in found["beside"])
    assert found["verdict"]["outcome"] == record.verdict.outcome
    known = {(score.split, score.name): score.value for score in record.scores if score.source == "finetuned"}
    for score in found["scores"]:
        name = score["metric"] + (f"[{score['label']}]" if score["label"] else "")
        assert score["value"] == pytest.approx(known[score["split"], name], abs=1e-4), name


def test_an_export_is_no_look(exported_folder, judged_folder):
    for name in ("runs/first/data/openings.jsonl", "runs/first/run.json"):
        assert (exported_folder / name).read_bytes() == (judged_folder / name).read_bytes()
    ledgers = [sorted((place / "pretune-home").rglob("*.jsonl")) for place in (exported_folder, judged_folder)]
    assert [file.read_bytes() for file in ledgers[0]] == [file.read_bytes() for file in ledgers[1]]


def test_the_eight_bit_form_is_the_candidate_with_more_answers_of_the_model(exported):
    tried = judged_of(exported, "onnx-int8")["candidates"]
    assert {item["name"] for item in tried} == {"static", "dynamic"}
    same = {item["name"]: sum(part["num_same"] for part in item["beside"]) for item in tried}
    taken = next(item["name"] for item in tried if item["is_taken"])
    assert same[taken] == max(same.values())
    about = json.loads((exported / "export/onnx-int8/export.json").read_text())
    assert about["how"]["quantization"] == taken


ASK = """
import sys, atexit
atexit.register(lambda: print(*sys.modules))
sys.argv[1:] = ["predict", {place!r}, "--json", "a wonderful film", ""]
from pretune.cli.app import main
main()
"""


def test_predict_answers_from_an_export_as_from_the_run_without_torch_and_without_a_trace_at_home(exported, capsys, tmp_path):
    assert call("predict", exported, "--json", "a wonderful film", "") == 0
    wanted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    code = ASK.format(place=str(exported / "export/onnx"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment | {"HOME": str(home)}
    )
    assert done.returncode == 0, done.stderr
    *lines, modules = done.stdout.splitlines()
    for line, other in zip(map(json.loads, lines), wanted, strict=True):
        assert (line["predicted"], line["error"]) == (other["predicted"], other["error"])
        if other["probabilities"] is not None:
            assert line["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    assert {"torch", "transformers", "sklearn", "jinja2", "rich", "safetensors"} & set(modules.split()) == set()
    assert [item for item in home.rglob("*") if item.is_file()] == []


def test_predict_on_a_file_reads_the_columns_of_the_run(exported):
    assert call("predict", exported / "export/onnx", "--file", "reviews.csv", "--output", "a.csv", "--quiet") == 0
    assert call("predict", exported, "--file", "reviews.csv", "--output", "b.csv", "--quiet") == 0
    first, second = (Path(name).read_text().splitlines() for name in ("a.csv", "b.csv"))
    assert [line.split(",")[1] for line in first] == [line.split(",")[1] for line in second]
    assert len(first) == 241


def test_the_code_on_the_card_runs_without_pretune_and_answers_as_predict_does(exported, capsys):
    place = (exported / "export/onnx").resolve()
    code = re.search(r"```python\n(.*?)```", (place / "README.md").read_text(), re.DOTALL)[1]
    blocked = "import sys; sys.modules.update(dict.fromkeys(('pretune', 'torch', 'transformers')))\n"
    done = subprocess.run([sys.executable, "-c", blocked + code], capture_output=True, text=True, cwd=place, check=False)
    assert done.returncode == 0, done.stderr
    assert call("predict", exported, "--json", "a text") == 0
    assert ast.literal_eval(done.stdout)[0] == pytest.approx(json.loads(capsys.readouterr().out)["probabilities"], abs=1e-5)


def test_the_report_and_the_card_name_the_exports(exported):
    page, card = (exported / "report.html").read_text(), (exported / "export/onnx/README.md").read_text()
    assert 'href="export/onnx/"' in page
    assert 'href="export/onnx-int8/"' in page
    assert "## Verdict of this form" in card
    assert "| test | as served | 36 of 36" in card


def test_verify_vouches_for_an_export_and_finds_a_changed_byte(exported, capsys):
    assert call("verify", exported) == 0
    assert "export/onnx/" not in capsys.readouterr().out
    file = exported / "export/onnx/model.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    assert call("verify", exported) == 4
    assert call("predict", exported / "export/onnx", "a text") == 4
    assert "model.onnx is not what was written" in capsys.readouterr().err


def turned(found: Predictions, number: int) -> Predictions:
    """Return predictions of which the first so many are the other class."""
    other = dict(zip(found.classes, found.classes[::-1], strict=True))
    said = tuple(other[item] if place < number else item for place, item in enumerate(found.predicted))
    shares = tuple(row[::-1] if place < number else row for place, row in enumerate(found.probabilities or ()))
    return replace(found, predicted=said, probabilities=shares)


def flip(monkeypatch, number: int):
    """Let an exported form answer otherwise than its model on so many rows of the test."""
    inner = path.predictions_of

    def flipped(scorer, rows, split, trace):
        found = inner(scorer, rows, split, trace)
        return turned(found, number) if split == "test" else found

    monkeypatch.setattr(path, "predictions_of", flipped)


def test_a_form_that_changes_the_verdict_is_refused_and_says_what_it_lost(exported, monkeypatch, capsys):
    flip(monkeypatch, 30)
    before = (exported / "export/onnx-int8/export.json").read_bytes()
    assert call("export", exported, "--to", "onnx-int8", "--quiet") == 2
    told = capsys.readouterr().err
    assert "changes the verdict of first from" in told
    assert "--accept-loss" in told
    assert (exported / "export/onnx-int8/export.json").read_bytes() == before, "what was there is still there"
    assert len((exported / "export/asked.jsonl").read_text().splitlines()) == 1


def test_an_accepted_loss_is_on_card_and_report(exported, monkeypatch, capsys):
    flip(monkeypatch, 30)
    assert call("export", exported, "--to", "onnx-int8", "--accept-loss", "--json", "--quiet") == 0
    found = read_strictly(capsys.readouterr().out)
    assert found["is_loss_accepted"]
    assert found["lost"]
    assert "loss accepted" in (exported / "export/onnx-int8/README.md").read_text()
    assert "lost:" in (exported / "report.html").read_text()


def test_each_other_set_of_answers_is_one_more_model_of_the_opening(judged):
    folder = RunFolder(judged)
    known = read_judged(folder)
    own = known.evidence.find("test", "finetuned")
    first, second = (turned(own, number) for number in (1, 2))

    def asked(item: Predictions) -> int:
        return judge_again(folder, known, "onnx-int8", (item,)).num_models

    assert [asked(own), asked(first), asked(first), asked(second), asked(own)] == [1, 2, 2, 3, 1]
    again = judge_again(folder, known, "onnx-int8", (second,))
    assert {score.confidence for score in again.scores if score.split == "test"} == {known.policy.confidence_at(1, 3)}


def test_a_form_that_is_to_be_exact_and_is_not_is_refused(exported, monkeypatch):
    inner = path.open_export

    def wrong(folder):
        scorer = inner(folder)
        return replace(scorer, run=lambda ids, mask: scorer.run(ids, mask) + np.array([[0.01, 0.0]]))

    monkeypatch.setattr(path, "open_export", wrong)
    shutil.rmtree(exported / "export")
    with pytest.raises(ParityError, match="is another model"):
        export(exported, "onnx")
    assert not (exported / "export/onnx").exists()


def test_an_export_that_is_stopped_leaves_nothing(exported, monkeypatch):
    def stop(*_):
        raise StoppedError("interrupted")

    monkeypatch.setattr(path, "measure_apart", stop)
    shutil.rmtree(exported / "export")
    with pytest.raises(StoppedError):
        export(exported, "onnx")
    assert [item.name for item in (exported / "export").iterdir()] == []


def test_a_run_that_is_not_judged_has_exports_without_a_verdict(finetuned, graph, monkeypatch, capsys):
    quickly(monkeypatch, graph)  # its model is that of the judged run, to the bit
    assert call("export", finetuned, "--quiet") == 0
    told = capsys.readouterr().out
    assert "same answers on validation: 36 of 36" in told
    assert "none: the run was not judged" in told
    assert judged_of(finetuned, "onnx")["verdict"] is None


WRONG = {
    "--to tflite": (["--to", "tflite"], "onnx, onnx-int8, openvino, openvino-int8, torch for a classifier"),
    "a form of chat models": (["--to", "gguf"], "is a classifier"),
    "--precision of a classifier": (["--precision", "f16"], "--precision for a classifier"),
}


@pytest.mark.parametrize("given", WRONG, ids=list(WRONG))
def test_what_does_not_fit_is_one_message(given, judged, capsys):
    words, told = WRONG[given]
    assert call("export", judged, *words) == 2
    assert told in capsys.readouterr().err


def test_a_run_whose_linear_model_was_judged_has_nothing_to_export(judged, monkeypatch):
    record = RunFolder(judged).read_record()
    monkeypatch.setattr(type(record), "judged_source", "linear")
    with pytest.raises(UsageError, match="was judged by linear"):
        export(judged, "onnx")


def test_an_export_is_no_run_and_no_model_to_start_from(exported, capsys):
    place = exported / "export/onnx"
    assert call("judge", place) == 2
    assert call("trace", place, "a text") == 2
    assert call("evaluate", place, "reviews.csv") == 2
    assert capsys.readouterr().err.count("an exported model, which only answers") == 3


@pytest.mark.slow
@pytest.mark.parametrize("form", ["openvino", "openvino-int8", "torch"])
def test_other_forms_give_the_verdict_of_the_model_too(form, copied):
    """Over ten seconds: OpenVINO compiles, and what is measured is asked in processes of its own."""
    if form.startswith("openvino"):
        pytest.importorskip("openvino", reason="needs the extra openvino")
        pytest.importorskip("nncf", reason="needs the extra openvino")
    assert call("export", copied, "--to", form, "--quiet") == 0
    assert judged_of(copied, form)["lost"] == []
    assert call("predict", copied / "export" / form, "a text") == 0
