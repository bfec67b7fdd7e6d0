"""Storage: a replaced file is whole or as it was, an appended line is there or not."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pretune import storage
from pretune.errors import StorageError
from pretune.storage import asides, writing


def run(code: str, *arguments: object) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("content", ["text é 😀\n", b"\x00\xff", "", "\ud800"])
def test_what_is_written_is_there(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "new" / "folder" / "file"
    storage.replace(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def test_replacing_leaves_nothing_else_behind(tmp_path: Path) -> None:
    for content in ("old", "new"):
        storage.replace(tmp_path / "file", content)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def fail(*_: object) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    storage.replace(tmp_path / "file", "old")
    monkeypatch.setattr(call, fail)
    with pytest.raises(StorageError, match=r"the disk is full: .* free in .*No space left on device"):
        storage.replace(tmp_path / "file", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_what_reads_back_differently_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"other")
    with pytest.raises(StorageError, match="does not hold what was written"):
        storage.replace(tmp_path / "file", "content")


def test_a_parent_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (storage.replace, storage.append):
        with pytest.raises(StorageError, match="cannot use"):
            write(tmp_path / "file" / "inside", "x")


REPLACE_FOREVER = """
import sys
from pathlib import Path
from pretune import storage
number = 0
while True:
    number += 1
    storage.replace(Path(sys.argv[1]), str(number % 10) * 300_000)
"""


def test_a_process_killed_while_replacing_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    process = run(REPLACE_FOREVER, path)
    deadline = time.monotonic() + 30
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.15)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    text = path.read_text()
    assert text == text[0] * 300_000


def fill(folder: Path, text: str = "new") -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text(text)


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    storage.replace(path, lambda folder: (folder / "old").touch())
    storage.replace(path, fill)
    assert [str(file.relative_to(path)) for file in sorted(path.rglob("*"))] == ["sub", "sub/file"]
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


def test_a_folder_whose_filling_fails_stays_as_it_was(tmp_path: Path) -> None:
    def break_off(folder: Path) -> None:
        fill(folder)
        raise KeyboardInterrupt

    path = tmp_path / "folder"
    storage.replace(path, lambda folder: fill(folder, "old"))
    with pytest.raises(KeyboardInterrupt):
        storage.replace(path, break_off)
    assert (path / "sub" / "file").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


FILL_AND_HANG = """
import sys, time
from pathlib import Path
from pretune import storage
def fill(folder):
    (folder / "weights").write_bytes(bytes(1000))
    print("half", flush=True)
    time.sleep(60)
storage.replace(Path(sys.argv[1]), fill)
"""


def test_a_full_disk_told_by_a_library_in_rust_is_a_storage_error(tmp_path: Path) -> None:
    def refuse(_: Path) -> None:
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    storage.replace(tmp_path / "folder", fill)
    with pytest.raises(StorageError, match=r"the disk is full: .* free in .*No space left on device"):
        storage.replace(tmp_path / "folder", refuse)
    assert (tmp_path / "folder" / "sub" / "file").read_text() == "new"
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]


def test_a_process_killed_while_filling_a_folder_leaves_none(tmp_path: Path) -> None:
    process = run(FILL_AND_HANG, tmp_path / "step-1")
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (tmp_path / "step-1").exists()


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_not_written(tmp_path: Path, figure: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        storage.replace_json(tmp_path / "file.json", {"loss": figure})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [{"a": [1, None, "é"]}, {"text": "\ud800 \u2028"}])
def test_json_reads_back_as_it_was_written(tmp_path: Path, value: Any) -> None:
    storage.replace_json(tmp_path / "file.json", value)
    assert storage.read_json(tmp_path / "file.json") == value


@pytest.mark.parametrize(
    ("data", "message"), [(b"{", "is not valid JSON"), (b"\xff", "is not UTF-8"), (None, "No such file or directory")]
)
def test_json_that_cannot_be_read_is_a_storage_error(tmp_path: Path, data: bytes | None, message: str) -> None:
    if data is not None:
        (tmp_path / "file.json").write_bytes(data)
    with pytest.raises(StorageError, match=message):
        storage.read_json(tmp_path / "file.json")


def test_appended_lines_are_read_in_order(tmp_path: Path) -> None:
    for line in ("first", "second é", ""):
        storage.append(tmp_path / "new" / "lines", line)
    assert storage.read_lines(tmp_path / "new" / "lines") == ["first", "second é", ""]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert storage.read_lines(tmp_path / "absent") == []


@pytest.mark.parametrize("torn", ["half a li", '{"a": 1'])
@pytest.mark.parametrize("whole", [[], ["one", "two"]])
def test_a_torn_last_line_is_not_read_and_the_next_append_cuts_it_off(tmp_path: Path, torn: str, whole: list[str]) -> None:
    path = tmp_path / "lines"
    path.write_text("".join(line + "\n" for line in whole) + torn)
    assert storage.read_lines(path) == whole
    storage.append(path, "next")
    assert path.read_text() == "".join(line + "\n" for line in [*whole, "next"])


def test_lines_that_are_not_text_are_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"\xff\xfe\n")
    with pytest.raises(StorageError, match="is not UTF-8"):
        storage.read_lines(tmp_path / "lines")


APPEND = """
import json, sys
from pathlib import Path
from pretune import storage
number = 0
while number < int(sys.argv[2]):
    storage.append(Path(sys.argv[1]), json.dumps({"who": sys.argv[3], "number": number, "fill": "x" * 5000}))
    print(number, flush=True)
    number += 1
"""


def test_a_process_killed_while_appending_loses_no_line_that_it_was_told_is_there(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    process = run(APPEND, path, 10**6, "a")
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    told = 20 + len(process.communicate(timeout=30)[0].splitlines())
    storage.append(path, json.dumps({"who": "b", "number": -1}))
    *lines, last = map(json.loads, storage.read_lines(path))
    assert [line["number"] for line in lines] == list(range(len(lines)))
    assert told <= len(lines)
    assert last["who"] == "b"


def test_processes_that_append_at_once_do_not_mix_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    processes = [run(APPEND, path, 30, who) for who in "abc"]
    for process in processes:
        process.communicate(timeout=60)
    lines = [json.loads(line) for line in storage.read_lines(path)]
    numbers = {who: [line["number"] for line in lines if line["who"] == who] for who in "abc"}
    assert numbers == {who: list(range(30)) for who in "abc"}


def test_an_append_waits_for_another_that_is_not_done(tmp_path: Path) -> None:
    """Else the other's half-written line would be taken for a torn one and cut off."""
    path = tmp_path / "lines"
    waiting = threading.Thread(target=storage.append, args=(path, "mine"))
    with path.open("ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(b"the oth")
        waiting.start()
        waiting.join(timeout=0.2)
        file.write(b"er\n")
    waiting.join(timeout=30)
    assert storage.read_lines(path) == ["the other", "mine"]


HOLD = """
import sys, time
from pathlib import Path
from pretune import storage
with storage.locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(0.3)
    Path(sys.argv[2]).touch()
"""


def test_a_lock_makes_others_wait(tmp_path: Path) -> None:
    process = run(HOLD, tmp_path / "lock", tmp_path / "done")
    assert process.stdout is not None
    process.stdout.readline()
    with storage.locked(tmp_path / "lock"):
        assert (tmp_path / "done").exists()
    process.communicate(timeout=30)


@pytest.mark.parametrize(
    ("function", "variable", "base"),
    [(storage.data_folder, "PRETUNE_HOME", "XDG_DATA_HOME"), (storage.cache_folder, "PRETUNE_CACHE", "XDG_CACHE_HOME")],
)
def test_folders_can_be_moved(monkeypatch: pytest.MonkeyPatch, function: Any, variable: str, base: str) -> None:
    monkeypatch.setenv(variable, "/moved")
    assert function() == Path("/moved")
    monkeypatch.delenv(variable)
    monkeypatch.setenv(base, "/base")
    assert function() == Path("/base/pretune")
    monkeypatch.delenv(base)
    assert Path.home() in function().parents


@pytest.mark.parametrize(("hidden", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_files_and_folders_get_the_mode_that_the_umask_gives_whatever_library_wrote_them(tmp_path, hidden, mode):
    def write(folder: Path) -> None:
        fill(folder)
        (folder / "sub" / "file").chmod(0o600)  # as safetensors does

    before = os.umask(hidden)
    try:
        storage.replace(tmp_path / "file", "x")
        storage.replace(tmp_path / "folder", write)
        storage.append(tmp_path / "lines", "x")
    finally:
        os.umask(before)
    files = [tmp_path / "file", tmp_path / "lines", tmp_path / "folder" / "sub" / "file"]
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}
    assert (
        (tmp_path / "folder").stat().st_mode & 0o777 == (tmp_path / "folder" / "sub").stat().st_mode & 0o777 == 0o777 & ~hidden
    )


REPLACE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from pretune import storage
from pretune.storage import asides
path, at, exchanges = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "exchange"
if not exchanges:
    asides._renameat2 = lambda: None
events, flush = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "open"}, os.fsync
left = at
def count(event, arguments=()):
    global left
    if event in events and not (event == "open" and not str(arguments[0]).startswith(str(path.parent))):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
def counted(descriptor):
    count("os.rename")
    flush(descriptor)
sys.addaudithook(count)
os.fsync = counted
def fill(folder):
    (folder / "a").write_text("new")
    (folder / "b").write_text("new")
storage.replace(path, fill)
"""


@pytest.mark.parametrize("how", ["exchange", "rename"])
def test_a_kill_at_any_step_of_replacing_a_folder_leaves_the_old_or_the_new_one_and_the_next_one_sweeps(tmp_path, how):
    """In one process that forks, so that each kill takes milliseconds."""
    for at in range(1, 100):
        place = tmp_path / str(at)
        storage.replace(place / "model", lambda folder: [(folder / name).write_text("old") for name in "ab"])
        child = os.fork()
        if child == 0:
            sys.argv = ["x", str(place / "model"), str(at), how]
            exec(REPLACE_AND_DIE, {})
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if how == "exchange":
            assert (place / "model").is_dir(), "there is a model at every instant"
        storage.settle(place / "model")
        assert {(place / "model" / name).read_text() for name in "ab"} in ({"old"}, {"new"})
        storage.replace(place / "model", fill)
        assert [item.name for item in place.iterdir()] == ["model"]
        if status == 0:
            break
    assert status == 0
    assert at > 15


def test_what_is_written_aside_by_a_process_that_lives_is_not_swept(tmp_path):
    process = run(FILL_AND_HANG, tmp_path / "step-1")
    assert process.stdout is not None
    process.stdout.readline()
    storage.sweep(tmp_path)
    assert len(list(tmp_path.glob(f".*{storage.ASIDE}"))) == 1
    process.kill()
    process.communicate(timeout=30)
    (tmp_path / "mine").write_text("x")
    (tmp_path / ".mine.too").write_text("x")
    storage.sweep(tmp_path)
    assert sorted(item.name for item in tmp_path.iterdir()) == [".mine.too", "mine"]


@pytest.mark.parametrize("content", ["new", fill], ids=["file", "folder"])
def test_a_sweep_that_comes_between_making_an_aside_and_locking_it_costs_no_write(tmp_path, monkeypatch, content):
    lock, remove, fsync = asides._lock, asides.remove, os.fsync
    is_removing, is_writing, is_removed = (threading.Event() for _ in range(3))
    sweeper = threading.Thread(target=storage.sweep, args=(tmp_path,))

    def remove_late(place: Path) -> None:
        if threading.current_thread() is sweeper:
            is_removing.set()
            is_writing.wait(0.3)  # never comes where the lock is held
            remove(place)
            is_removed.set()
        else:
            remove(place)

    def lock_late(descriptor: int) -> None:
        if not is_removing.is_set():
            sweeper.start()
            is_removing.wait(5)
        lock(descriptor)

    def write_late(descriptor: int) -> None:
        is_writing.set()
        is_removed.wait(5)
        fsync(descriptor)

    monkeypatch.setattr(asides, "remove", remove_late)
    monkeypatch.setattr(asides, "_lock", lock_late)
    monkeypatch.setattr(os, "fsync", write_late)
    storage.replace(tmp_path / "model", content)
    assert is_removing.is_set()
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


def test_what_was_there_before_is_not_swept_until_its_successor_is_read_back(tmp_path, monkeypatch):
    storage.replace(tmp_path / "model", lambda folder: (folder / "a").write_text("old"))
    read = writing.digests_of

    def read_badly(folder: Path, *by: Any) -> dict[str, str]:
        storage.sweep(tmp_path)
        return {} if folder == tmp_path / "model" else read(folder, *by)

    monkeypatch.setattr(writing, "digests_of", read_badly)
    with pytest.raises(StorageError, match="does not hold what was written"):
        storage.replace(tmp_path / "model", fill)
    assert (tmp_path / "model" / "a").read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


WRITE = """
import sys
from pathlib import Path
from pretune import storage
for number in range(int(sys.argv[2])):
    storage.replace(Path(sys.argv[1]), str(number))
"""


def test_processes_that_write_and_sweep_one_folder_lose_nothing(tmp_path):
    writers = [run(WRITE, tmp_path / name, "60") for name in "abc"]
    while any(writer.poll() is None for writer in writers):
        storage.sweep(tmp_path)
    assert [writer.wait() for writer in writers] == [0] * 3
    for writer in writers:
        writer.communicate()
    assert {item.name: item.read_text() for item in tmp_path.iterdir()} == dict.fromkeys("abc", "59")


def test_a_link_that_a_folder_takes_the_place_of_is_gone(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "kept").write_text("x")
    (tmp_path / "model").symlink_to(tmp_path / "far")
    storage.replace(tmp_path / "model", fill)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["far", "model"]
    assert (tmp_path / "far" / "kept").read_text() == "x"


def test_only_asides_of_the_same_name_are_swept_by_a_replacement(tmp_path):
    for name in (".model.0a1b2c3d.aside", ".other.0a1b2c3d.aside"):
        (tmp_path / name).mkdir()
    storage.replace(tmp_path / "model", fill)
    assert sorted(item.name for item in tmp_path.iterdir()) == [".other.0a1b2c3d.aside", "model"]


def test_too_little_room_is_told_in_numbers_before_anything_is_written(tmp_path):
    storage.check_room(tmp_path / "not" / "there", 10, "nothing much")
    with pytest.raises(StorageError, match=r"the disk is full: .* free in .*, about 1000000000.0 GB needed for the model"):
        storage.check_room(tmp_path / "not" / "there", 10**18, "the model")


def test_what_is_discarded_is_gone_at_one_instant_and_what_a_kill_leaves_of_it_is_swept(tmp_path, monkeypatch):
    storage.replace(tmp_path / "checkpoints", fill)
    with monkeypatch.context() as patch:  # a kill between the two
        patch.setattr("pretune.storage.asides.remove", lambda _: None)
        storage.discard(tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists()
    storage.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    storage.discard(tmp_path / "checkpoints")


def test_numpys_short_write_is_a_full_disk(tmp_path):
    def write(folder: Path) -> None:
        (folder / "a").write_bytes(bytes(100))
        raise OSError("5000 requested and 100 written")

    with pytest.raises(StorageError, match=r"the disk is full: .* about 100 bytes needed"):
        storage.replace(tmp_path / "folder", write)
