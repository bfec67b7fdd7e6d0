"""The live page's server: for this machine alone, the same events for every viewer, no answer of 500."""

import http.client
import json
import subprocess
import time

import pytest

from pretune.report.live import server as module
from pretune.report.live.feed import Feed
from pretune.report.live.server import LiveServer


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Return ``(server, ask)``; ``ask(path, body=None, **headers)`` gives status, headers and body."""
    monkeypatch.setattr(module, "BETWEEN", 0.01)
    server = LiveServer(0, Feed(), tmp_path / "runs" / "first")
    server.start()

    def ask(path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
        given = {"Content-Type": "application/json"} if body is not None else {}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", path, body=body, headers=given | sent)
        response = connection.getresponse()
        found = response.status, response.headers, response.read()
        connection.close()
        return found

    yield server, ask
    server.feed.close()
    server.shutdown()
    server.server_close()


def stream(server, number):
    """Return so many messages of the event stream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    connection.request("GET", "/events")
    response, found = connection.getresponse(), []
    while len(found) < number:
        line = response.fp.readline()
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    connection.close()
    return found


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/chart.js"])
def test_the_page_is_sent_and_may_load_nothing_from_elsewhere(path, served):
    status, headers, body = served[1](path)
    assert (status, body[:1] != b"") == (200, True)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"innerHTML" not in body


def test_every_viewer_gets_the_events_from_the_beginning(served):
    server, _ = served
    server.feed.hear({"event": "note", "text": "<script>alert(1)</script> \ud800"})
    for _ in range(2):
        first, second = stream(server, 2)
        assert (first["run"], first["mode"]) == ("first", "live")
        assert second["events"][0]["text"] == "<script>alert(1)</script> \ud800"
    deadline = time.monotonic() + 10
    server.feed.hear({"event": "note", "text": "who has gone is noticed at the next event"})
    while server.num_viewers and time.monotonic() < deadline:
        server.feed.hear({"event": "progress", "what": "x", "done": 1, "total": 2, "unit": ""})
        time.sleep(0.05)
    assert (server.num_viewers, server.num_seen) == (0, 2)


def test_the_report_is_there_once_it_is_written(served):
    server, ask = served
    assert ask("/report.html")[0] == 404
    server.run.mkdir(parents=True)
    (server.run / "report.html").write_text("<!doctype html><title>report</title>")
    status, headers, body = ask("/report.html")
    assert (status, body) == (200, b"<!doctype html><title>report</title>")
    assert "connect-src" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"no JSON", 400),
        (b"[" * 100_000, 400),
        (b'{"text": ""}', 400),
        (b'{"text": "a\\u0000b"}', 400),
        (json.dumps({"text": "x" * 5_001}).encode(), 400),
        (b'{"text": "a film"}', 409),
    ],
)
def test_a_text_that_cannot_be_followed_is_refused(body, status, served):
    found, _, said = served[1]("/follow", body)
    assert (found, "error" in json.loads(said)) == (status, True)


def test_other_hosts_other_sites_and_other_paths_are_refused(served):
    _, ask = served
    assert ask("/", Host="example.org")[0] == 403
    assert ask("/events", Origin="http://example.org")[0] == 403
    assert ask("/follow", b'{"text": "a"}', Sec_Fetch_Site="cross-site")[0] == 403
    assert ask("/nosuch")[0] == 404
    assert ask("/nosuch", b"{}")[0] == 404


def test_a_text_goes_through_the_layers_of_the_run_at_hand(served, judged, monkeypatch):
    server, ask = served
    server.run = judged.resolve()
    status, _, body = ask("/follow", json.dumps({"text": "--help a great film"}).encode())
    found = json.loads(body)
    assert status == 200, found
    assert found["decision"] in ("good", "bad")
    assert found["layers"][0]["name"] == "embeddings"
    why = {"got": "nothing is hidden", "expected": "[MASK] in place of a word", "fix": "hide one"}
    refused = subprocess.CompletedProcess([], 2, json.dumps({"error": why}).encode(), b"")
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: refused)
    status, _, body = ask("/follow", b'{"text": "a film"}')
    assert status == 409
    assert "nothing is hidden · expected [MASK] in place of a word · hide one" in json.loads(body)["error"]["message"]
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(OSError("no more processes")))
    assert ask("/follow", b'{"text": "a film"}')[0] == 409
