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
    corpus = write_documents(tmp_path / "raw.txt", make_documents(600, num_words=60))
    whole, killed, chance, num_kills = tmp_path / "whole", tmp_path / "killed", random.Random(0), 0
    start = time.monotonic()
    assert give(corpus, whole).wait(timeout=300) == 0
    length = time.monotonic() - start
    while num_kills < NUM_KILLS and not (killed / "model").is_dir():  # a kill can come when all is written
        process = give(corpus, killed)
        try:
            code = process.wait(timeout=chance.uniform(0.4, 0.75) * length)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            num_kills += 1
            continue
        assert code == 0
        break
    if not (killed / "model").is_dir():
        assert give(corpus, killed).wait(timeout=300) == 0
    assert num_kills
    first, second = (load_file(run / "model" / "model.safetensors") for run in (whole, killed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def give(corpus, run):
    environment = {**os.environ, "PRETUNE_SAVE_SECONDS": "0.2", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pretune", "pretrain", str(corpus), "--run", str(run), *FLAGS]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
