"""Trackio: the Space or server that ``TRACKIO_SPACE_ID`` or ``TRACKIO_SERVER_URL`` names, or else its own local store."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

from pretune.production.log.points import About, Ending, Point

PROJECT = "pretune"
REMOTE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


class Trackio:
    """One run in Trackio.

    Args:
        about: The run. A log that is continued is the newest one of the same name.
    """

    def __init__(self, about: About) -> None:
        with _unheard(), _unasked():
            import trackio

            self._run: Any = trackio.init(
                PROJECT,
                about.run,
                config=about.parameters,
                resume="allow" if about.is_resumed else "never",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def known(self) -> set[tuple[str, int]]:
        """Return the metrics that the local store holds."""
        from trackio.sqlite_storage import SQLiteStorage

        rows = SQLiteStorage.get_logs(PROJECT, self._run.name, run_id=self._run.id)
        return {(name, row["step"]) for row in rows for name in row if name not in ("step", "timestamp")}

    def write(self, points: list[Point]) -> None:
        """Add metrics."""
        for point in points:
            self._run.log(point.values, step=point.step)

    def finish(self, ending: Ending) -> None:
        """Add figures, facts and files, and wait for Trackio to write them."""
        import trackio

        if ending.figures or ending.facts:
            self._run.log({**ending.figures, **ending.facts, **ending.parameters})
        with _unheard():
            if ending.files:
                artifact = trackio.Artifact(name=f"{self._run.name}-report", type="report")
                for file in ending.files:
                    artifact.add_file(file)
                self._run.log_artifact(artifact)
            trackio.finish()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Keep what Trackio prints off standard output, which belongs to results."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def _unasked() -> Iterator[None]:
    """Keep a local log from asking the hub who the user is, as Trackio does wherever there is a token."""
    from trackio import run

    kept, is_remote = getattr(run, "_get_default_namespace", None), any(map(os.environ.get, REMOTE))
    if kept is None or is_remote:
        yield
        return
    run._get_default_namespace = lambda: None
    try:
        yield
    finally:
        run._get_default_namespace = kept
