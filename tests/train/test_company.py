"""What ends one process of a training ends all: one message, the right exit code, nobody left waiting."""

import json
import os
import signal
import subprocess
import sys

import pytest
from running import learning_flags, write_reviews
from safetensors.torch import load_file
from together import ROOT, finish, lines_of, slow, start

SECONDS = "60"  # of patience, for the tests that use it up


@pytest.fixture
def command(tmp_path, monkeypatch, tiny_checkpoint):
    """The words of a fine-tuning that takes a few seconds, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    write_reviews(tmp_path / "reviews.csv")
    flags = learning_flags(tiny_checkpoint("bert"), epochs=4)
    return ["-m", "pretune", "finetune", "reviews.csv", *flags, "--set", "judge.encoder_linear=false", "--run", "runs/shared"]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--set", "finetune.shard=true"]])
def test_a_process_that_fails_ends_all_in_its_own_words(flags, command):
    happens = "raise DataError('the table went away', fix='bring it back')"
    ended = finish(start(*command, *flags, scripts={0: slow(), 1: slow(happens)}))
    assert [item.code for item in ended] == [2, 2]
    assert lines_of(ended) == ["pretune: the table went away"]
    assert "Fix: bring it back" in ended[0].err
    assert ended[1].out + ended[1].err == ""


@pytest.mark.slow
def test_a_process_that_is_killed_ends_all(command):
    ended = finish(start(*command, scripts={0: slow(), 1: slow("os.kill(os.getpid(), signal.SIGKILL)")}))
    assert [item.code for item in ended] == [6, -signal.SIGKILL]
    assert len(lines_of(ended)) == 1
    assert "is gone" in lines_of(ended)[0]
    assert "Traceback" not in ended[0].err


@pytest.mark.slow
def test_a_process_that_is_killed_ends_those_that_hold_the_other_parts(command):
    shard, kill = ["--set", "finetune.shard=true"], slow("os.kill(os.getpid(), signal.SIGKILL)")
    ended = finish(start(*command, *shard, scripts={0: slow(), 1: kill}))
    assert [item.code for item in ended] == [6, -signal.SIGKILL]
    assert [line for line in lines_of(ended) if "is gone" in line] == lines_of(ended) != []
    assert "Traceback" not in ended[0].err


@pytest.mark.slow
def test_a_process_that_hangs_is_not_waited_for_for_ever(command):
    started = start(*command, scripts={0: slow(), 1: slow("os.kill(os.getpid(), signal.SIGSTOP)")}, PRETUNE_PATIENCE=SECONDS)
    assert started[0].wait(timeout=600) == 6
    started[1].kill()
    assert len(lines_of(finish(started))) == 1


@pytest.mark.slow
def test_where_the_first_is_killed_nobody_is_left(command):
    ended = finish(start(*command, scripts={0: slow("os.kill(os.getpid(), signal.SIGKILL)"), 1: slow()}))
    assert [item.code for item in ended] == [-signal.SIGKILL, 6]


@pytest.mark.slow
def test_a_diverged_run_is_told_once(command):
    ended = finish(start(*command, "--lr", "1e30", "--set", "finetune.weight_decay=0"))
    assert [item.code for item in ended] == [5, 5]
    assert len(lines_of(ended)) == 1
    assert "diverged" in lines_of(ended)[0]


@pytest.mark.parametrize(
    "wrong", [["--freeze", "some"], ["--no-such-flag"], pytest.param(["--model", "no-such-model"], marks=pytest.mark.slow)]
)
def test_a_wrong_flag_is_told_once(wrong, command):
    ended = finish(start(*command, *wrong))
    assert ended[0].code == 2
    assert ended[1].code == 2
    assert len(lines_of(ended)) == 1
    assert ended[1].out + ended[1].err == ""


@pytest.mark.slow
@pytest.mark.parametrize(("told", "flags"), [([0], []), ([1], []), ([0, 1], []), ([1], ["--set", "finetune.shard=true"])])
def test_ctrl_c_saves_once_and_ends_all_and_the_same_command_goes_on(told, flags, command, tmp_path):
    command = [*command[:-2], *flags, *command[-2:]]
    script = slow("os.kill(os.getpid(), signal.SIGINT)")
    ended = finish(start(*command, scripts={0: script if 0 in told else slow(), 1: script if 1 in told else slow()}))
    assert [item.code for item in ended] == [130, 130]
    assert ended[1].out + ended[1].err == ""
    assert [path.name for path in (tmp_path / "runs/shared/checkpoints").iterdir()] == ["step-20"]
    again = finish(start(*command))
    assert [item.code for item in again] == [0, 0]
    assert "resuming after step 20" in again[0].err
    unbroken = finish(start(*command[:-1], "runs/unbroken"))
    assert [item.code for item in unbroken] == [0, 0]
    first, second = (load_file(tmp_path / f"runs/{name}/model/model.safetensors") for name in ("shared", "unbroken"))
    assert all(bool((first[key] == second[key]).all()) for key in second)


def test_only_the_first_process_writes_and_speaks(command, tmp_path):
    ended = finish(start(*command, "--json"))
    assert [item.code for item in ended] == [0, 0]
    assert json.loads(ended[0].out)["status"] == "trained"
    assert ended[1].out + ended[1].err == ""
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["shared"]
    begun = [line for line in (tmp_path / "runs/shared/trace.jsonl").read_text().splitlines() if '"begun"' in line]
    assert len(begun) == 1
    assert json.loads((tmp_path / "runs/shared/run.json").read_text())["status"] == "trained"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "there is only one process"),
        (["--set", "finetune.compile=true"], "shard is on together with compile true"),
        (["--set", "finetune.shard=1"], "shard is 1"),
    ],
)
def test_layers_in_parts_are_refused_where_they_cannot_be_had(flags, said, command, tmp_path):
    done = subprocess.run(
        [sys.executable, *command, "--set", "finetune.shard=true", *flags], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Expected:" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["--lr", "1e-3"], []),
        (["--lr", "1e-3"], ["--set", "finetune.shard=true"]),
        (["--lora", "2"], ["--set", "finetune.shard=true"]),
        (["--lr", "auto"], ["--set", "finetune.shard=true"]),
    ],
)
def test_torchrun_trains_what_one_process_trains(words, flags, command, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src")]))
    words = ["--dropout", "0", "--batch-size", "7", *words]
    done = [
        subprocess.run(
            [sys.executable, "-m", *start, *command[2:-1], f"runs/{name}", *words, *(flags if name == "two" else [])],
            capture_output=True,
            text=True,
        )
        for name, start in {
            "one": ["pretune"],
            "two": ["torch.distributed.run", "--nproc-per-node", "2", "-m", "--", "pretune"],
        }.items()
    ]
    assert [item.returncode for item in done] == [0, 0], done[1].stderr
    first, second = (json.loads((tmp_path / f"runs/{name}/run.json").read_text())["history"] for name in ("one", "two"))
    assert len(first["steps"]) == len(second["steps"]) > 50
    for one, two in zip(first["steps"], second["steps"], strict=True):
        assert one["loss"] == pytest.approx(two["loss"], abs=1e-5)
    weights = [load_file(tmp_path / f"runs/{name}/model/model.safetensors") for name in ("one", "two")]
    far = {key: float((value - weights[1][key]).abs().max()) for key, value in weights[0].items()}
    # Attention does not depend on the bias of keys: its gradient is rounding, which Adam blows up.
    assert {key: value for key, value in far.items() if value >= 1e-5 and not key.endswith("key.bias")} == {}
