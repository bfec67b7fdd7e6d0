"""Pushing: what is sent is the judged model and its card, to a private place, once it was agreed to."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import FakeHub
from huggingface_hub import ModelCard, constants
from running import call

from pretune import load_model
from pretune.errors import ModelLoadError
from pretune.tasks.verify import verify

# The hub's package hands large files to its own HTTP client in a way that the client will drop.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload:DeprecationWarning")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub on loopback that the package takes for the hub."""
    server = FakeHub()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "fake-token")
    yield server
    server.shutdown()
    server.server_close()


def say(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return dict(json.loads(capsys.readouterr().out))


def test_the_judged_model_and_its_card_are_sent_and_no_text(judged, hub, capsys, tmp_path):
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 0
    answer = say(capsys)
    assert answer["sent"]
    assert answer["private"]
    assert hub.repos == {"team/reviews": True}
    assert {"README.md", "config.json", "model.safetensors", "pretune.json", "tokenizer.json"} <= hub.files.keys()
    assert hub.files["model.safetensors"] == (judged / "model/model.safetensors").read_bytes()
    assert not any(name.startswith(("data/", "predictions/", "learned", "report")) for name in hub.files)
    texts = [json.loads(line)["text"] for line in (judged / "data/train.jsonl").read_text().splitlines()]
    sent = b"".join(hub.files.values())
    assert not any(text.encode() in sent for text in texts)
    assert str(tmp_path).encode() not in sent, "no folder of this machine"


def test_what_was_sent_loads_and_answers_as_the_run_does(judged, hub, tmp_path):
    assert call("push", str(judged), "team/reviews", "--yes") == 0
    place = tmp_path / "downloaded"
    for name, data in hub.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    texts = ["good film", "bad film"]
    assert load_model(str(place)).predict_proba(texts).tolist() == load_model(str(judged)).predict_proba(texts).tolist()
    assert verify(place).differences == ()
    assert ModelCard.load(place / "README.md").data.license == "unknown"
    assert "team/reviews" in (place / "README.md").read_text()


def test_a_dry_run_asks_nobody_and_shows_every_file(judged, hub, capsys):
    assert call("push", str(judged), "team/reviews", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert hub.requests == []
    for file in ("README.md", "model.safetensors", "pretune.json"):
        assert f"  {file} " in shown
    assert "stays here: data" in shown
    assert "nothing was sent" in shown


def test_what_is_asked_for_is_sent_besides_and_the_sealed_test_never(judged, hub):
    kinds = "report,predictions,data,fingerprints"
    assert call("push", str(judged), "team/reviews", "--yes", "--json", "--include", kinds) == 0
    assert {"report.html", "data/train.jsonl", "predictions/test.finetuned.csv", "learned.texts"} <= hub.files.keys()
    assert not any("sealed" in name for name in hub.files)


def test_without_a_terminal_and_without_yes_nothing_is_sent(judged, hub, capsys):
    assert call("push", str(judged), "team/reviews", "--json") == 2
    assert "--yes" in say(capsys)["error"]["expected"]
    assert hub.requests == []


def test_a_run_that_was_not_judged_is_refused_unless_that_is_said(finetuned, hub, capsys):
    assert call("push", str(finetuned), "team/reviews", "--yes", "--json") == 2
    assert "was not judged" in say(capsys)["error"]["got"]
    assert hub.requests == []
    assert call("push", str(finetuned), "team/reviews", "--yes", "--json", "--unjudged") == 0
    assert "model-index" not in hub.files["README.md"].decode()
    assert "none yet: the test is sealed" in hub.files["README.md"].decode()


def test_a_public_repository_is_not_sent_to_by_accident(judged, hub, capsys):
    hub.repos["team/reviews"] = False
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 2
    assert "is a public repository" in say(capsys)["error"]["got"]
    assert hub.files == {}
    assert call("push", str(judged), "team/reviews", "--yes", "--json", "--public") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no/such/name",), "a name on the hub"),
        (("reviews",), "an owner and a name"),
        (("team/a b",), "a name on the hub"),
        (("team/reviews", "--include", "everything"), "one of report, predictions, data, exports, fingerprints"),
        (("team/reviews", "--language", "English"), "codes of ISO 639"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_sent(judged, hub, capsys, arguments, said):
    assert call("push", str(judged), *arguments, "--yes", "--json") == 2
    assert said in say(capsys)["error"]["expected"]
    assert hub.requests == []


def test_a_model_that_was_changed_since_is_not_sent(judged, hub):
    with (judged / "model/config.json").open("a") as file:
        file.write("\n")
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 4
    assert hub.requests == []


def test_a_hub_that_refuses_is_told_in_one_message(judged, hub, capsys, monkeypatch):
    hub.refuses = 403
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 2
    error = say(capsys)["error"]
    assert error["code"] == "hub"
    assert "quota" in error["got"]
    monkeypatch.setenv("HF_TOKEN", "another")
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 2
    assert "hf auth login" in say(capsys)["error"]["fix"]


def test_a_hub_that_is_not_there_is_told_in_one_message(judged, hub, capsys):
    hub.shutdown()
    hub.server_close()
    assert call("push", str(judged), "team/reviews", "--yes", "--json") == 2
    assert say(capsys)["error"]["code"] == "hub"


def test_what_the_user_says_of_licence_and_language_stands_in_the_metadata(judged, hub, tmp_path):
    assert call("push", str(judged), "team/reviews", "--yes", "--licence", "CC-BY-4.0", "--language", "en,de") == 0
    (tmp_path / "README.md").write_bytes(hub.files["README.md"])
    data = ModelCard.load(tmp_path / "README.md").data
    assert (data.license, data.language) == ("cc-by-4.0", ["en", "de"])


def test_nothing_but_the_command_has_loaded_the_package_of_the_hub():
    code = "from pretune.production.push.send import check_repository, check_reach; check_repository('team/reviews')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_folder_is_not_a_run(tmp_path, capsys):
    (tmp_path / "x").mkdir()
    assert call("push", str(tmp_path / "x"), "team/reviews", "--yes", "--json") == 2
    assert "run" in say(capsys)["error"]["expected"]
    shutil.rmtree(tmp_path / "x")
    with pytest.raises(ModelLoadError):
        load_model(str(Path(tmp_path) / "x"))
