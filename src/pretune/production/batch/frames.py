"""Frames: batches as engines hand them out, read and given back in the same kind; none of their packages is loaded to know."""

import sys
from collections.abc import Mapping
from typing import Any

from pretune.data.read.memory import is_frame
from pretune.errors import UsageError

Batch = Any  # a pandas data frame, a table of pyarrow, or a dict of columns


def columns_of(batch: Batch) -> Any:
    """Return a batch as what ``read_memory`` reads.

    Raises:
        UsageError: It is no batch.
    """
    if is_frame(batch):
        return batch
    if _is_arrow(batch):
        return batch.to_pydict()
    if isinstance(batch, Mapping) and batch:
        return batch
    raise UsageError(
        f"a batch is a {type(batch).__name__}",
        expected="a pandas data frame, a table of pyarrow, or a dict of columns",
        fix="batch_format='pandas' makes Ray hand out data frames",
    )


def with_columns(batch: Batch, added: Mapping[str, list[Any]]) -> Batch:
    """Return a batch with further columns: text where the values are, else float64."""
    if is_frame(batch):
        pandas = sys.modules["pandas"]
        # text by name: of a column of objects without a value, Dask cannot tell what to write
        kinds = {name: "float64" if name.startswith("p:") else "string" for name in added}
        new = {name: pandas.Series(values, index=batch.index, dtype=kinds[name]) for name, values in added.items()}
        return pandas.concat([batch, pandas.DataFrame(new, index=batch.index)], axis=1)
    if _is_arrow(batch):
        pyarrow = sys.modules["pyarrow"]
        for name, values in added.items():
            kind = pyarrow.float64() if name.startswith("p:") else pyarrow.string()
            batch = batch.append_column(name, pyarrow.array(values, type=kind))
        return batch
    import numpy as np

    kept = {name: np.array(values, dtype=np.float64 if name.startswith("p:") else object) for name, values in added.items()}
    return {**batch, **kept}


def _is_arrow(batch: Batch) -> bool:
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(batch, pyarrow.Table)
