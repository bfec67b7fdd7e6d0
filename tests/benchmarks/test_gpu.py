"""The GPU benchmark in small, on whatever there is: it counts operations rightly and trains for real."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForSequenceClassification, BertConfig

import gpu
from pretune.models import ClassNetwork
from pretune.models.forward import bert
from pretune.train import Device

CPU = Device(kind="cpu", precision="fp32", threads=1, why="tests")
SMALL = gpu.Work(length=16, num_texts=6, num_steps=3, num_warm=1)


def small():
    return BertConfig(
        vocab_size=90, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=2,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip


def test_the_encoder_has_about_110_million_weights():
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(gpu.base_config())
    assert 108e6 < sum(weight.numel() for weight in model.parameters()) < 112e6


def test_operations_are_those_that_torch_counts(monkeypatch):
    monkeypatch.setattr(
        bert, "parts_to_train", lambda *_: None
    )  # as on a GPU; torch counts no product that is written into a tensor
    config = small()
    network = ClassNetwork(AutoModelForSequenceClassification.from_config(config))
    network.freeze("none")
    ((batch, targets),) = gpu.make_update(config, CPU, SMALL).parts
    with FlopCounterMode(display=False) as counter:
        torch.nn.functional.cross_entropy(network(batch), targets).backward()
    assert gpu.count_operations(network, SMALL) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_a_step_is_measured_as_the_loop_makes_it():
    found = gpu.measure(small(), CPU, SMALL)
    assert found["tokens_a_second"] > 0
    assert found["tflops"] > 0
    assert 0 < found["last_loss"] < 0.8
    assert gpu.best_product(CPU, sides=(64,)) > 0


def test_a_batch_is_cut_into_the_parts_of_fine_tuning(monkeypatch):
    monkeypatch.setitem(gpu.MAX_TOKENS_A_PART, "cpu", 40)
    parts = gpu.make_update(small(), CPU, SMALL).parts
    assert [len(targets) for _, targets in parts] == [2, 2, 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gpu.py"])
    assert gpu.main() == 0
    assert "no GPU" in capsys.readouterr().out
