"""The feed: every reader gets every event, whenever it comes; a file is followed as it grows, and where it is replaced."""

import json
import threading
import time

import pytest

from pretune.report.live import feed as module
from pretune.report.live.feed import Feed
from pretune.run.trace import Trace


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(module, "POLL", 0.01)


def names(feed):
    return [event["event"] for event in feed.after(0, 0)[0]]


def wait_for(feed, number):
    deadline = time.monotonic() + 10
    while len(feed.after(0, 0)[0]) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    return names(feed)


def test_a_reader_that_comes_late_gets_all_and_of_progress_the_newest():
    feed = Feed()
    feed.hear({"event": "note", "text": "one"})
    for done in range(3):
        feed.hear({"event": "progress", "what": "fine-tune", "done": done, "total": 3, "unit": "steps"})
    feed.hear({"event": "note", "text": "two"})
    events, progress = feed.after(0, 0)
    assert [event["text"] for event in events] == ["one", "two"]
    assert progress["done"] == 2
    assert feed.after(1, 0)[0] == events[1:]
    assert all(event["time"] > 1e9 for event in events)


def test_a_reader_waits_for_news_and_is_let_go():
    feed = Feed()
    found = []
    reader = threading.Thread(target=lambda: found.append(feed.after(0, 60)))
    reader.start()
    feed.hear({"event": "note", "text": "news"})
    reader.join(10)
    assert found[0][0][0]["text"] == "news"
    reader = threading.Thread(target=lambda: found.append(feed.after(1, 60)))
    reader.start()
    feed.close()
    reader.join(10)
    assert found[1][0] == []
    assert feed.is_over


def test_of_an_update_only_what_is_drawn_is_kept():
    feed = Feed()
    feed.hear({"event": "step", "index": 3, "loss": 0.5, "num_targets": 8, "gradient_norm": 1.0, "learning_rate": 1e-3})
    assert set(feed.after(0, 0)[0][0]) == set(module.OF_A_STEP)


def test_a_file_is_followed_as_it_grows_a_torn_line_is_waited_for_and_another_run_begins_anew(tmp_path):
    path, feed, held = tmp_path / "trace.jsonl", Feed(), [True]
    reader = threading.Thread(target=feed.follow, args=(path, lambda: not held[0]))
    reader.start()
    Trace(path).note("first")
    assert wait_for(feed, 1) == ["note"]
    with path.open("a") as file:
        file.write('{"event": "note", "text"')
        file.flush()
        time.sleep(0.1)
        assert names(feed) == ["note"]
        file.write(': "second", "chain": "ab"}\nno JSON\n[1]\n')
    assert wait_for(feed, 2) == ["note", "note"]
    assert feed.after(1, 0)[0][0] == {"time": feed.after(1, 0)[0][0]["time"], "event": "note", "text": "second"}
    path.write_text(json.dumps({"event": "begun"}) + "\n")
    assert wait_for(feed, 4) == ["note", "note", "replaced", "begun"]
    held[0] = False
    reader.join(10)
    assert names(feed)[-1] == "over"
