"""Scoring a warehouse: Ray Data, Spark and Dask against `pretune predict --file`, on two cores, with a worker killed.

``python benchmarks/warehouse.py RUN [--rows 1000000] [--name linear]`` scores so many short texts by RUN on each side, and adds
itself to ``results/production-warehouse.json``. Every side starts from the same Parquet file and ends with one.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow.parquet

import production_page
from harness import RESULTS, describe_machine
from pretune.batch import Scorer
from warehouse_page import told

PATH = RESULTS / "production-warehouse.json"
BATCH = 2_048  # as `predict` cuts its rows
WORKERS = 2


class Dying(Scorer):
    """A scorer that kills its own process once, in the middle of its work, as the system does that runs out of memory."""

    def __init__(self, run: str, flag: str, row: int) -> None:
        super().__init__(run, text="text")
        self.flag, self.row = flag, row

    def __call__(self, batch: Any) -> Any:
        if self.flag and (batch["row"] >= self.row).any() and not Path(self.flag).exists():
            os.close(os.open(self.flag, os.O_CREAT | os.O_EXCL))
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(batch)

    def __reduce__(self) -> tuple[Any, ...]:
        return Dying, (self.run, self.flag, self.row)


def _middle(table: Path) -> int:
    return int(pyarrow.parquet.read_metadata(table).num_rows) // 2


def on_ray(run: str, flag: str, table: Path, out: Path) -> None:
    """Score with Ray Data: an actor per core holds the model."""
    import ray

    # An actor holds its core for good, and reading and writing are tasks that want one, too: with none left nothing moves.
    ray.init(num_cpus=2 * WORKERS, include_dashboard=False, log_to_driver=False)
    scored = ray.data.read_parquet(str(table)).map_batches(
        Dying, fn_constructor_args=[run, flag, _middle(table)], concurrency=WORKERS, batch_size=BATCH, batch_format="pandas"
    )
    scored.write_parquet(str(out))
    ray.shutdown()


def on_spark(run: str, flag: str, table: Path, out: Path) -> None:
    """Score with Spark in local mode: a Python process per core; a task may fail four times, as on a cluster."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable  # its workers take python3 of the path otherwise
    spark = (
        SparkSession.builder.master(f"local[{WORKERS}, 4]")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)
        .config("spark.sql.files.maxPartitionBytes", "8m")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    rows, scorer = spark.read.parquet(str(table)), Dying(run, flag, _middle(table))
    rows.mapInPandas(scorer.over, scorer.spark_schema(rows.schema)).write.parquet(str(out))
    spark.stop()


def on_dask(run: str, flag: str, table: Path, out: Path) -> None:
    """Score with Dask distributed: a process per core."""
    import dask.dataframe
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        rows = dask.dataframe.read_parquet(str(table), split_row_groups=True)
        meta = Scorer(run, text="text")(rows._meta)
        rows.map_partitions(Dying(run, flag, _middle(table)), meta=meta).to_parquet(str(out), write_index=False)


ENGINES: dict[str, Callable[[str, str, Path, Path], None]] = {"ray": on_ray, "spark": on_spark, "dask": on_dask}


def make_table(path: Path, num_rows: int) -> None:
    """Write so many short texts, halves of messages of ``sms-spam`` joined, in row groups of the size of `predict`."""
    from pretune import load_data

    texts = [row.text.split() for row in load_data("sms-spam").train]
    draw, rows = random.Random(0), list[str]()
    for _ in range(num_rows):
        first, second = draw.choice(texts), draw.choice(texts)
        rows.append(" ".join([*first[: min(8, len(first) // 2 + 1)], *second[len(second) // 2 :][:8]]))
    pandas.DataFrame({"row": range(num_rows), "text": rows}).to_parquet(path, row_group_size=BATCH, index=False)


def side(name: str, command: list[str]) -> dict[str, float]:
    """Run one side in a process of its own; return seconds of the clock, and of the processor with all its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{name}: exit code {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(seconds, 1), "processor_seconds": round(used, 1)}


def compare(out: Path, known: pandas.DataFrame) -> dict[str, Any]:
    """Hold the answers of an engine against those of ``predict``, row by row."""
    found = pandas.read_parquet(out).sort_values("row").reset_index(drop=True)
    names = [name for name in known.columns if name.startswith("p:")]
    differences = np.abs(found[names].to_numpy() - known[names].to_numpy())
    return {
        "rows": len(found),
        "every_row_once": bool((found["row"].to_numpy() == np.arange(len(known))).all()) and len(found) == len(known),
        "same_answers": float((found["predicted"].to_numpy() == known["predicted"].to_numpy()).mean()),
        "largest_difference": float(np.nanmax(differences)),
        "same_bits": float((differences == 0).all(axis=1).mean()),
    }


def measure(run: str, num_rows: int, engines: list[str]) -> dict[str, Any]:
    """Measure `predict`, then each engine without and with a killed worker, then `predict` again."""
    found: dict[str, Any] = {"run": run, "rows": num_rows, "sides": {}}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        table, answers = Path(folder) / "table.parquet", Path(folder) / "answers.parquet"
        make_table(table, num_rows)
        predict = [sys.executable, "-m", "pretune", "predict", run, "--file", str(table), "--text", "text", "--keep", "row"]
        predict += ["--output", str(answers), "--overwrite", "--quiet"]
        found["sides"]["predict"] = side("predict", predict)
        known = pandas.read_parquet(answers)
        for engine in engines:
            for kills in (False, True):
                name, out = f"{engine}{', a worker killed' if kills else ''}", Path(folder) / f"{engine}-{kills}"
                flag = str(Path(folder) / f"{engine}.killed") if kills else ""
                used = side(name, [sys.executable, __file__, run, str(table), str(out), "--engine", engine, "--flag", flag])
                about = {"killed": Path(flag).exists()} if kills else {}
                found["sides"][name] = used | compare(out, known) | about
                print(name, json.dumps(found["sides"][name]), flush=True)
        found["sides"]["predict again"] = side("predict", predict)
    return found


def main() -> None:
    """Measure, or be one side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--name", default="minilm")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--engine")
    parser.add_argument("--flag", default="")
    given = parser.parse_args()
    run = str(Path(given.run).resolve())
    if given.engine:
        ENGINES[given.engine](run, given.flag, *given.paths)
        return
    found = measure(run, given.rows, given.engines.split(","))
    found |= {"run": Path(run).name, "measured": time.strftime("%Y-%m-%d"), **describe_machine()}
    kept: dict[str, Any] = json.loads(PATH.read_text()) if PATH.exists() else {"row": "production-warehouse"}
    kept |= {given.name: found, **describe_machine(), "measured": found["measured"]}
    PATH.write_text(json.dumps(kept | told(kept), indent=1) + "\n")
    production_page.write()


if __name__ == "__main__":
    main()
