"""A corpus whose words follow each other in chains, and flags of a pre-training small enough for a test."""

import random
from pathlib import Path

from tiny import make_rows

SMALL = [
    "--architecture", "hidden_size=32,num_hidden_layers=2,num_attention_heads=2", "--vocab-size", "512", "--window", "32",
    "--batch-tokens", "256", "--threads", "1", "--set", "pretrain.precision=fp32",
]  # fmt: skip


def write_corpus(path: Path, number: int = 200, *, seed: int = 0) -> Path:
    """Write documents made of the words that the reviews have, in chains: each word is followed by one of two."""
    chance = random.Random(seed)
    words = sorted({word for text, _ in make_rows(240) for word in text.split() if word.isalpha()})
    order = words[:]
    random.Random(1).shuffle(order)
    documents = []
    for _ in range(number):
        place = chance.randrange(len(order))
        document = []
        for _ in range(24):
            document.append(order[place % len(order)])
            place += chance.choice((1, 1, 1, 2))
        documents.append(" ".join(document))
    path.write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    return path
