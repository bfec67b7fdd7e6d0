"""The command: the same answers as predict, one message for each bad input, and an end on a signal."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="pretune serve needs the extra serve")

from listening import ask, listening, served_by
from running import call, read_strictly

from pretune import storage
from pretune.errors import MissingPackageError, UsageError
from pretune.production.serve.path import TOKEN, read_token
from pretune.production.serve.served import open_served
from pretune.production.serve.server import open_socket
from pretune.production.serve.watched import open_monitor
from pretune.records import JudgedExport, Outcome
from pretune.run import RunFolder

TEXTS = ["a great wonderful film", "a terrible awful mess", "", "one more\u200b <b>film</b>", "x" * 3000]
GOOD_TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("place", ["runs/first", "runs/first/model", "runs/first/linear"])
@pytest.mark.usefixtures("finetuned")
def test_answers_are_those_of_predict(place, capsys):
    assert call("predict", place, *TEXTS, "--json") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with listening(open_served(place)) as server:
        alone = [ask(server, value={"text": text})[2]["answers"][0] for text in TEXTS]
        together = ask(server, value={"texts": TEXTS})[2]["answers"]
    for found in (alone, together):
        assert [item["predicted"] for item in found] == [item["predicted"] for item in said]
        assert [item["error"] for item in found] == [item["error"] for item in said]
        for item, expected in zip(found, said, strict=True):
            assert item["probabilities"] == (expected["probabilities"] and pytest.approx(expected["probabilities"], abs=2e-6))


@pytest.mark.usefixtures("finetuned")
def test_the_threshold_of_the_model_decides():
    from pretune.models.card import read_card
    from pretune.tasks.classify.predict import predict_texts

    card = read_card(Path("runs/first/model"))
    served = open_served("runs/first")
    with listening(served) as server:
        about = ask(server, "/model")[2]
        found = ask(server, value={"text": TEXTS[0]})[2]["answers"][0]
    assert (about["classes"], about["threshold"], about["positive"]) == (list(card.classes), card.threshold, card.positive)
    assert (about["verdict"], about["max_length"]) == (None, card.max_length)
    assert found["predicted"] == predict_texts("runs/first", [("1", TEXTS[0])])[0]["predicted"]


@pytest.mark.usefixtures("finetuned")
def test_the_layers_are_those_of_trace(capsys):
    assert call("trace", "runs/first", TEXTS[0], "--json") == 0
    said = json.loads(capsys.readouterr().out)
    with listening(open_served("runs/first")) as server:
        found = ask(server, "/trace", {"text": TEXTS[0]})[2]
    assert found["tokens"] == said["tokens"]
    assert found["decision"] == said["decision"]
    assert found["probabilities"] == pytest.approx(said["probabilities"], abs=1e-6)
    assert len(found["layers"]) == len(said["layers"])


@pytest.mark.usefixtures("judged")
def test_a_verdict_is_that_of_what_was_judged():
    outcome = json.loads(Path("runs/first/run.json").read_text())["verdict"]["outcome"]
    found = {place: open_served(f"runs/first{place}") for place in ("", "/model", "/linear")}
    assert {place: served.verdict for place, served in found.items()} == {"": outcome, "/model": outcome, "/linear": None}
    assert [served.run is None for served in found.values()] == [False, False, True]
    monitor, note = open_monitor(found[""])
    assert note == ""
    assert "pretune_watch_looks" in monitor.exposition()
    RunFolder(Path("runs/first")).openings.write_text("")
    assert "not compared with the test" in open_monitor(found[""])[1]


@pytest.mark.usefixtures("judged")
def test_the_verdict_of_an_export_is_its_own_wherever_it_lies(monkeypatch):
    verdict = RunFolder(Path("runs/first")).read_record().verdict
    other = replace(verdict, outcome=Outcome.DO_NOT_SHIP)
    for place, said in (("runs/first/export/onnx", other), ("alone", other), ("runs/first/export/torch", None)):
        judged = JudgedExport(form="onnx", run="first", beside=(), verdict=said)
        storage.replace_json(Path(place) / "judged.json", judged.to_json())
    monkeypatch.setattr("pretune.production.serve.served.open_answering", lambda *_, **__: served_by().answering)
    verdicts = [open_served(place).verdict for place in ("runs/first/export/onnx", "alone", "runs/first/export/torch")]
    assert verdicts == ["do_not_ship", "do_not_ship", None]


def told(capsys, *words):
    assert call("serve", *words, "--json") == 2
    return read_strictly(capsys.readouterr().out)["error"]


@pytest.mark.usefixtures("finetuned")
def test_a_port_that_is_taken_is_told_before_a_model_is_loaded(capsys, monkeypatch):
    monkeypatch.setattr("pretune.production.serve.served.open_answering", lambda *_, **__: pytest.fail("it was loaded"))
    with open_socket("127.0.0.1", 0) as taken:
        taken.listen()
        error = told(capsys, "runs/first", "--port", str(taken.getsockname()[1]))
    assert "is taken" in error["got"]
    assert error["fix"] == "--port 0 takes a free one"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"), (["--port", "70000"], "70000"),
        (["--queue", "5"], "--queue 256"),
        (["--delay", "-1"], "delay"), (["--delay", "nan"], "delay"), (["--batch", "0"], "--batch"),
        (["--token-file", "nowhere"], "nowhere"), (["--log-texts", "runs"], "runs"), (["--threads", "0"], "--threads"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("finetuned")
def test_a_flag_that_cannot_work_is_told_in_one_message(flags, named, capsys):
    code = call("serve", "runs/first", *flags, "--json")
    error = read_strictly(capsys.readouterr().out)["error"]
    assert code in (2, 4)
    assert named in " ".join(error.values())


def test_places_that_cannot_be_served_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talker").mkdir()
    (tmp_path / "talker" / "chat.json").write_text("{}")
    assert told(capsys, "talker")["fix"] == "`pretune chat talker --web` serves it"
    assert "minilm" in told(capsys, "minilm")["got"]
    assert "not there" in told(capsys, "nowhere")["got"]
    (tmp_path / "file.csv").write_text("text,label\n")
    assert "a file" in told(capsys, "file.csv")["got"]


@pytest.mark.usefixtures("finetuned")
def test_a_package_that_is_missing_is_told_with_its_install_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert told(capsys, "runs/first")["fix"] == '`pip install "pretune[serve]"`'


@pytest.mark.usefixtures("finetuned")
def test_a_run_where_torch_is_missing_says_what_needs_none(monkeypatch):
    def fails(*_, **__):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("pretune.production.serve.served.open_answering", fails)
    monkeypatch.setattr("pretune.production.serve.served.find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="--to onnx"):
        open_served("runs/first")


def test_a_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    assert read_token(None) is None
    monkeypatch.setenv(TOKEN, f" {GOOD_TOKEN}\n")
    assert read_token(None) == GOOD_TOKEN
    file = tmp_path / "token"
    file.write_text("another-token-of-length\n")
    assert read_token(str(file)) == "another-token-of-length"


@pytest.mark.parametrize("token", ["", "short", "a token that is long\x00enough", "tökentökentökentöken"])
def test_a_token_that_protects_nothing_is_refused(token, tmp_path):
    file = tmp_path / "token"
    file.write_text(token)
    with pytest.raises(UsageError, match="16 characters"):
        read_token(str(file))


@pytest.mark.usefixtures("finetuned")
def test_the_command_serves_until_a_signal_and_ends_well():
    command = [sys.executable, "-m", "pretune", "serve", "runs/first/linear", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            request = urllib.request.Request(f"{url}predict", b'{"text": "great"}', {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                assert json.load(answer)["answers"][0]["error"] is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
        assert process.stdout.read() == ""
        assert process.stderr.read() == "note: runs/first/linear is not judged\n"


@pytest.mark.usefixtures("finetuned")
def test_a_linear_model_is_served_without_torch():
    shutil.copytree("runs/first/linear", "alone")
    code = (
        "import sys; from pretune.production.serve.app import make_app; from pretune.production.serve.served import open_served"
    )
    code += "; open_served('alone'); print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
