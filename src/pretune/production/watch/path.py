"""The whole path of `pretune watch`: the test, the file, each window that is new, what was found, the page."""

from pathlib import Path

from pretune import storage
from pretune.configs import ReadConfig
from pretune.production.watch.arrivals import Arrivals, Cut, read_arrivals
from pretune.production.watch.budget import METHOD
from pretune.production.watch.figures import claims_of, not_watched
from pretune.production.watch.kept import Kept, kept_in, write_kept
from pretune.production.watch.one_look import Watcher, look_at
from pretune.production.watch.reference import FOLDER, read_reference
from pretune.records import WatchedWindow, WatchReport
from pretune.report.page.watch import render_watch
from pretune.run import RunFolder, check_run
from pretune.run.trace import Trace
from pretune.tasks.classify.predict import open_answering
from pretune.tasks.places import require_run

PAGE = "report.html"


def watch_file(run: str, file: str, config: ReadConfig, cut: Cut, trace: Trace) -> tuple[WatchReport, Path]:
    """Look at every window of a file that is new, and keep what was found in ``RUN/watch``.

    Args:
        run: A judged run.
        file: The texts of production.
        config: How the file is read; its label is the column of labels, where there are some.
        cut: How the file is cut into windows.
        trace: Receives progress and notes.

    Returns:
        What was found in the windows of the file, and the page.

    Raises:
        UsageError: The run was not judged, or the windows cannot be cut so.
        DataError: The file cannot be read.
        StorageError: A file of the run is damaged, or the disk refused.
    """
    folder, record = require_run(run)
    check_run(folder, record)
    answering = open_answering(run)
    place = folder.path / FOLDER
    with kept_in(place) as kept:
        reference = read_reference(folder, record, answering)
        claims = claims_of(record, reference) if config.label is not None else ()
        watcher = Watcher(reference=reference, claims=claims, answering=answering, source=file, trace=trace)
        known = record.receipt.columns if record.receipt is not None else None
        arrivals = read_arrivals(answering, file, config, cut, known)
        for note in arrivals.notes:
            trace.note(note)
        if config.label is not None and (unwatched := not_watched(record)):
            trace.note(f"labels are not held against {', '.join(unwatched)}")
        report, kept = _look_at_all(watcher, folder, kept, arrivals)
        storage.replace(place / PAGE, render_watch(report, kept.looks))
    return report, place / PAGE


def _look_at_all(watcher: Watcher, folder: RunFolder, kept: Kept, arrivals: Arrivals) -> tuple[WatchReport, Kept]:
    shown, notes, before = list[WatchedWindow](), list(arrivals.notes), len(kept.looks)
    for number, window in enumerate(arrivals.windows, start=1):
        if kept.is_forgotten(window):
            notes.append(f"{window.name} was looked at long ago: new rows of it are left out")
            continue
        fresh = kept.fresh(window)
        if not kept.looks_at(window) and (fresh.rows or fresh.labelled):
            look, measured = look_at(watcher, kept, window, fresh, arrivals)
            after = kept.added(look, window, fresh, measured)
            write_kept(folder.path / FOLDER, kept, after)
            kept = after
        shown += kept.looks_at(window) or kept.looks_of(fresh.key)
        watcher.trace.progress("looking at windows", number, len(arrivals.windows), "windows")
    report = WatchReport(
        run=str(folder.path),
        source=watcher.source,
        windows=tuple(shown),
        num_new=len(kept.looks) - before,
        num_looks=len(kept.looks),
        num_reference=len(watcher.reference.texts),
        method=METHOD,
        notes=tuple(notes),
    )
    return report, kept
