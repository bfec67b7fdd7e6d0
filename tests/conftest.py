"""What tests share: folders of their own, seeds, generated texts, and tiny checkpoints built from a config."""

import csv
import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tiny import make_rows, save_checkpoint

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported, so before any test imports it
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # tests start processes; forking after use would warn


@pytest.fixture(autouse=True)
def isolated_folders(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger out of the user's home; tests marked ``network`` share the user's cache of downloads."""
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "pretune-home"))
    if request.node.get_closest_marker("network") is None:
        monkeypatch.setenv("PRETUNE_CACHE", str(tmp_path / "pretune-cache"))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test from the same random state; torch only where something has loaded it."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Return ``write(rows, name=..., columns=...)``, which writes a UTF-8 CSV file and returns its path."""

    def write(rows: Sequence[Sequence[object]], name: str = "rows.csv", columns: Sequence[str] = ("text", "label")) -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return path

    return write


@pytest.fixture
def separable_rows() -> Callable[..., list[tuple[str, str]]]:
    """Return ``make(num_rows=300, noise=0.0, seed=0)``: (text, "good" | "bad") pairs that words tell apart.

    ``noise`` is the share of rows whose label is flipped. Texts are distinct.
    """
    return make_rows


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return ``build(family)``: a folder with config, safetensors and tokenizer of a headless model, 3 layers × 32.

    Built once a session and shared, so it is read only: copy it before changing anything in it.
    """
    built: dict[str, Path] = {}

    def build(family: str = "bert") -> Path:
        if family not in built:
            folder = tmp_path_factory.mktemp(f"tiny-{family}")
            save_checkpoint(family, folder)
            built[family] = folder
        return built[family]

    return build
