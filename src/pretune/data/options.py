"""Options of ``load_data`` and ``load_conversations``: from what Python wrote to the configs of reading and splitting."""

from collections.abc import Mapping
from typing import Any

from pretune.configs import ReadConfig, SplitConfig
from pretune.data.read.memory import names_of

# Options that are about the split, and the field of its config that each sets.
SPLIT_OPTIONS = {"split_seed": "seed", "keep_leaks": "keep_leaks", "repair": "repair", "time": "time"}


def read_options(source: Any, columns: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[ReadConfig, SplitConfig]:
    """Return how the source is read and split.

    Args:
        source: What is read: the columns of a data frame may be given by number.
        columns: ``text``, ``label`` and ``group``, as given.
        options: All others, by name.

    Raises:
        UsageError: An option has the wrong type.
    """
    given = dict(options)
    split = SplitConfig(**{field: given.pop(name) for name, field in SPLIT_OPTIONS.items() if name in given})
    where = given.pop("where", ())
    read = ReadConfig(
        text=names_of(columns["text"], source, "text"),
        label=next(iter(names_of(columns["label"], source, "label")), None),
        group=next(iter(names_of(columns["group"], source, "group")), None),
        where=(where,) if isinstance(where, str) else tuple(where),
        **given,
    )
    return read, split
