"""A pre-training killed again and again, at any moment: does it end with the weights of an unbroken one?"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
from corpora import make_documents, write_documents
from safetensors.torch import load_file

FLAGS = [
    "--architecture", "hidden_size=32,num_hidden_layers=2,num_attention_heads=2", "--vocab-size", "512", "--window", "32",
    "--batch-tokens", "256", "--threads", "1", "--set", "pretrain.precision=fp32", "--tokens", "150k", "--quiet",
]  # fmt: skip
NUM_KILLS = 8


@pytest.mark.slow
def test_killed_at_any_moment_the_weights_are_the_same(tmp_path):
    """Kills come where the trace has grown to a length drawn at random: by the clock, a faster second run would see none."""
    corpus = write_documents(tmp_path / "raw.txt", make_documents(600, num_words=60))
    whole, killed, chance, num_kills = tmp_path / "whole", tmp_path / "killed", random.Random(0), 0
    assert give(corpus, whole).wait(timeout=300) == 0
    length = size_of(whole)
    while num_kills < NUM_KILLS and not (killed / "model").is_dir():  # a kill can come when all is written
        process = give(corpus, killed)
        if not reaches(process, killed, chance.uniform(max(0.2 * length, size_of(killed)), 0.95 * length)):
            assert process.wait() == 0
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        num_kills += 1
    if not (killed / "model").is_dir():
        assert give(corpus, killed).wait(timeout=300) == 0
    assert num_kills
    first, second = (load_file(run / "model" / "model.safetensors") for run in (whole, killed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def reaches(process, run, length):
    """Wait until the trace of a run is so long; return ``False`` where the process ends before."""
    end = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < end:
        if size_of(run) >= length:
            return True
        time.sleep(0.01)
    return False


def size_of(run):
    trace = run / "trace.jsonl"
    return trace.stat().st_size if trace.is_file() else 0


def give(corpus, run):
    environment = {**os.environ, "PRETUNE_SAVE_SECONDS": "0.2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pretune", "pretrain", str(corpus), "--run", str(run), *FLAGS]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
