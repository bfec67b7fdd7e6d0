"""Material of the self-test: a tiny BERT built from a config, and generated rows that words tell apart; no download."""

import csv
import random
from pathlib import Path

WORDS = {
    "good": "great moving brilliant charming funny superb fresh honest".split(),
    "bad": "awful boring clumsy dull tedious bland weak stale".split(),
}
FILLERS = "the a film story plot scene actor music ending was is seemed with and but very quite family city night".split()
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NUM_ROWS = 60


def write_material(folder: Path, *, seed: int = 0) -> tuple[Path, Path]:
    """Write ``rows.csv`` and ``tiny/``, a model folder of 2 layers × 16; return both paths."""
    table, model = folder / "rows.csv", folder / "tiny"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *make_rows(NUM_ROWS, seed=seed)])
    write_model(model, seed=seed)
    return table, model


def make_rows(num_rows: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Return distinct (text, label) pairs, as many of the one label as of the other.

    Example:
        >>> [label for _, label in make_rows(4)]
        ['good', 'bad', 'good', 'bad']
    """
    draw, rows = random.Random(seed), dict[str, str]()
    while len(rows) < num_rows:
        label = ("good", "bad")[len(rows) % 2]
        words = draw.choices(FILLERS, k=draw.randint(6, 12)) + draw.choices(WORDS[label], k=2)
        draw.shuffle(words)
        rows.setdefault(" ".join(words), label)
    return list(rows.items())


def write_model(folder: Path, *, seed: int = 0) -> None:
    """Write config, safetensors and tokenizer of an untrained BERT."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [*SPECIAL, *FILLERS, *(word for group in WORDS.values() for word in group)]
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    bounds = [(name, words.index(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=bounds
    )
    names = {f"{name[1:-1].lower()}_token": name for name in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    BertModel(config).save_pretrained(folder)
