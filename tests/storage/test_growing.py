"""A file that grows: what somebody else puts in its place meanwhile is left alone, and nothing half-made is left over."""

import shutil
from pathlib import Path

import pytest

from pretune.errors import StorageError, UsageError
from pretune.storage import GrowingFile, asides

ABOUT = {"data": "x"}


def grow(path: Path, *, rows: int = 2, overwrite: bool = False) -> GrowingFile:
    file = GrowingFile(path, ABOUT, overwrite=overwrite)
    for number in range(file.num_rows, rows):
        file.write(b"row\n")
        file.mark(number + 1)
    return file


def finish(file: GrowingFile, convert=None) -> None:
    try:
        file.finish(convert)
    finally:
        file.close()


@pytest.fixture(params=["at one instant", "where the system cannot"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param != "at one instant":
        monkeypatch.setattr(asides, "_renameat2", lambda: None)
    return tmp_path / "out.csv"


@pytest.mark.parametrize("convert", [None, shutil.copyfile])
def test_a_file_that_was_put_there_meanwhile_is_not_replaced(path: Path, convert) -> None:
    file = grow(path)
    path.write_text("somebody's")
    with pytest.raises(UsageError, match="appeared while this command"):
        finish(file, convert)
    assert path.read_text() == "somebody's"
    with pytest.raises(UsageError, match="appeared while this command"):
        grow(path)
    path.unlink()
    file = grow(path)
    assert file.num_rows == 2  # nothing was lost
    finish(file, convert)
    assert path.read_bytes() == b"row\nrow\n"
    assert [item.name for item in path.parent.iterdir() if item.name.startswith("out")] == ["out.csv"]


def test_with_overwrite_it_is(path: Path) -> None:
    path.write_text("old")
    file = grow(path, overwrite=True)
    path.write_text("newer")
    finish(file)
    assert path.read_bytes() == b"row\nrow\n"


@pytest.mark.parametrize("convert", [None, lambda part, whole: whole.write_bytes(part.read_bytes() * 3)])
@pytest.mark.parametrize("at", ["flush_folder", "unlink part", "unlink note"])
def test_a_kill_at_the_end_is_gone_on_from(path: Path, monkeypatch: pytest.MonkeyPatch, convert, at: str) -> None:
    expected = b"row\nrow\n" * (1 if convert is None else 3)
    file, unlink = grow(path), Path.unlink

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def unlink_until(place: Path, **options: bool) -> None:
        if place.name.endswith({"unlink part": ".part", "unlink note": ".json"}[at]):
            stop()
        unlink(place, **options)

    with monkeypatch.context() as patch:
        if at == "flush_folder":
            patch.setattr("pretune.storage.growing.flush_folder", stop)
        else:
            patch.setattr(Path, "unlink", unlink_until)
        with pytest.raises(KeyboardInterrupt):
            finish(file, convert)
    assert path.read_bytes() == expected
    finish(grow(path), convert)
    assert path.read_bytes() == expected
    assert [item.name for item in path.parent.iterdir() if item.name.startswith("out")] == ["out.csv"]


def test_a_conversion_that_fails_leaves_no_half_of_it(path: Path) -> None:
    def fail(_: Path, whole: Path) -> None:
        whole.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="the disk is full"):
        finish(grow(path), fail)
    assert not path.with_name("out.csv.part.whole").exists()
    file = grow(path)
    assert file.num_rows == 2
    file.close()


def test_what_a_kill_left_of_a_conversion_is_removed_by_the_next_command(path: Path) -> None:
    grow(path).close()
    path.with_name("out.csv.part.whole").write_bytes(b"half")
    grow(path).close()
    assert not path.with_name("out.csv.part.whole").exists()
