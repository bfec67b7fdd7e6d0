"""A process that logs to a real logger, perhaps until it kills itself, and one that reads what is there back.

Usage: ``logged.py NAME write FIRST LAST [--resume] [--kill]`` or ``logged.py NAME read``, in the folder that has ``runs``.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

RUN = Path("runs/first")
Row = tuple[str, int, float]


def write(name: str, first: int, last: int, *, is_resumed: bool, is_killed: bool) -> None:
    """Log the steps from first to last."""
    from pretune.production.log.open import _begin, _prepare, open_logs
    from pretune.production.log.points import About, Ending, point_of
    from pretune.run import RunFolder

    RUN.mkdir(parents=True, exist_ok=True)
    (RUN / "report.html").write_text("<p>report</p>")
    _prepare((name,))
    settings = {"seed": 1, "model": "tiny", "finetune": {"lora": None}}
    steps = ({"event": "step", "index": step, "loss": 1 / (step + 1), "learning_rate": 0.1} for step in range(first, last))
    if is_killed:
        log = _begin(name, About(run="first", path=RUN, parameters={"seed": 1, "model": "tiny"}))
        log.write([point for event in steps if (point := point_of(event)) is not None])
        while name == "trackio" and not log.known():  # which writes behind
            time.sleep(0.1)
        os._exit(9)
    logs = open_logs((name,), RunFolder(RUN), settings, is_resumed=is_resumed)
    for event in steps:
        logs(event)
    ending = Ending(
        status="judged",
        parameters={"epochs": 3},
        facts={"verdict": "ship", "look": "1"},
        figures={"test/accuracy": 0.9, "test/accuracy.low": 0.8},
        text="# Card",
        files=((RUN / "report.html").resolve(),),
    )
    logs._close(ending)


def read_tensorboard() -> tuple[list[Row], dict[str, Any]]:
    """Return scalars and texts, as TensorBoard's own reader has them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator("runs/tensorboard/first", size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    rows = [(name, item.step, item.value) for name in events.Tags()["scalars"] for item in events.Scalars(name)]
    texts = {name: str(events.Tensors(name)[-1].tensor_proto.string_val) for name in events.Tags()["tensors"]}
    return rows, {"parameters": texts["parameters/text_summary"], "verdict": texts.get("ending/text_summary", "")}


def read_mlflow() -> tuple[list[Row], dict[str, Any]]:
    """Return metrics and tags, as MLflow's client has them; a second run would be an error."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{Path('runs').resolve() / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("pretune")
    (run,) = client.search_runs([experiment.experiment_id])
    id_ = run.info.run_id
    rows = [(name, item.step, item.value) for name in run.data.metrics for item in client.get_metric_history(id_, name)]
    files = [item.path for item in client.list_artifacts(id_)]
    about = {"parameters": str(run.data.params), "verdict": run.data.tags.get("pretune.verdict", ""), "files": files}
    return rows, {**about, "status": run.info.status}


def read_trackio() -> tuple[list[Row], dict[str, Any]]:
    """Return metrics and the settings, from Trackio's own store; a second run would be an error."""
    from trackio.sqlite_storage import SQLiteStorage

    (run,) = SQLiteStorage.get_run_records("pretune")
    logs = SQLiteStorage.get_logs("pretune", run["name"], run_id=run["id"])
    rows = [(name, row["step"], value) for row in logs for name, value in row.items() if isinstance(value, float)]
    verdict = next((row["verdict"] for row in logs if "verdict" in row), "")
    return rows, {"parameters": str(SQLiteStorage.get_run_config("pretune", "first", run_id=run["id"])), "verdict": verdict}


def read_wandb() -> tuple[list[Row], dict[str, Any]]:
    """Return the history and the summary from the files of an offline run, by wandb's own records; all parts have one id."""
    from wandb.proto import wandb_internal_pb2

    from pretune.production.log.wandb import _records

    rows, about, ids = [], dict[str, Any](), set()
    for file in sorted(Path("runs/wandb").glob("offline-run-*/*.wandb")):
        ids.add(file.stem)
        for data in _records(file.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                values = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
                rows += [(name, values["step"], value) for name, value in values.items() if "/" in name]
            if record.WhichOneof("record_type") == "run":
                about["parameters"] = str([(item.key, item.value_json) for item in record.run.config.update])
            if record.WhichOneof("record_type") == "summary":
                about |= {item.key or "/".join(item.nested_key): item.value_json.strip('"') for item in record.summary.update}
    assert len(ids) == 1, ids
    return rows, about


if __name__ == "__main__":
    name, what, *rest = sys.argv[1:]
    if what == "write":
        write(name, int(rest[0]), int(rest[1]), is_resumed="--resume" in rest, is_killed="--kill" in rest)
    else:
        rows, about = globals()[f"read_{name}"]()
        sys.stdout.write(json.dumps({"rows": rows, **about}))
