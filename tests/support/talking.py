"""A tiny Llama that talks: random weights, a byte-level vocabulary, a chat template with marks of turns."""

import random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from pretune.models import LanguageNetwork
from tiny import make_rows

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def talking_tokenizer(vocab_size: int = 512) -> Any:
    """Return a fast tokenizer with control tokens and a chat template; any text survives it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([text for text, _ in make_rows(100)], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        chat_template=TEMPLATE,
    )


def talking_model(tokenizer: Any, *, kept: int = 2, bias: bool = False, tied: bool = True, seed: int = 0) -> Any:
    """Return a Llama of transformers whose next words differ much in likelihood."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=kept,
        max_position_embeddings=256,
        attention_bias=bias,
        mlp_bias=bias,
        tie_word_embeddings=tied,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight + torch.randn(weight.shape) * 0.15)
    return model


def talking_network(**options: Any) -> tuple[LanguageNetwork, Any]:
    """Return the network and its tokenizer."""
    tokenizer = talking_tokenizer()
    return LanguageNetwork(talking_model(tokenizer, **options)).eval(), tokenizer


def make_prompts(tokenizer: Any, number: int = 9, *, seed: int = 0) -> list[list[int]]:
    """Return prompts of different lengths."""
    draw = random.Random(seed)
    return [[draw.randrange(3, len(tokenizer)) for _ in range(draw.randrange(1, 40))] for _ in range(number)]
