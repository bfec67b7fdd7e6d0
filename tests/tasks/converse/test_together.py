"""Several processes fine-tune on conversations as one: the same steps, weights and figures, one folder, one voice."""

import json
import signal
import subprocess
import sys

import pytest
import shared_replies
import torch
from running import call
from safetensors.torch import load_file
from together import ROOT, finish, lines_of, slow, start

from pretune.run.reply_files import read_replies
from pretune.selftest.talks import write_talks

OPTIONS = (
    "--lr 1e-3 --batch-size 8 --questions 30 --max-reply 8 --max-length 64 --threads 1 --seed 1 --epochs 3 "
    "--set chat.repetition_penalty=1.0 --set finetune.precision=fp32"
)
SHARD = ("--set", "finetune.shard=true")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of the model, and where two processes left what they trained."""
    place, target = tmp_path_factory.mktemp("model"), tmp_path_factory.mktemp("together")
    write_talks(place)
    ended = finish(start(ROOT / "tests" / "support" / "shared_replies.py", place / "talker", target))
    assert [item.code for item in ended] == [0, 0], ended[0].err + ended[1].err
    return place / "talker", target


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), list(enumerate(shared_replies.CASES)), ids=list(shared_replies.CASES))
def test_two_processes_make_the_steps_of_one(number, name, trained):
    model, target = trained
    alone = shared_replies.train(model, name)
    first, second = (load_file(target / f"{number}.{rank}.safetensors") for rank in (0, 1))
    for key, value in alone.items():
        assert torch.equal(first[key], second[key]), key
        torch.testing.assert_close(first[key], value, atol=1e-5, rtol=1e-5, msg=lambda text, key=key: f"{key}: {text}")
    assert all(torch.equal(first[key], alone[key]) for key in ("first loss", "targets"))  # the same to the bit
    begun = load_file(model / "model.safetensors")
    assert any(not torch.equal(begun[key], first[f"weights.model.{key}"]) for key in begun if f"weights.model.{key}" in first)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The words of a fine-tuning on conversations, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    write_talks(tmp_path, num_talks=120)
    return ["-m", "pretune", "finetune", "talks.jsonl", "--model", "talker", *OPTIONS.split(), "--run", "runs/shared"]


def weights_of(run):
    return load_file(run / "model" / "model.safetensors")


@pytest.mark.slow
def test_a_run_by_two_processes_is_judged_by_the_first_alone(command, tmp_path):
    command[2] = "run"
    ended = finish(start(*command, "--general", "texts.txt", "--json"))
    assert ended[0].code in (0, 1, 3), ended[0].err
    assert ended[1].code == 0  # the verdict is the first's
    assert json.loads(ended[0].out)["status"] == "judged"
    assert ended[1].out + ended[1].err == ""
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["shared"]
    assert len(read_replies(tmp_path / "runs" / "shared", "test", "finetuned").ids) >= 10
    trace = (tmp_path / "runs" / "shared" / "trace.jsonl").read_text().splitlines()
    assert len([line for line in trace if '"begun"' in line]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], SHARD, ["--lora", "2"], ["--mix", "0.2", "--mix-corpus", "texts.txt", *SHARD]])
def test_torchrun_trains_what_one_process_trains(flags, command, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    launch = {"one": ["pretune"], "two": ["torch.distributed.run", "--nproc-per-node", "2", "-m", "--", "pretune"]}
    for name, starter in launch.items():
        own = flags if name == "two" else [word for word in flags if word not in SHARD]
        words = [sys.executable, "-m", *starter, *command[2:-1], f"runs/{name}", *own]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"runs/{name}/run.json").read_text()) for name in launch)
    for one, two in zip(first["history"]["steps"], second["history"]["steps"], strict=True):
        assert one["loss"] == pytest.approx(two["loss"], abs=1e-5)
        assert one["gradient_norm"] == pytest.approx(two["gradient_norm"], abs=1e-5)
    one, two = (weights_of(tmp_path / "runs" / name) for name in launch)
    assert all(float((one[key] - two[key]).abs().max()) < 1e-5 for key in one)
    assert first["chat"] == second["chat"]  # decoding, counts, template
    replies = [read_replies(tmp_path / "runs" / name, "validation", "finetuned") for name in launch]
    assert replies[0].texts == replies[1].texts


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), SHARD, ("--lora", "2")])
def test_ctrl_c_saves_once_and_the_same_command_ends_with_the_same_bits(flags, command, tmp_path):
    command = [*command[:-2], *flags, *command[-2:]]
    ended = finish(start(*command, scripts={0: slow(), 1: slow("os.kill(os.getpid(), signal.SIGINT)")}))
    assert [item.code for item in ended] == [130, 130]
    assert ended[1].out + ended[1].err == ""
    assert [path.name for path in (tmp_path / "runs/shared/checkpoints").iterdir()] == ["step-20"]
    again = finish(start(*command))
    assert [item.code for item in again] == [0, 0], again[0].err
    assert "resuming after step 20" in again[0].err
    unbroken = finish(start(*command[:-1], "runs/unbroken"))
    assert [item.code for item in unbroken] == [0, 0]
    first, second = (weights_of(tmp_path / "runs" / name) for name in ("shared", "unbroken"))
    assert all(torch.equal(first[key], second[key]) for key in second)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), SHARD])
def test_a_process_that_is_killed_ends_all_with_one_message(flags, command):
    ended = finish(start(*command, *flags, scripts={0: slow(), 1: slow("os.kill(os.getpid(), signal.SIGKILL)")}))
    assert [item.code for item in ended] == [6, -signal.SIGKILL]
    (said,) = lines_of(ended)
    assert "is gone" in said
    assert "Traceback" not in ended[0].err


@pytest.mark.slow
def test_a_process_that_fails_ends_all_in_its_own_words(command):
    happens = "raise DataError('the table went away', fix='bring it back')"
    ended = finish(start(*command, scripts={0: slow(), 1: slow(happens)}))
    assert [item.code for item in ended] == [2, 2]
    assert lines_of(ended) == ["pretune: the table went away"]
    assert ended[1].out + ended[1].err == ""


@pytest.mark.slow
def test_a_budget_is_measured_by_the_first_process_and_kept_by_all(command):
    ended = finish(start(*command, "--budget", "20s", "--json"))
    assert [item.code for item in ended] == [0, 0], ended[0].err
    found = json.loads(ended[0].out)
    assert found["chat"]["num_learned"] > 0
    assert len(found["history"]["steps"]) > 0


@pytest.mark.parametrize(
    ("flags", "said"), [(SHARD, "there is only one process"), ((*SHARD, "--set", "finetune.compile=true"), "compile true")]
)
def test_layers_in_parts_are_refused_where_they_cannot_be_had(flags, said, command, tmp_path, capsys):
    assert call(*command[2:], *flags) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_layers_in_parts_are_refused_with_a_budget(command):
    ended = finish(start(*command, *SHARD, "--budget", "1m"))
    assert [item.code for item in ended] == [2, 2]
    (said,) = lines_of(ended)
    assert "shard is on together with --budget 1m" in said
