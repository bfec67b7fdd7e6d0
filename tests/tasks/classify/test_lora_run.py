"""A whole fine-tuning with LoRA: what is saved is plain, what is told is true, and one that was cut off goes on to the bit."""

import json
from pathlib import Path

import pytest
from running import call, learning_flags
from safetensors.torch import load_file

from pretune.report.card.card import render_card
from pretune.run import RunFolder
from pretune.train import Checkpoints

pytest.importorskip("peft", reason="needs the extra lora")


@pytest.fixture
def command(workplace, tiny_checkpoint):
    assert (workplace / "reviews.csv").is_file()
    flags = learning_flags(tiny_checkpoint("bert"), epochs=2)
    return ["finetune", "reviews.csv", "--quiet", *flags, "--lora", "4", "--set", "judge.encoder_linear=false"]


def weights_of(run):
    return load_file(Path(run) / "model" / "model.safetensors")


def test_a_cut_off_run_with_lora_goes_on_to_the_bit_and_is_saved_plain(command, monkeypatch, capsys):
    assert call(*command, "--run", "runs/whole") == 0
    record = RunFolder(Path("runs/whole")).read_record()
    assert record.history is not None
    layers = 3 * (4 * 2 * 4 * 32 + 2 * 4 * (32 + 64))  # four of 32 × 32 and two of 32 × 64 in each of three layers
    head = 32 * 32 + 32 + 32 * 2 + 2
    assert record.history.num_trained_weights == layers + head
    assert record.history.num_weights == sum(value.numel() for value in weights_of("runs/whole").values())
    assert not [name for name in weights_of("runs/whole") if "lora" in name or "base_layer" in name]
    assert f"LoRA of rank 4, merged into the weights, and the head: {layers + head:,} weights" in render_card(record)
    events = [json.loads(line) for line in Path("runs/whole/trace.jsonl").read_text().splitlines()]
    assert next(event["done"] for event in events if event.get("stage") == "merge").startswith("logits differ by at most")

    saved = []

    def save(self, state, plain=Checkpoints.save):
        plain(self, state)
        saved.append(state)
        if len(saved) == 50:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "is_due", property(lambda _: True))
        patch.setattr(Checkpoints, "save", save)
        assert call(*command, "--run", "runs/cut") == 130
    assert any("lora_A" in name for name in saved[-1].tensors)
    assert call(*command, "--run", "runs/cut") == 0
    capsys.readouterr()
    first, second = weights_of("runs/whole"), weights_of("runs/cut")
    assert all(bool((first[name] == second[name]).all()) for name in first)
