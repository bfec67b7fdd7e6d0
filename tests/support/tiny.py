"""Tiny things that are real in kind: generated rows, and a checkpoint of each family built from a config."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FAMILIES = ("bert", "distilbert", "roberta", "electra", "deberta-v2", "modernbert")
# Modules of each family's own classification head, and where its layers lie, where not in "encoder.layer".
HEADS = {
    "bert": {"bert.pooler.dense", "classifier"},
    "distilbert": {"pre_classifier", "classifier"},
    "roberta": {"classifier.dense", "classifier.out_proj"},
    "electra": {"classifier.dense", "classifier.out_proj"},
    "deberta-v2": {"pooler.dense", "classifier"},
    "modernbert": {"head.dense", "head.norm", "classifier"},
}
LAYERS = {"distilbert": "transformer.layer", "modernbert": "layers"}
GOOD_WORDS = "great wonderful moving brilliant charming funny superb delightful fresh honest".split()
BAD_WORDS = "awful boring clumsy dull tedious bland weak terrible shallow stale".split()
NEUTRAL_WORDS = (
    "the a this that film movie story plot scene actor director camera music ending was is seemed felt with and "
    "but very rather quite always never people night family city war love train dog morning summer letter river"
).split()


def make_rows(num_rows: int = 300, *, noise: float = 0.0, seed: int = 0) -> list[tuple[str, str]]:
    """Generate distinct (text, label) rows, half "good", half "bad", told apart by two or three words of each text."""
    draw = random.Random(seed)
    texts: dict[str, str] = {}
    while len(texts) < num_rows:
        label = ("good", "bad")[len(texts) % 2]
        telling = draw.choices(GOOD_WORDS if label == "good" else BAD_WORDS, k=draw.randint(2, 3))
        words = draw.choices(NEUTRAL_WORDS, k=draw.randint(5, 14)) + telling
        draw.shuffle(words)
        texts.setdefault(" ".join(words).capitalize() + ".", label)
    flipped = {"good": "bad", "bad": "good"}
    return [(text, flipped[label] if draw.random() < noise else label) for text, label in texts.items()]


def save_checkpoint(family: str, folder: Path) -> None:
    """Save config, safetensors and tokenizer of a headless model, 3 layers × 32, into ``folder``."""
    import torch
    from transformers import AutoModel

    tokenizer = _build_tokenizer(family)
    torch.manual_seed(0)
    model = AutoModel.from_config(_build_config(family, tokenizer)).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _build_config(family: str, tokenizer: Any) -> Any:
    from transformers import AutoConfig

    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
    special: dict[str, dict[str, Any]] = {
        "bert": {},
        "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 2, "hidden_dim": 64},
        "roberta": {"max_position_embeddings": 130, "type_vocab_size": 1},  # positions start after the padding id
        "electra": {"embedding_size": 16},
        "deberta-v2": {
            "relative_attention": True,
            "position_buckets": 32,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        "modernbert": {"global_attn_every_n_layers": 3, "local_attention": 16},
    }
    ids = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "cls", "sep", "bos", "eos")}
    values = ({} if family == "distilbert" else sizes) | {"max_position_embeddings": 128} | special[family]
    return AutoConfig.for_model(family, vocab_size=len(tokenizer), **values, **ids)


def _build_tokenizer(family: str) -> Any:
    from transformers import PreTrainedTokenizerFast

    angled = family == "roberta"
    names = SimpleNamespace(cls="<s>", pad="<pad>", sep="</s>", unk="<unk>", mask="<mask>")
    if not angled:
        names = SimpleNamespace(cls="[CLS]", pad="[PAD]", sep="[SEP]", unk="[UNK]", mask="[MASK]")
    bounds = {"bos_token": names.cls, "eos_token": names.sep} if angled else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=_train_tokenizer(family, names),
        cls_token=names.cls,
        pad_token=names.pad,
        sep_token=names.sep,
        unk_token=names.unk,
        mask_token=names.mask,
        model_max_length=128,
        model_input_names=_input_names(family),
        **bounds,
    )


def _input_names(family: str) -> list[str]:
    segments = ["token_type_ids"] if family in ("bert", "electra", "deberta-v2") else []
    return ["input_ids", *segments, "attention_mask"]


def _train_tokenizer(family: str, names: SimpleNamespace) -> Any:
    """Train WordPiece (lower case), byte-level BPE or Unigram, as the family has it, on generated text."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    special = [names.cls, names.pad, names.sep, names.unk, names.mask]
    texts = [text for text, _ in make_rows(300)] + ["0123456789 abcdefghijklmnopqrstuvwxyz ,;:!?'\"()-"]
    if family in ("roberta", "modernbert"):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    elif family == "deberta-v2":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=special, unk_token=names.unk, show_progress=False)
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token=names.unk))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names.cls} $A {names.sep}",
        pair=f"{names.cls} $A {names.sep} $B:1 {names.sep}:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (names.cls, names.sep)],
    )
    return tokenizer
