"""What tests share: folders of their own, seeds, generated texts, and tiny checkpoints built from a config."""

import csv
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from running import call, learning_flags, write_reviews

from pretune.wording.messages import command_line
from tiny import make_rows, save_checkpoint

os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported, so before any test imports it
os.environ["PRETUNE_BF16"] = "0"  # the same figures whatever the processor; tests of bf16 ask for it
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # tests start processes; forking after use would warn
if "PYTEST_XDIST_WORKER" in os.environ:  # several processes test beside each other: their threads would wait for one another
    os.environ["OMP_NUM_THREADS"] = "1"

settings.register_profile("repeatable", derandomize=True)  # a failure found by luck is no failure of the change at hand
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def isolated_folders(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger out of the user's home; tests marked ``network`` share the user's cache of downloads."""
    monkeypatch.setenv("PRETUNE_HOME", str(tmp_path / "pretune-home"))
    if request.node.get_closest_marker("network") is None:
        monkeypatch.setenv("PRETUNE_CACHE", str(tmp_path / "pretune-cache"))


@pytest.fixture(autouse=True)
def as_written() -> Iterator[None]:
    """Let messages name flags, as they are written; ``tests/wording`` has what Python's users read."""
    with command_line():
        yield


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


@pytest.fixture(scope="session")
def finetuned_folder(tiny_checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``reviews.csv`` and ``runs/first``, made by ``pretune finetune``; read only."""
    return _make_run("finetune", tiny_checkpoint("bert"), tmp_path_factory.mktemp("finetuned"))


@pytest.fixture(scope="session")
def judged_folder(tiny_checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``reviews.csv`` and ``runs/first``, made by ``pretune run``; read only."""
    return _make_run("run", tiny_checkpoint("bert"), tmp_path_factory.mktemp("judged"))


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with ``reviews.csv`` (columns of odd names) in it."""
    monkeypatch.chdir(tmp_path)
    write_reviews(tmp_path / "reviews.csv")
    return tmp_path


@pytest.fixture
def finetuned(finetuned_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a run that is trained and not judged, in the current folder."""
    return _copy_run(finetuned_folder, tmp_path, monkeypatch)


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a judged run, in the current folder, with the ledger of its opening."""
    return _copy_run(judged_folder, tmp_path, monkeypatch)


def _make_run(command: str, model: Path, folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        write_reviews(folder / "reviews.csv")
        code = call(command, "reviews.csv", "--run", "runs/first", "--quiet", *learning_flags(model))
    assert code in ((0,) if command == "finetune" else (0, 1, 3))
    return folder


def _copy_run(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(source, folder, dirs_exist_ok=True)
    monkeypatch.chdir(folder)
    return Path("runs/first")
