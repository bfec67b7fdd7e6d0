"""Two nodes of torchrun, here on one machine, each in a folder of its own: what each needs, and what is said without it."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from corpora import make_documents, write_documents
from running import learning_flags, write_reviews
from together import ROOT

pytestmark = pytest.mark.slow  # four starts of torch


def run_nodes(folders, *words):
    """Start a command by torchrun on a node in each of the folders; return exit codes, output and errors."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meet = ["--rdzv-backend=c10d", f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-id=job"]
    launch = [sys.executable, "-m", "torch.distributed.run", f"--nnodes={len(folders)}", "--nproc-per-node=1", *meet]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    nodes = [
        subprocess.Popen(
            [*launch, "-m", "--", "pretune", *map(str, words)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    told = [node.communicate(timeout=500) for node in nodes]
    return [node.returncode for node in nodes], "".join(out + err for out, err in told)


@pytest.fixture
def folders(tmp_path):
    found = [tmp_path / name for name in ("first", "second")]
    for folder in found:
        folder.mkdir()
    return found


def test_two_nodes_fine_tune_one_model_and_one_of_them_has_the_run(folders, tiny_checkpoint):
    for folder in folders:
        write_reviews(folder / "reviews.csv")
    flags = [*learning_flags(tiny_checkpoint("bert"), epochs=1), "--set", "judge.encoder_linear=false"]
    codes, told = run_nodes(folders, "finetune", "reviews.csv", *flags, "--run", "runs/shared")
    assert codes == [0, 0], told
    (run,) = [folder / "runs/shared" for folder in folders if (folder / "runs").exists()]  # torchrun numbers the nodes
    assert json.loads((run / "run.json").read_text())["status"] == "trained"
    assert told.count("Test still sealed") == 1


def test_what_a_node_does_not_have_is_told_once_with_its_name(folders, tiny_checkpoint):
    write_reviews(folders[0] / "reviews.csv")
    shutil.copy(folders[0] / "reviews.csv", folders[1] / "other.csv")
    flags = learning_flags(tiny_checkpoint("bert"), epochs=1)
    codes, told = run_nodes(folders, "finetune", "reviews.csv", *flags, "--run", "runs/shared")
    assert codes == [1, 1]  # torchrun's own
    assert sum(line.startswith("pretune: ") for line in told.splitlines()) == 1, told


def test_pre_training_on_nodes_without_a_shared_disk_says_so(folders):
    for folder in folders:
        write_documents(folder / "corpus.txt", make_documents(120))
    small = "hidden_size=32,num_hidden_layers=2,num_attention_heads=2"
    flags = ["--architecture", small, "--vocab-size", "512", "--window", "32", "--tokens", "2240", "--quiet"]
    codes, told = run_nodes(folders, "pretrain", "corpus.txt", "--run", "runs/shared", *flags)
    assert codes == [1, 1]
    (line,) = [line for line in told.splitlines() if line.startswith("pretune: ")]
    assert line == f"pretune: process 1 on {socket.gethostname()}: the run folder runs/shared of the first process is not here"
    assert "Expected: a run folder on a disk that all machines share" in told
