"""Viewers: 10 of them, 100 reloads and a run that is cut off and resumed. Does each get every event, once and in order?"""

import http.client
import json
import threading

import pytest

from pretune.report.live import feed as feeds, server as module
from pretune.report.live.feed import Feed
from pretune.report.live.server import LiveServer

NUM_VIEWERS, NUM_RELOADS, NUM_EVENTS = 10, 100, 600


def lines_of(first, last):
    """Return lines of a trace: what is trained in one go."""
    events = [
        {"event": "begun", "time": 0.0},
        *({"event": "step", "index": index, "loss": 1 / (index + 1)} for index in range(first, last)),
    ]
    return [json.dumps({**event, "time": 1000.0 + place}).encode() + b"\n" for place, event in enumerate(events)]


def read_events(port, number):
    """Read the stream as a page does that was just loaded, until it has so many events."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/events")
    response, found = connection.getresponse(), []
    while len(found) < number:
        line = response.fp.readline()
        assert line, "the stream ended early"
        if line.startswith(b"data: "):
            found += json.loads(line[6:]).get("events", [])
    connection.close()
    return [(event["event"], event.get("index")) for event in found]


@pytest.fixture
def followed(tmp_path, monkeypatch):
    """A trace of another process, and the port of the server that follows it."""
    monkeypatch.setattr(module, "BETWEEN", 0.01)
    monkeypatch.setattr(feeds, "POLL", 0.01)
    trace, feed = tmp_path / "trace.jsonl", Feed()
    server = LiveServer(0, feed, tmp_path, mode="view")
    server.start()
    threading.Thread(target=feed.follow, args=(trace, lambda: False), daemon=True).start()
    yield trace, server.server_address[1]
    feed.close()
    server.shutdown()
    server.server_close()


def test_ten_viewers_a_hundred_reloads_and_a_resumed_run_lose_nothing(followed):
    trace, port = followed
    killed, resumed = lines_of(0, NUM_EVENTS), lines_of(NUM_EVENTS // 2, 2 * NUM_EVENTS)
    wanted = [(json.loads(line)["event"], json.loads(line).get("index")) for line in (*killed[:-1], *resumed)]
    got, faults = [], []

    def view(number, times):
        try:
            got.extend(read_events(port, number) for _ in range(times))
        except Exception as error:
            faults.append(error)

    def start(count, number, times=1):
        threads = [threading.Thread(target=view, args=(number, times)) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads

    open_all_the_time = start(NUM_VIEWERS, len(wanted))
    with trace.open("ab", buffering=0) as file:
        for line in killed[:-1]:
            file.write(line)
        reloading = start(NUM_VIEWERS, len(killed) - 1, times=NUM_RELOADS // NUM_VIEWERS)
        file.write(killed[-1][:20])  # the process is killed while it writes
        for thread in reloading:
            thread.join(60)
        file.truncate(sum(map(len, killed[:-1])))  # a resumed run takes the torn line away
        for line in resumed:
            file.write(line)
    for thread in open_all_the_time:
        thread.join(60)

    assert not faults
    assert len(got) == NUM_VIEWERS + NUM_RELOADS
    assert all(events == wanted[: len(events)] for events in got)
    assert sorted(map(len, got)) == [len(killed) - 1] * NUM_RELOADS + [len(wanted)] * NUM_VIEWERS
