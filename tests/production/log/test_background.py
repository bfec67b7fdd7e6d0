"""A log in the background: what it is told, that nothing is written twice, and that its failure is no failure of the run."""

import logging
import threading

import pytest

from pretune.production.log import background
from pretune.production.log.background import Background
from pretune.production.log.points import Ending, Point


class Memory:
    """A logger that keeps what it is told.

    Args:
        known: Marks that are there already.
        fails: Name of the method that raises.
        waits: An event that ``write`` waits for.
    """

    def __init__(self, known=(), fails="", waits=None):
        self.points, self.ending, self._known, self._fails, self._waits = [], None, set(known), fails, waits
        self._may_fail("open")

    def _may_fail(self, name):
        if self._fails == name:
            raise OSError("the disk is full")

    def known(self):
        self._may_fail("known")
        return self._known

    def write(self, points):
        if self._waits is not None:
            self._waits.wait(20)
        self._may_fail("write")
        self.points += points

    def finish(self, ending):
        self._may_fail("finish")
        self.ending = ending


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(background, "SECONDS_GATHERED", 0.01)


def point(step, name="training/loss"):
    return Point(step=step, values={name: float(step)})


def keep(memory, *points, ending=None):
    log = Background("memory", lambda: memory)
    for item in points:
        log.tell(item)
    log.end(ending or Ending(status="judged"))
    log.wait(20)
    return [item.mark for item in memory.points]


def test_points_arrive_in_order_and_the_ending_last():
    memory, ending = Memory(), Ending(status="judged", figures={"a": 1.0})
    assert keep(memory, *map(point, range(5)), ending=ending) == [("training/loss", step) for step in range(5)]
    assert memory.ending is ending


def test_a_point_that_is_there_already_is_not_written_again():
    assert keep(Memory(known=[("training/loss", 1)]), point(0), point(1), point(2), point(2)) == [
        ("training/loss", 0), ("training/loss", 2),
    ]  # fmt: skip


def test_points_that_were_missed_are_written_at_the_end_once():
    ending = Ending(status="judged", points=(point(0), point(1), point(2)))
    assert keep(Memory(), point(1), ending=ending) == [("training/loss", 1), ("training/loss", 0), ("training/loss", 2)]


def test_two_series_at_one_step_are_two_points():
    assert len(keep(Memory(), point(3), point(3, "validation/loss"))) == 2


def test_a_run_that_was_refused_opens_no_log():
    log = Background("memory", lambda: pytest.fail("opened"))
    log.end(Ending(status="failed"))
    log.wait(20)


@pytest.mark.parametrize("place", ["open", "known", "write", "finish"])
def test_a_failure_is_told_once_and_ends_nothing(place, caplog):
    log = Background("memory", lambda: Memory(fails=place))
    with caplog.at_level(logging.WARNING):
        log.tell(point(0))
        log.end(Ending(status="judged"))
        log.wait(20)
        log.tell(point(1))
        log.end(Ending(status="judged"))
        log.wait(20)
    assert [record.getMessage() for record in caplog.records] == [
        "--log memory: OSError: the disk is full. The run itself is not affected"
    ]


def test_a_log_that_does_not_end_is_given_up(caplog):
    stuck = threading.Event()
    log = Background("memory", lambda: Memory(waits=stuck))
    with caplog.at_level(logging.WARNING):
        log.tell(point(0))
        log.end(Ending(status="judged"))
        log.wait(0.1)
    stuck.set()
    assert "it is not done 0 s after the run" in caplog.text


def test_a_log_that_takes_nothing_any_more_costs_no_memory_without_end(caplog, monkeypatch):
    monkeypatch.setattr(background, "MAX_WAITING", 3)
    stuck = threading.Event()
    log = Background("memory", lambda: Memory(waits=stuck))
    with caplog.at_level(logging.WARNING):
        for step in range(50):
            log.tell(point(step))
            if step == 0:
                threading.Event().wait(0.2)  # until it hangs in its first write
    stuck.set()
    assert "it has not taken the last 3 points" in caplog.text
    assert len(caplog.records) == 1
