"""Two processes pre-train as one: the same losses and weights, one voice, one folder, and Ctrl-C or a failure ends both."""

import json

import pytest
import torch
from corpora import make_documents, write_documents
from running import call
from together import finish, start
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

# AdamW makes steps of the rate's size out of gradients that are nearly nothing but rounding; this rate keeps those small.
SMALL = [
    "--architecture", "hidden_size=32,num_hidden_layers=2,num_attention_heads=2", "--vocab-size", "512", "--window", "32",
    "--batch-tokens", "224", "--threads", "1", "--set", "pretrain.precision=fp32",
    "--lr", "1e-3", "--tokens", "4480", "--quiet",
]  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    return write_documents(tmp_path / "corpus.txt", make_documents(120))


def losses(run):
    milestones = json.loads((run / "run.json").read_text())["pretraining"]["milestones"]
    return [(item["training_loss"], item["loss"], item["accuracy"]) for item in milestones]


IN_PARTS = ["--set", "pretrain.shard=true"]
KINDS = {"masked": AutoModelForMaskedLM, "causal": AutoModelForCausalLM}


@pytest.mark.parametrize(
    ("objective", "optimizer", "shard"),
    [
        ("masked", "adamw", []),
        pytest.param("causal", "adamw", [], marks=pytest.mark.slow),
        pytest.param("masked", "adamw", IN_PARTS, marks=pytest.mark.slow),
        pytest.param("causal", "adamw", IN_PARTS, marks=pytest.mark.slow),
        pytest.param("causal", "muon", [], marks=pytest.mark.slow),
        pytest.param("causal", "muon", IN_PARTS, marks=pytest.mark.slow),
    ],
)
def test_two_processes_learn_what_one_learns(corpus, tmp_path, objective, optimizer, shard):
    alone, shared, kind = tmp_path / "alone", tmp_path / "shared", KINDS[objective]
    flags = [*SMALL, "--objective", objective, "--set", f"pretrain.optimizer={optimizer}"]
    assert call("pretrain", corpus, "--run", alone, *flags) == 0
    ended = finish(start("-m", "pretune", "pretrain", corpus, "--run", shared, *flags, *shard))
    assert [item.code for item in ended] == [0, 0], ended[0].err + ended[1].err
    assert ended[1].out + ended[1].err == ""
    assert not (shared / "start").exists()
    for one, two in zip(losses(alone), losses(shared), strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    first, second = (kind.from_pretrained(run / "model").state_dict() for run in (alone, shared))
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, atol=1e-5, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}")
