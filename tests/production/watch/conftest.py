"""A judged run of a tiny model on 800 rows that nobody has watched yet."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from running import call, learning_flags
from watch_files import write_rows

from tiny import make_rows

NUM_ROWS = 800


@pytest.fixture(scope="session")
def watched_folder(tiny_checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``runs/first``, judged; read only."""
    folder = tmp_path_factory.mktemp("watched")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PRETUNE_HOME", str(folder / "pretune-home"))
        write_rows(folder / "rows.csv", make_rows(NUM_ROWS))
        flags = ["--text", "text", "--label", "mood", *learning_flags(tiny_checkpoint("bert"), epochs=1)]
        assert call("run", "rows.csv", "--run", "runs/first", "--quiet", *flags) in (0, 1, 3)
        call("watch", "runs/first", "rows.csv", "--quiet", "--window", "50")  # answers the test, which is kept
        for name in ("looks.jsonl", "recent.json", "report.html"):
            (folder / "runs" / "first" / "watch" / name).unlink()  # but the answers to the test are kept
    return folder


@pytest.fixture
def watched(watched_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a judged run that nobody has watched yet, in the current folder."""
    shutil.copytree(watched_folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("runs/first")


@pytest.fixture
def new_rows() -> list[tuple[str, str]]:
    """400 rows drawn like those of the run."""
    return make_rows(400, seed=7)
