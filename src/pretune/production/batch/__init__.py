"""Batches: a run's answers on an engine that hands out parts of a table: Ray Data, Spark, Dask, or a loop."""

from pretune.production.batch.scorer import Scorer

__all__ = ["Scorer"]
