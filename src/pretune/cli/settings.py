"""Settings: from flags, a TOML file, a recipe and ``--set`` to the config of a command."""

import contextlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from pretune.configs import RECIPES, Config, FinetuneConfig, JudgeConfig, ReadConfig, RunConfig, SplitConfig
from pretune.configs.base import MAX_COUNT
from pretune.errors import UsageError
from pretune.wording.flags import CORPUS_PLACES, PLACES

SECTIONS: dict[str, type[Config]] = {"read": ReadConfig, "split": SplitConfig, "finetune": FinetuneConfig, "judge": JudgeConfig}
KINDS: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text", tuple: "a list"}


class Settings:
    """Which settings a command has, of what kind each is, and how they are read. Keys are such as ``finetune.epochs``.

    Args:
        whole: The config of the command.
        sections: The configs inside of it, by name.
        example: Of ``--set``, for messages.
    """

    def __init__(self, whole: type[Config], sections: Mapping[str, type[Config]], *, example: str) -> None:
        self._whole, self._sections, self._example = whole, sections, example

    def names(self) -> list[str]:
        """Return every key."""
        top = [item.name for item in fields(self._whole) if item.name not in self._sections]  # type: ignore[arg-type]
        inner = [f"{name}.{item.name}" for name, kind in self._sections.items() for item in fields(kind)]  # type: ignore[arg-type]
        return top + inner

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings by key, those of a section as ``section.name``.

        Raises:
            UsageError: There is no such setting.
        """
        flat: dict[str, Any] = {}
        for key, value in settings.items():
            flat |= {f"{key}.{name}": item for name, item in value.items()} if isinstance(value, dict) else {key: value}
        return {self._known(key): value for key, value in flat.items()}

    def read_file(self, path: str | None) -> dict[str, Any]:
        """Return the settings of a TOML file.

        Raises:
            UsageError: It cannot be read, or a name is not known.
        """
        if path is None:
            return {}
        try:
            return self.check(tomllib.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(
                f"cannot read {path}: {error}", expected="a TOML file of settings", fix="check the path of --config"
            ) from error

    def read_items(self, items: Iterable[str]) -> dict[str, Any]:
        """Return the settings of ``KEY=VALUE``; a bare word is text.

        Raises:
            UsageError: There is no ``=``, or a name is not known.
        """
        return dict(self._read_item(item) for item in items)

    def build(self, changes: Mapping[str, Any]) -> Any:
        """Return the config with these settings, the rest at its defaults.

        Raises:
            UsageError: A value does not fit.
        """
        fitted = {key: self._fit(key, value) for key, value in changes.items()}
        values: dict[str, Any] = {key: value for key, value in fitted.items() if "." not in key}
        for section, kind in self._sections.items():
            values[section] = kind(**{key.partition(".")[2]: fitted[key] for key in fitted if key.startswith(section + ".")})
        return self._whole(**values)

    def _read_item(self, item: str) -> tuple[str, Any]:
        key, sign, value = item.partition("=")
        if not sign:
            raise UsageError(f"--set {item!r}", expected=f"KEY=VALUE, such as {self._example}")
        kinds = self._kinds(self._known(key.strip()))
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):  # no TOML, or of thousands of digits or brackets
            parsed = value
        is_name = str in kinds and type(parsed) not in kinds  # the label 1, the column 2024
        return key.strip(), value if is_name else parsed

    def _fit(self, key: str, value: Any) -> Any:
        """Return ``value`` as the kind that the setting is of; a list of columns may be one text with commas."""
        kinds = self._kinds(key)
        if tuple in kinds and isinstance(value, (str, list)):
            value = tuple(value.split(",") if isinstance(value, str) else map(str, value))
        if float in kinds and type(value) is int and abs(value) < MAX_COUNT**2:
            value = float(value)
        if float in kinds and str in kinds and isinstance(value, str):  # a flag that takes a number or a word
            with contextlib.suppress(ValueError):
                value = float(value)
        if type(value) not in kinds:
            wanted = " or ".join(word for kind, word in KINDS.items() if kind in kinds)
            raise UsageError(f"{key} is {value!r:.80}", expected=wanted)
        return value

    def _kinds(self, key: str) -> tuple[type, ...]:
        section, _, name = key.rpartition(".")
        hint = get_type_hints(self._sections.get(section, self._whole))[name]
        return tuple(get_origin(item) or item for item in (get_args(hint) if isinstance(hint, UnionType) else (hint,)))

    def _known(self, key: str) -> str:
        known = self.names()
        if key not in known:
            raise UsageError(f"there is no setting {key!r}", expected=f"one of {', '.join(known)}", fix=_near(key, known))
        return key


def given(flags: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """Return the flags that were given, by their place among the settings."""
    return {places[name]: value for name, value in flags.items() if name in places and value is not None and value is not False}


RUN = Settings(RunConfig, SECTIONS, example="finetune.label_smoothing=0.1")


def build_config(
    flags: Mapping[str, Any], *, recipe: str | None = None, file: str | None = None, settings: Iterable[str] = ()
) -> RunConfig:
    """Return the settings of a run: defaults, then recipe, file, flags and ``--set``, the later winning.

    Raises:
        UsageError: A name is not known, or a value does not fit.
    """
    if recipe is not None and recipe not in RECIPES:
        raise UsageError(f"there is no recipe {recipe!r}", expected=f"one of {', '.join(RECIPES)}")
    changes = RUN.check(RECIPES[recipe]) if recipe is not None else {}
    config: RunConfig = RUN.build(changes | RUN.read_file(file) | given(flags, PLACES) | RUN.read_items(settings))
    return config


def _near(key: str, known: list[str]) -> str:
    """Return which setting was meant: of that flag, or of nearly that name."""
    flag = key.rpartition(".")[2]
    place = next((table[flag] for table in (PLACES, CORPUS_PLACES) if table.get(flag) in known), None)
    if place is not None:
        return f"did you mean {place} (flag --{flag.replace('_', '-')})?"
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else ""
