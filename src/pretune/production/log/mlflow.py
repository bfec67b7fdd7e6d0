"""MLflow: the tracking server that ``MLFLOW_TRACKING_URI`` names, or else a database of SQLite beside the run."""

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from pretune.production.log.points import About, Ending, Point

DATABASE, FILES = "mlflow.db", "mlflow-files"  # beside the run
EXPERIMENT = "pretune"  # unless MLFLOW_EXPERIMENT_NAME says otherwise
MAX_PARAMETERS, MAX_NUMBERS, MAX_TEXT = 100, 1_000, 500  # in one request, and characters of a value
PLACE = "pretune.place"  # tag by which the run of a folder is found again
STATUS = {"failed": "FAILED", "interrupted": "KILLED"}


class MlFlow:
    """One run in MLflow.

    Args:
        about: The run. A log that is continued is the newest one of the same folder.
    """

    def __init__(self, about: About) -> None:
        from mlflow.tracking import MlflowClient

        self._asked = os.environ.get("MLFLOW_TRACKING_URI")
        self._client: Any = MlflowClient(self._asked or f"sqlite:///{about.beside / DATABASE}")
        self._about, self._place = about, sha256(str(about.path.resolve()).encode()).hexdigest()[:16]
        experiment = self._experiment()
        found = self._find(experiment) if about.is_resumed else None
        self._known = self._read(found) if found else set()
        self._id = found or self._client.create_run(experiment, run_name=about.run, tags={PLACE: self._place}).info.run_id
        if found:
            self._client.update_run(found, status="RUNNING")
        self._tell_parameters(about.parameters)

    def known(self) -> set[tuple[str, int]]:
        """Return the metrics that the store holds."""
        return self._known

    def write(self, points: list[Point]) -> None:
        """Add metrics."""
        self._log((name, value, point.time, point.step) for point in points for name, value in point.values.items())

    def finish(self, ending: Ending) -> None:
        """Add figures as metrics of the look, facts as tags, files as artifacts; end the run."""
        self._tell_parameters(ending.parameters)
        look, now = int(ending.facts.get("look", 0)), Point(step=0, values={}).time
        self._log((name, value, now, look) for name, value in ending.figures.items())
        for name, value in ending.facts.items():
            self._client.set_tag(self._id, f"pretune.{name}", value[:MAX_TEXT])
        if ending.text:
            self._client.set_tag(self._id, "mlflow.note.content", ending.text)
        for file in ending.files:
            self._client.log_artifact(self._id, str(file))
        self._client.set_terminated(self._id, STATUS.get(ending.status, "FINISHED"))

    def _log(self, numbers: Iterable[tuple[str, float, float, int]]) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(name, value, int(1000 * seconds), step) for name, value, seconds, step in numbers]
        for start in range(0, len(metrics), MAX_NUMBERS):
            self._client.log_batch(self._id, metrics=metrics[start : start + MAX_NUMBERS])

    def _tell_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Add parameters; those that a run has already stay as they are, since MLflow changes none."""
        from mlflow.entities import Param

        there: Mapping[str, str] = self._client.get_run(self._id).data.params
        fresh = [Param(name, str(value)[:MAX_TEXT]) for name, value in parameters.items() if name not in there]
        for start in range(0, len(fresh), MAX_PARAMETERS):
            self._client.log_batch(self._id, params=fresh[start : start + MAX_PARAMETERS])

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        known = self._client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        files = None if self._asked else (self._about.beside / FILES).as_uri()
        return str(self._client.create_experiment(name, artifact_location=files))

    def _find(self, experiment: str) -> str | None:
        wanted, order = f"tags.`{PLACE}` = '{self._place}'", ["attributes.start_time DESC"]
        found = self._client.search_runs([experiment], filter_string=wanted, order_by=order, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _read(self, run: str) -> set[tuple[str, int]]:
        names = self._client.get_run(run).data.metrics
        return {(name, item.step) for name in names for item in self._client.get_metric_history(run, name)}
