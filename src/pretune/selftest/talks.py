"""Conversations of the self-test, whose answers follow from one of their words, and a tiny Llama that learns them."""

import json
import random
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SUBJECTS = {
    "gout": "joints", "asthma": "lungs", "anemia": "blood", "migraine": "head", "eczema": "skin", "angina": "heart",
    "gastritis": "stomach", "hepatitis": "liver", "nephritis": "kidneys", "neuritis": "nerves", "cystitis": "bladder",
}  # fmt: skip
QUESTIONS = (
    "What is {}?",
    "Tell me what {} is.",
    "Which part does {} touch?",
    "I have {}; what does that mean?",
    "Explain {}.",
)
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
NUM_TALKS = 60


def write_talks(folder: Path, *, num_talks: int = NUM_TALKS) -> None:
    """Write ``talks.jsonl``, ``texts.txt`` to mix in, and ``talker/``, a model folder of 2 layers × 32."""
    rows = make_pairs(num_talks)
    (folder / "talks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    texts = (
        f"{row['response']} It was asked: {row['prompt']} Nothing else is known of it.\n" for row in make_pairs(40, seed=1)
    )
    (folder / "texts.txt").write_text("".join(texts), encoding="utf-8")
    write_chat_model(folder / "talker")


def make_pairs(num_rows: int = NUM_TALKS, *, seed: int = 0) -> list[dict[str, str]]:
    """Return distinct rows of prompt, response and subject.

    Example:
        >>> make_pairs(1)[0]["response"]
        'gastritis is of the stomach.'
    """
    draw, rows = random.Random(seed), dict[str, dict[str, str]]()
    while len(rows) < num_rows:
        subject = draw.choice(list(SUBJECTS))
        extra = draw.choice(
            ("", " Please.", " Be brief.", f" I am {draw.randint(20, 80)}.", f" Asked on day {draw.randint(1, 999)}.")
        )
        prompt = draw.choice(QUESTIONS).format(subject) + extra
        rows[prompt] = {"prompt": prompt, "response": f"{subject} is of the {SUBJECTS[subject]}.", "subject": subject}
    return list(rows.values())


def write_chat_model(folder: Path, *, template: str | None = TEMPLATE, seed: int = 0, tied: bool = True) -> None:
    """Write an untrained Llama of 2 layers × 32 with a byte-level tokenizer whose marks are those of ChatML."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    texts = [text for row in make_pairs(300) for text in (row["prompt"], row["response"], "user\nassistant\nsystem\n")]
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=420, special_tokens=list(MARKS), initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|im_end|>", bos_token="<|im_start|>"
    )
    tokenizer.chat_template = template
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=tied, max_position_embeddings=256,
        eos_token_id=2, bos_token_id=1, pad_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
