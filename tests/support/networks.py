"""Networks with telling weights, padded batches and tiny checkpoints of odd families, for the tests of what needs torch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, MPNetConfig, MPNetModel

from pretune.models import Batch, Checkpoint, ClassNetwork, build_network, find_checkpoint, load_tokenizer
from pretune.tokens import Encoded, encode, pad

CLASSES = ("bad", "good", "mixed")
TEXTS = (
    "The film was great and the music brilliant.",
    "Dull.",
    "The story seemed rather clumsy but the ending was moving and the actor charming.",
    "A boring plot with a weak director.",
)


def shake(module: torch.nn.Module, scale: float = 0.1, seed: int = 1) -> None:
    """Move every weight off its start, so that no layer, bias or mask is without effect on the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * scale)


def open_network(folder: Path, classes: tuple[str, ...] = CLASSES, **options: Any) -> tuple[ClassNetwork, Any]:
    """Return the network of a checkpoint, its weights shaken, and the tokenizer."""
    checkpoint = find_checkpoint(str(folder))
    network = build_network(checkpoint, classes, **options)
    shake(network)
    return network, load_tokenizer(checkpoint)


def from_config(config: Any, num_classes: int = 3) -> ClassNetwork:
    """Return a network with the native head, its weights shaken, built without a file."""
    config.num_labels = num_classes
    network = ClassNetwork(AutoModelForSequenceClassification.from_config(config))
    shake(network)
    return network


def encode_texts(tokenizer: Any, texts: Sequence[str] = TEXTS, max_length: int = 64) -> Encoded:
    """Tokenize texts whose lengths differ."""
    return encode(texts, tokenizer, max_length=max_length)


def padded(tokenizer: Any, texts: Sequence[str] = TEXTS) -> Batch:
    """Return all texts as one padded batch of ids."""
    encoded = encode_texts(tokenizer, texts)
    ids, mask = (torch.from_numpy(part) for part in pad(encoded, range(len(encoded))))
    assert int(mask.sum(dim=1).min()) < mask.shape[1]  # something is padding
    return Batch(ids=ids, mask=mask)


def reference_logits(model: Any, batch: Batch) -> torch.Tensor:
    """Return what plain transformers says about a batch of ids."""
    logits: torch.Tensor = model(input_ids=batch.ids, attention_mask=batch.mask).logits
    return logits


def save_mpnet(folder: Path, tokenizer_from: Path) -> Path:
    """Save a headless MPNet, a family without an adapter."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_from)
    config = MPNetConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=130, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    MPNetModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def edit_json(file: Path, **changes: Any) -> None:
    """Change fields of a JSON object on disk."""
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def local(folder: Path) -> Checkpoint:
    """Return a checkpoint that nobody looked into."""
    return Checkpoint(name=str(folder), path=str(folder), is_local=True, model_type="")
