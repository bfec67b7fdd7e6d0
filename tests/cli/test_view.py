"""``--live`` and ``pretune view``: a page beside the run, and for a run that is there."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest
from running import call, learning_flags, python

from pretune.cli import viewing

# In a job of the background, as tests may be, Ctrl-C is ignored unless it is asked for.
VIEW = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pretune.__main__ import main; main()"

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def heard(monkeypatch):
    """Return the events that viewers of a command got by its end."""
    found = []
    finish = viewing.Live.finish

    def note(self):
        finish(self)
        found.extend(self._server.feed.after(0, 0)[0])

    monkeypatch.setattr(viewing.Live, "finish", note)
    return found


def test_a_run_is_shown_while_it_trains_and_its_verdict_is_the_exit_code(heard, tiny_checkpoint, capsys):
    flags = learning_flags(tiny_checkpoint("bert"))
    assert call("run", "reviews.csv", "--run", "runs/seen", *flags, "--live", "--live-port", "0", "--json") in (0, 1, 3)
    shown = capsys.readouterr()
    assert re.search(r"live page: http://127\.0\.0\.1:\d+/", shown.err)
    assert json.loads(shown.out)["run"] == "seen"
    names = [event["event"] for event in heard]
    assert names.count("validation") == 3
    assert names.count("step") == len(json.loads(shown.out)["history"]["steps"])
    assert [event["stage"] for event in heard if event["event"] == "stage"][-1] == "report"
    assert names[-1] == "over"


def test_a_run_that_goes_on_shows_what_came_before(judged):
    live = viewing.Live(type("Server", (), {"feed": viewing_feed(), "run": None})())
    live.at(judged)
    live.hear({"event": "note", "text": "and now"})
    names = [event["event"] for event in live._server.feed.after(0, 0)[0]]
    assert (names.count("validation"), names[-1]) == (3, "note")
    assert live._server.run == judged


def viewing_feed():
    from pretune.report.live.feed import Feed

    return Feed()


def test_a_port_that_is_taken_is_named_and_the_usual_one_gives_way(monkeypatch, capsys):
    server = viewing.open_server(lambda port: make_server(port), 0, 0, flag="--port")
    taken = server.server_address[1]
    monkeypatch.setattr(viewing, "PORT", taken)
    with viewing.open_server(make_server, None, taken, flag="--port") as other:
        assert other.server_address[1] != taken
    assert call("run", "reviews.csv", "--live", "--live-port", taken) == 2
    assert f"port {taken} is taken" in capsys.readouterr().err
    server.server_close()


def make_server(port):
    from pretune.report.live.server import LiveServer

    return LiveServer(port, viewing_feed())


def test_a_finished_run_can_be_seen_until_ctrl_c(judged):
    words = python("-c", VIEW, "view", judged, "--port", "0")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())[0]
            assert b"Follow a text" in urllib.request.urlopen(url, timeout=60).read()
            assert b"<!doctype html>" in urllib.request.urlopen(url + "report.html", timeout=60).read().lower()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_what_is_no_run_is_refused(capsys, tmp_path):
    assert call("view", tmp_path / "nosuch") == 2
    assert "Expected: a run folder" in capsys.readouterr().err
