"""Opening: the requested rows of an audit's table, as cells."""

from typing import Any

from pretune.configs import ReadConfig
from pretune.data.read.path import read_raw
from pretune.data.read.table import RawTable
from pretune.data.read.where import keep_where


def open_table(source: Any, read: ReadConfig, *, role: str = "data") -> RawTable:
    """Return the rows of the judged table that ``--where`` keeps.

    Raises:
        DataError: It is no table, or a column of ``--where`` is not there.
        UsageError: A condition of ``--where`` is none.
    """
    raw = read_raw(source, read=read, role=role)
    keep_where(raw, read.where)
    return raw


def open_further(source: Any, read: ReadConfig, *, role: str = "data") -> RawTable:
    """Return the rows of a further table; conditions of ``--where`` whose column it lacks are left out, and noted."""
    raw = read_raw(source, read=read, role=role)
    keep_where(raw, read.where, is_further=True)
    return raw
