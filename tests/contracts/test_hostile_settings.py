"""Every setting given every kind of nonsense: a value that fits, or one message; never another error."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from running import call, read_strictly

from pretune.cli.pretrain import PRETRAIN, parse_count
from pretune.cli.settings import RUN
from pretune.configs import (
    AuditConfig,
    Config,
    CorpusConfig,
    FinetuneConfig,
    JudgeConfig,
    PretrainConfig,
    PretrainRunConfig,
    ReadConfig,
    RunConfig,
    SplitConfig,
    TokenizerConfig,
)
from pretune.errors import UsageError

CONFIGS: list[type[Config]] = [
    AuditConfig, CorpusConfig, FinetuneConfig, JudgeConfig, PretrainConfig, PretrainRunConfig, ReadConfig, RunConfig,
    SplitConfig, TokenizerConfig,
]  # fmt: skip
HOSTILE: list[Any] = [
    None, -1, 0, 1, 0.5, 2**31, 2**32, 2**64, 10**400, -(10**400), 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf, "",
    "x", "1", "\x00", "é" * 10_000, [], ["a"], [1], (), (1,), {}, {"a": 1}, True, False, b"x", object(), 1j, np.int64(3),
    np.float32(0.5), np.array([1]), np.nan,
]  # fmt: skip
TEXTS = [
    "", "-1", "0", "1e308", "-1e308", "nan", "inf", "9" * 5_000, "[" * 2_000, "true", "{}", "[1]", "'x'", "\x00", "1979-05-27",
]  # fmt: skip


def made_or_refused(make: Callable[[], Any]) -> Any:
    """Return what is made, or ``None`` where it is refused in one message that can be read at a glance."""
    try:
        return make()
    except UsageError as error:
        said = str(error)
    assert len(said) < 600
    return None


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_a_setting_takes_what_fits_and_refuses_the_rest_with_one_message(config: type[Config]) -> None:
    for item in dataclasses.fields(config):  # type: ignore[arg-type]
        for value in HOSTILE:
            made = made_or_refused(lambda: config(**{item.name: value}))  # noqa: B023 - called at once
            kept = None if made is None else getattr(made, item.name)
            assert not isinstance(kept, np.generic)
            assert not isinstance(kept, float) or math.isfinite(kept)


@pytest.mark.parametrize("settings", [RUN, PRETRAIN], ids=["run", "pretrain"])
def test_a_setting_of_the_command_line_ends_in_a_config_or_one_message(settings: Any) -> None:
    for key in settings.names():
        for text in TEXTS:
            made = made_or_refused(lambda: settings.build(settings.read_items([f"{key}={text}"])))  # noqa: B023 - called at once
            assert made is None or isinstance(made, Config)


@pytest.mark.parametrize("text", ["9" * 400, "1e5", "nan", "-1", "9" * 400 + "M", ""])
def test_a_number_of_tokens_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_count(text)


@pytest.mark.parametrize(
    "flags",
    [
        ["--seed", "-1"], ["--seed", str(2**64)], ["--split-seed", "-5"], ["--epochs", "-1"], ["--epochs", "9" * 30],
        ["--lr", "nan"], ["--lr", "inf"], ["--dropout", "nan"], ["--batch-size", "0"], ["--batch-size", "9" * 15],
        ["--max-length", "9" * 12], ["--seeds", "9" * 9], ["--budget", "9" * 400 + "h"], ["--threads", "9" * 9],
        ["--seed", "4294967295", "--seeds", "2"], ["--set", "finetune.weight_decay=nan"], ["--set", "seed=-3"],
        ["--set", "finetune.epochs=1"], ["--min-precision", "nan"], ["--lora", "9" * 9],
        ["--set", "finetune.head_size=" + "9" * 12],
    ],
    ids=" ".join,
)  # fmt: skip
def test_absurd_numbers_end_before_anything_is_read(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "nowhere.csv", *flags, "--json") == 2
    assert read_strictly(capsys.readouterr().out)["error"]["code"] == "usage"
