"""The scorer on real engines: every row once, the answers of a loop."""

import sys

import pandas
import pytest

from pretune.batch import Scorer
from tiny import make_rows

pytestmark = [
    pytest.mark.slow,  # engines take ten seconds and more to start
    pytest.mark.filterwarnings("ignore"),  # those of engines about their own parts, and about pandas 3
]


@pytest.fixture
def frame():
    return pandas.DataFrame({"row": range(400), "Critique (text)": [text for text, _ in make_rows(400, seed=3)]})


def check(found, frame, judged):
    whole = Scorer(judged.resolve())(frame)
    found = found.sort_values("row").reset_index(drop=True)
    assert found["row"].tolist() == list(range(400))
    assert found["predicted"].tolist() == whole["predicted"].tolist()
    assert (found["p:good"] - whole["p:good"]).abs().max() < 1e-6


def test_on_ray(judged, frame):
    ray = pytest.importorskip("ray", reason="ray is not installed (requirements/production.txt)")
    data = pytest.importorskip("ray.data", reason="ray[data] is not installed")
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)  # two for the actors, two for what cuts the table
    try:
        rows = data.from_pandas(frame).repartition(4)
        scored = rows.map_batches(
            Scorer, fn_constructor_args=[str(judged.resolve())], concurrency=2, batch_size=100, batch_format="pandas"
        )
        check(scored.to_pandas(), frame, judged)
    finally:
        ray.shutdown()


def test_on_spark(judged, frame, monkeypatch):
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (requirements/production.txt)")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)  # its workers take python3 of the path otherwise
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        rows, scorer = spark.createDataFrame(frame).repartition(4), Scorer(judged.resolve())
        check(rows.mapInPandas(scorer.over, scorer.spark_schema(rows.schema)).toPandas(), frame, judged)
    finally:
        spark.stop()


def test_on_dask(judged, frame):
    dask = pytest.importorskip("dask.dataframe", reason="dask is not installed (requirements/production.txt)")
    scorer = Scorer(judged.resolve())
    scored = dask.from_pandas(frame, npartitions=4).map_partitions(scorer, meta=scorer(frame.iloc[:0]))
    check(scored.compute(scheduler="sync"), frame, judged)
