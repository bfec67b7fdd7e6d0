"""Tokenizers of several kinds, chat templates of several makes, and conversations for them."""

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from pretune.records import Turn

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<s>",
    "</s>",
    "<unk>",
    "<|eot|>",
    "<|begin|>",
    "<|head|>",
    "<|/head|>",
]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DEFAULT_SYSTEM = "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}" + CHATML
LLAMA_3 = (
    "{{ bos_token }}{% for m in messages %}{{ '<|head|>' + m.role + '<|/head|>\n\n' + m.content | trim + '<|eot|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|head|>assistant<|/head|>\n\n' }}{% endif %}"
)
MISTRAL = (  # no generation prompt, no control token before replies, no system turn
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content | trim + ' [/INST]' }}"
    "{% elif m.role == 'assistant' %}{{ ' ' + m.content | trim + eos_token }}"
    "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}{% endfor %}"
)
THINKING = (  # empty thoughts before the last reply
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TEMPLATES = {"chatml": CHATML, "system": DEFAULT_SYSTEM, "llama-3": LLAMA_3, "mistral": MISTRAL, "thinking": THINKING}
KINDS = ("bytes", "pieces", "first")
WORDS = r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"  # of Llama 3

TEXTS = ["Tom eats 12 apples.", "Hello there!", "a user says\nassistant system [INST] no", "Grüße, 世界 👋", "  a  b \n\n c"]


def make_tokenizer(template: str | None = CHATML, kind: str = "bytes", special=SPECIAL, **named) -> PreTrainedTokenizerFast:
    if kind in ("bytes", "gpt-2"):
        inner = Tokenizer(models.BPE())
        split = pre_tokenizers.Split(Regex(WORDS), "isolated")
        bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind == "gpt-2")
        inner.pre_tokenizer = bytewise if kind == "gpt-2" else pre_tokenizers.Sequence([split, bytewise])
        inner.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        inner.train_from_iterator(TEXTS * 4, trainer)
    else:  # a control token is a piece of the vocabulary, as it is in those of sentencepiece
        signs = sorted({sign for text in [*TEXTS, *special, "▁"] for sign in text if not sign.isspace()})
        pieces = [(name, 0.0) for name in special] + [(sign, -10.0) for sign in signs]
        inner = Tokenizer(models.Unigram([*pieces, ("▁a", -3.0), ("▁Hello", -3.0), ("er", -4.0)], special.index("<unk>")))
        if kind == "pieces":
            inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        else:
            inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        inner.decoder = decoders.Metaspace(prepend_scheme="first")
        inner.add_special_tokens(special)
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"} | named
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, **named)
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = template
    return tokenizer


def talk(*texts: str, system: str | None = None) -> list[Turn]:
    turns = [Turn(role=("user", "assistant")[place % 2], text=text) for place, text in enumerate(texts)]
    return turns if system is None else [Turn(role="system", text=system), *turns]
