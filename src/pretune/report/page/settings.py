"""The settings of a run as one table: those that differ from the defaults first, the rest folded."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pretune.configs import ConverseRunConfig, RunConfig
from pretune.records import RunRecord

WHOLE_RUN = "run"  # what belongs to no stage
UNSET: tuple[Any, ...] = (None, "", [], (), {})
DEFAULTS = {"classify": RunConfig, "converse": ConverseRunConfig}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the stage, its name and value, and whether it is what it is without being named."""

    stage: str
    name: str
    value: str
    is_usual: bool


def list_settings(record: RunRecord) -> tuple[Setting, ...]:
    """Return every setting that has a value, by stage."""
    make = DEFAULTS.get(record.task)
    usual = make().to_json() if make is not None else {}
    found = [
        Setting(stage, name, _write(value), _usual(usual, stage, name, value))
        for stage, values in record.configs.items()
        for name, value in _values(values)
    ]
    alone = [Setting(WHOLE_RUN, item.stage, item.value, item.is_usual) for item in found if not item.name]
    return (*alone, *(item for item in found if item.name))


def _values(values: Any) -> Iterator[tuple[str, Any]]:
    items = values.items() if isinstance(values, Mapping) else [("", values)]
    return ((str(name), value) for name, value in items if value not in UNSET)


def _usual(usual: Mapping[str, Any], stage: str, name: str, value: Any) -> bool:
    held = usual.get(stage)
    if not name:
        return stage in usual and _write(held) == _write(value)
    return isinstance(held, Mapping) and name in held and _write(held[name]) == _write(value)


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
