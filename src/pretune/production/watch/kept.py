"""Kept: what was looked at before, in ``RUN/watch``, so that no row and no label is counted twice.

``looks.jsonl`` has one chained line per look, for good. ``recent.json`` has, of the last windows, 8 bytes per row to know it
by, and the numbers of the last texts, which small windows are joined with. It holds no text.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pretune import storage
from pretune.errors import DamagedError
from pretune.production.watch.arrivals import Arrival, Window
from pretune.production.watch.joining import keep
from pretune.production.watch.measured import Measured
from pretune.records import WatchedWindow

LOOKS, RECENT, LOCK = "looks.jsonl", "recent.json", "lock"
MAX_KEPT = 60  # windows whose rows are known one by one
FIX = "remove the run's folder `watch` to begin anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The rows of a window that were counted.

    Args:
        key: Of the window.
        period: Which one; empty for rows that are counted off.
        prints: Of the rows, in order.
        labelled: Of those whose label was counted.
    """

    key: str
    period: str
    prints: tuple[int, ...]
    labelled: tuple[int, ...]

    def is_start_of(self, window: Window) -> bool:
        """Whether a window is this one, as it was or grown."""
        if self.period or window.period:
            return self.period == window.period
        prints = tuple(arrival.print for arrival in window.arrivals)
        size = min(len(prints), len(self.prints))
        return prints[:size] == self.prints[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """What a window has that was not counted.

    Args:
        key: Of the window.
        rows: New ones.
        labelled: Rows, new or counted, whose label is new.
        num_repeated: Rows that were counted.
    """

    key: str
    rows: tuple[Arrival, ...]
    labelled: tuple[Arrival, ...]
    num_repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is known of earlier looks.

    Args:
        looks: In order.
        windows: The last ones.
        joined: Numbers of the last looks' texts, the newest last.
    """

    looks: tuple[WatchedWindow, ...] = ()
    windows: tuple[Known, ...] = ()
    joined: tuple[Measured, ...] = field(default=())

    def looks_at(self, window: Window) -> tuple[WatchedWindow, ...]:
        """Return the earlier looks at a window, if it is just as it was at the last of them."""
        last = next((look for look in reversed(self.looks) if look.digest == window.digest), None)
        return () if last is None else self.looks_of(last.key)

    def looks_of(self, key: str) -> tuple[WatchedWindow, ...]:
        """Return the looks at a window."""
        return tuple(look for look in self.looks if look.key == key)

    def is_forgotten(self, window: Window) -> bool:
        """Whether a window was looked at so long ago that its rows are not known one by one any more."""
        is_known = self.looks_at(window) or any(known.is_start_of(window) for known in self.windows)
        return bool(window.period) and not is_known and bool(self.looks_of(window.period))

    def fresh(self, window: Window) -> Fresh:
        """Return what of a window was not counted before."""
        known = next((item for item in reversed(self.windows) if item.is_start_of(window)), None)
        if known is None:
            labelled = tuple(arrival for arrival in window.arrivals if arrival.row.label is not None)
            return Fresh(key=window.period or window.digest, rows=window.arrivals, labelled=labelled, num_repeated=0)
        rows = tuple(_without(window.arrivals, Counter(known.prints)))
        given = (arrival for arrival in window.arrivals if arrival.row.label is not None)
        labelled = tuple(_without(given, Counter(known.labelled)))
        return Fresh(key=known.key, rows=rows, labelled=labelled, num_repeated=len(window.arrivals) - len(rows))

    def added(self, look: WatchedWindow, window: Window, fresh: Fresh, measured: Measured | None) -> "Kept":
        """Return what is known after a look."""
        before = next((item for item in self.windows if item.key == fresh.key), None)
        now = Known(
            key=fresh.key,
            period=window.period,
            prints=(*(before.prints if before else ()), *(arrival.print for arrival in fresh.rows)),
            labelled=(*(before.labelled if before else ()), *(arrival.print for arrival in fresh.labelled)),
        )
        windows = (*(item for item in self.windows if item.key != fresh.key), now)[-MAX_KEPT:]
        joined = self.joined if measured is None else keep(self.joined, measured)
        return Kept(looks=(*self.looks, look), windows=windows, joined=joined)


def _without(arrivals: Iterable[Arrival], known: Counter[int]) -> Iterator[Arrival]:
    """Yield those that are not known; of rows that are the same, as many as there are more."""
    for arrival in arrivals:
        if known[arrival.print] > 0:
            known[arrival.print] -= 1
        else:
            yield arrival


@contextmanager
def kept_in(folder: Path) -> Iterator[Kept]:
    """Hold other watchers off, and return what is kept in the folder.

    Raises:
        StorageError: It is damaged, or the disk refused.
    """
    storage.make_folder(folder)
    with storage.locked(folder / LOCK):
        yield read_kept(folder)


def read_kept(folder: Path) -> Kept:
    """Return what is kept; what a killed process kept of a look that it never told is left out.

    Raises:
        StorageError: It is damaged.
    """
    path = folder / RECENT
    recent: dict[str, Any] = storage.read_json(path) if path.is_file() else {}
    lines = storage.read_chained(folder / LOOKS)
    try:
        looks = tuple(WatchedWindow.from_json(json.loads(line)) for line in lines)
        states = [_state(state) for state in recent.get("states", ())]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"{folder} is damaged: {error}", expected="what pretune wrote", fix=FIX) from error
    found = next((kept for number, kept in states if number == len(looks)), None)
    if found is None and looks:
        raise DamagedError(f"{path} does not belong to {LOOKS}", expected="files of the same run", fix=FIX)
    return replace(found or Kept(), looks=looks)


def write_kept(folder: Path, before: Kept, after: Kept) -> None:
    """Keep one more look: first how things stand before and after it, then the look, so that a kill leaves either."""
    states = [{"looks": len(kept.looks), **_to_json(kept)} for kept in (before, after)]
    storage.replace(folder / RECENT, json.dumps({"schema": 1, "states": states}))
    storage.append_chained(folder / LOOKS, [json.dumps(after.looks[-1].to_json())])


def _to_json(kept: Kept) -> dict[str, Any]:
    windows = [
        {"key": item.key, "period": item.period, "prints": _packed(item.prints), "labelled": _packed(item.labelled)}
        for item in kept.windows
    ]
    return {"windows": windows, "joined": [part.to_json() for part in kept.joined]}


def _state(value: Mapping[str, Any]) -> tuple[int, Kept]:
    windows = tuple(
        Known(key=item["key"], period=item["period"], prints=_unpacked(item["prints"]), labelled=_unpacked(item["labelled"]))
        for item in value["windows"]
    )
    return value["looks"], Kept(windows=windows, joined=tuple(map(Measured.from_json, value["joined"])))


def _packed(prints: Sequence[int]) -> str:
    return base64.b64encode(np.array(prints, dtype="<u8").tobytes()).decode()


def _unpacked(text: str) -> tuple[int, ...]:
    return tuple(np.frombuffer(base64.b64decode(text), dtype="<u8").tolist())
