"""Scoring a warehouse: ``pretune.batch.Scorer`` answers the batches that Ray Data, Spark or Dask hand out."""

from pretune.production.batch import Scorer

__all__ = ["Scorer"]
