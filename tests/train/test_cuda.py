"""What needs a GPU: the same training there, in bf16, with fused attention and torch.compile, and over NCCL."""

from dataclasses import replace

import pytest
import torch
from networks import encode_texts, open_network, padded

from pretune.models import Inputs, prepare_inputs
from pretune.predict import predict_logits
from pretune.train import choose_device
from tasks import CPU, QUICK, Task
from tiny import FAMILIES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that PyTorch sees"),
]


@pytest.fixture
def task(tiny_checkpoint):
    return Task(tiny_checkpoint("bert"))


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_on_the_gpu_are_those_of_the_processor(family, tiny_checkpoint):
    network, tokenizer = open_network(tiny_checkpoint(family), dropout=0.0)
    inputs = Inputs(encode_texts(tokenizer))
    expected = predict_logits(network, inputs)
    torch.testing.assert_close(predict_logits(network.to("cuda"), inputs), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("freeze", ["none", "last-1", "all"])
def test_losses_of_training_are_those_of_the_processor(freeze, task):
    losses = []
    for device in (CPU, choose_device("cuda", precision="fp32")):
        network, encoded = task.open(freeze=freeze)
        network.to(device.kind)
        boundary = network.freeze(freeze)
        inputs = prepare_inputs(network, encoded, boundary)
        run = task.finetuning(network, inputs, freeze=freeze, epochs=2, device=device)
        list(run)
        losses.append([step.loss for step in run.history.steps])
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)


def test_bf16_learns_and_attention_is_fused(task):
    device = choose_device("cuda", precision="bf16")
    network, encoded = task.open(replace(QUICK, dropout=0.1))
    network.to("cuda")
    network.freeze("none")
    run = task.finetuning(network, Inputs(encoded), replace(QUICK, dropout=0.1), epochs=6, device=device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        list(run)
    assert run.history.steps[-1].loss < run.history.steps[0].loss
    assert any("scaled_dot_product" in event.key for event in profile.key_averages())
    assert not network.sparse_parameters()


def test_compiled_layers_give_the_same_losses(task):
    losses = []
    for compiled in (False, True):
        network, encoded = task.open()
        network.to("cuda")
        network.freeze("none")
        if compiled:
            network.compile_layers()
        run = task.finetuning(network, Inputs(encoded), epochs=2, device=choose_device("cuda", precision="fp32"))
        list(run)
        losses.append([step.loss for step in run.history.steps])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_step_does_not_wait_for_the_gpu_between_its_parts(task):
    """Only the loss and the norm, at the end of a step, are read."""
    network, tokenizer = open_network(task.folder, dropout=0.0)
    network.to("cuda")
    batch = replace(padded(tokenizer), ids=padded(tokenizer).ids.cuda(), mask=padded(tokenizer).mask.cuda())
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        network(batch).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(weight.grad is not None for weight in network.parameters() if weight.requires_grad)
