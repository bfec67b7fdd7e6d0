"""A server's own traffic: full windows are compared, gauges say what was found, and nothing grows without end."""

import numpy as np
import pytest
from watch_files import shifted

from pretune.production.watch import Monitor, exposition, gauges_of, open_monitor
from pretune.production.watch.gauges import Gauge
from pretune.tasks.classify.predict import Answer
from tiny import make_rows
from watching import CLASSES, NEW, draw_reference, draw_texts


def answers(num, seed=0, *, share_new=0.0):
    generator = np.random.default_rng(seed)
    texts = draw_texts(num, generator, share_new=share_new, new=NEW)
    return [
        Answer(id=str(number), text=text, predicted=CLASSES[generator.random() < 0.15], shares=(0.9, 0.9))
        for number, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def reference():
    drawn = draw_reference()
    measured = drawn.measure(
        [answer_row(text) for text in drawn.texts],
        [CLASSES[number] for number in drawn.measured.predicted],
        np.full(len(drawn.texts), 0.9),
    )
    return type(drawn)(**{name: getattr(drawn, name) for name in drawn.__slots__} | {"measured": measured})


def answer_row(text):
    from pretune.records import Example

    return Example(id=text, text=text)


def test_a_window_is_looked_at_once_it_is_full(reference):
    monitor = Monitor(reference, num_rows=200)
    assert not monitor.add(answers(150))
    assert monitor.look() is None
    assert monitor.add(answers(150, 1))
    found = monitor.look()
    assert (found.num_rows, found.window, found.is_alarm, monitor.num_looks) == (200, "answers 1 to 200", False, 1)
    assert monitor.look() is None, "100 answers wait"


def test_a_shift_in_traffic_raises_the_gauge(reference):
    monitor = Monitor(reference, num_rows=2_000)
    assert "pretune_watch_alarm" not in monitor.exposition()
    monitor.add(answers(2_000))
    monitor.look()
    assert "pretune_watch_alarm 0.0\n" in monitor.exposition()
    monitor.add(answers(2_000, 1, share_new=0.05))
    assert monitor.look().is_alarm
    assert "pretune_watch_alarm 1.0\n" in monitor.exposition()
    assert "pretune_watch_looks 2.0\n" in monitor.exposition()


def test_what_nobody_looks_at_does_not_grow_without_end(reference):
    monitor = Monitor(reference, num_rows=50)
    for seed in range(10):
        monitor.add(answers(50, seed))
    assert monitor.num_dropped == 300
    looked = 0
    while monitor.look() is not None:
        looked += 1
    assert looked == 4


def test_a_text_without_an_answer_is_no_text(reference):
    monitor = Monitor(reference, num_rows=50)
    monitor.add([Answer(id="1", text="", reason="the text is empty")] * 80)
    assert monitor.look() is None


def test_the_exposition_is_what_prometheus_reads(reference):
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    monitor = Monitor(reference, num_rows=500)
    monitor.add(answers(500))
    monitor.look()
    families = {family.name: family for family in parser.text_string_to_metric_families(monitor.exposition())}
    assert families["pretune_watch_signal_now"].type == "gauge"
    assert {sample.labels["signal"] for sample in families["pretune_watch_signal_now"].samples} >= {"length", "alerts"}


def test_names_of_classes_cannot_break_out_of_a_label():
    shown = exposition([Gauge("pretune_watch_figure", 1.0, {"figure": 'recall["a\\\n"]'})])
    assert shown.splitlines()[-1] == 'pretune_watch_figure{figure="recall[\\"a\\\\\\n\\"]"} 1.0'


def test_no_look_has_no_gauge_but_their_number():
    assert [gauge.name for gauge in gauges_of(None, 0)] == ["pretune_watch_looks"]


def test_a_run_gives_its_monitor(watched):
    from pretune.tasks.classify.predict import answer_lines, open_answering

    monitor = open_monitor(str(watched), num_rows=200)
    texts = [text for text, _ in shifted(make_rows(200, seed=7))]
    for part in answer_lines(open_answering(str(watched)), texts):
        monitor.add(part)
    assert monitor.look().is_alarm
