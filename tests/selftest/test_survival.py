"""Ctrl-C, a full disk, a read-only disk, another process, a deleted cache: the same bits come out in the end."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import call, python, read_strictly

from pretune import storage
from pretune.run import RunFolder
from pretune.selftest.harness import outcome_of
from pretune.selftest.material import write_material
from pretune.train import Checkpoints


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Return the table and the model that are trained here."""
    return write_material(tmp_path_factory.mktemp("material"))


def command(material, run, *flags, epochs=3, freeze="none"):
    table, model = material
    return [
        "finetune", str(table), "--model", str(model), "--freeze", freeze, "--epochs", str(epochs), "--lr", "3e-3",
        "--batch-size", "8", "--threads", "1", "--seed", "1", "--run", str(run), "--set", "finetune.precision=fp32",
        "--set", "judge.encoder_linear=false", "--set", "finetune.patience=1000", *flags,
    ]  # fmt: skip


def newest(run):
    """Return the newest checkpoint and its bytes; it must be whole."""
    folder = max((run / "checkpoints").glob("step-*"), key=lambda path: int(path.name.removeprefix("step-")))
    storage.check_digests(folder)
    return folder, {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupt(process, run, times):
    """Send Ctrl-C when the first checkpoint is there; return what the process said."""
    deadline = time.monotonic() + 300
    while not any((run / "checkpoints").glob("step-*")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.005)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    return process.communicate(timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_once_or_twice_ends_with_130_and_the_same_command_with_the_same_bits(times, material, tmp_path, monkeypatch):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    run, whole = tmp_path / "run", tmp_path / "whole" / "run"
    words = command(material, run, epochs=30)
    with subprocess.Popen(python("-m", "pretune", *words, "--json"), stdout=-1, stderr=-1, text=True) as process:
        out, err = interrupt(process, run, times)
    assert process.returncode == 130, err
    assert read_strictly(out)["error"]["code"] == "interrupted"
    assert "Traceback" not in err
    folder, _ = newest(run)
    assert not (run / "model").exists()
    assert RunFolder(run).read_record().status == "started"
    if times == 1:  # the step was finished, and saved
        assert folder.name == f"step-{max(int(path.name[5:]) for path in folder.parent.glob('step-*'))}"
    assert call(*words, "--quiet") == 0
    assert call(*command(material, whole, epochs=30), "--quiet") == 0
    assert outcome_of(run) == outcome_of(whole)


@pytest.mark.slow
def test_two_processes_give_the_same_bits_whatever_the_order_of_sets(material, tmp_path):
    found = []
    for seed in ("1", "2"):
        run = tmp_path / seed / "run"
        env = {**os.environ, "PYTHONHASHSEED": seed, "PRETUNE_HOME": str(tmp_path / seed / "home")}
        subprocess.run(python("-m", "pretune", *command(material, run), "--quiet"), env=env, check=True, timeout=300)
        found.append(outcome_of(run))
    assert found[0] == found[1]


@pytest.mark.parametrize("freeze", ["all", "last-1"])
def test_deleting_the_caches_changes_no_bit(freeze, material, tmp_path):
    found = []
    for name in ("first", "from the cache", "cache deleted", "no cache"):
        if name == "cache deleted":
            shutil.rmtree(storage.cache_folder())
        flags = ["--set", "finetune.keep_trunk=false"] if name == "no cache" else []
        run = tmp_path / name / "run"
        assert call(*command(material, run, "--quiet", *flags, epochs=1, freeze=freeze)) == 0
        found.append(outcome_of(run))
    assert found[0] == found[1] == found[2] == found[3]


@pytest.fixture
def disk(tmp_path):
    """A real file system of 4 MB, in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "pretune-test", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(scope="module")
def expected(material, tmp_path_factory):
    """What an unbroken training leaves."""
    run = tmp_path_factory.mktemp("expected") / "run"
    assert call(*command(material, run, "--quiet")) == 0
    return outcome_of(run)


def cut_off(words, run, monkeypatch):
    """Train until the ninth step is saved, and stop there."""
    made = []

    def save(self, saved, keep=Checkpoints.save):
        keep(self, saved)
        made.append(saved.step)
        if saved.step == 9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save)
        assert call(*words, "--quiet") == 130
    assert newest(run)[0].name == "step-9"


def refused(words, capsys):
    """Run the command on a disk that refuses; it must end with one message and exit code 4."""
    capsys.readouterr()
    assert call(*words, "--json") == 4
    said = capsys.readouterr()
    assert read_strictly(said.out)["error"]["code"] == "storage"
    assert "Traceback" not in said.err


@pytest.mark.parametrize("free", [0, 8, 40, 120])
def test_a_full_disk_leaves_the_last_good_checkpoint(free, disk, material, expected, monkeypatch, capsys):
    """The disk has so many kilobytes left when the same command is given again; room for checkpoints is looked for first."""
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    monkeypatch.setattr(Checkpoints, "check_room", lambda *_: None)
    run = disk / "run"
    words = command(material, run)
    cut_off(words, run, monkeypatch)
    before, known = newest(run)
    room = shutil.disk_usage(disk).free - free * 1024
    (disk / "filler").write_bytes(bytes(max(0, room)))
    refused(words, capsys)
    after, found = newest(run)
    assert after != before or found == known
    assert int(after.name[5:]) >= 9
    (disk / "filler").unlink()
    assert call(*words, "--quiet") == 0
    assert outcome_of(run) == expected


def test_too_little_room_is_known_before_the_first_step(disk, material, capsys):
    run = disk / "run"
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 150 * 1024))
    refused(command(material, run), capsys)
    assert not (run / "checkpoints").exists() or not any((run / "checkpoints").iterdir())


def test_a_read_only_disk_leaves_the_last_good_checkpoint(disk, material, expected, monkeypatch, capsys):
    monkeypatch.setenv("PRETUNE_SAVE_SECONDS", "0")
    run = disk / "run"
    words = command(material, run)
    cut_off(words, run, monkeypatch)
    known = newest(run)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused(words, capsys)
    assert newest(run) == known
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert call(*words, "--quiet") == 0
    assert outcome_of(run) == expected


def test_an_inner_folder_that_may_not_be_written_is_one_message(material, tmp_path, capsys):
    run = tmp_path / "run"
    run.write_text("a file where the folder shall be")
    assert call(*command(material, run), "--json") == 2
    assert read_strictly(capsys.readouterr().out)["error"]["code"] == "usage"
    inner = Path(str(run) + "-2") / "run"
    inner.parent.write_text("a file where the folder above shall be")
    refused(command(material, inner), capsys)


def test_judging_looks_for_room_before_it_opens_the_seal(material, disk, capsys):
    """A full disk after the opening would cost a look that shows nothing."""
    run = disk / "run"
    assert call(*command(material, run, "--quiet")) == 0
    (disk / "filler").write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 500_000)))
    capsys.readouterr()
    assert call("judge", run, "--json") == 4
    assert "the disk is full" in read_strictly(capsys.readouterr().out)["error"]["got"]
    assert not (run / "data" / "openings.jsonl").exists()
    (disk / "filler").unlink()
    assert call("judge", run, "--json", "--quiet") in (0, 1, 3)


def test_a_text_is_followed_on_a_run_that_cannot_be_written(material, disk, capsys):
    run = disk / "run"
    assert call(*command(material, run, "--quiet")) == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    capsys.readouterr()
    assert call("trace", run, "a moving film", "--json") == 0
    assert read_strictly(capsys.readouterr().out)["decision"] in ("good", "bad")
    assert call("verify", run, "--json") == 0
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
