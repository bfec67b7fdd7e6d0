"""How a GGUF file splits text before tokens are merged; the ids that a model was trained on depend on it.

The names are those of llama.cpp (``tokenizer.ggml.pre``), which splits text by these patterns one after another.
"""

from dataclasses import dataclass
from typing import Any

from tokenizers import Regex, pre_tokenizers

from pretune.errors import ModelLoadError

GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_AFTER_NUMBERS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
LLAMA_3 = _WORDS + r"|\p{N}{1,3}" + _AFTER_NUMBERS
QWEN_2 = _WORDS + r"|\p{N}" + _AFTER_NUMBERS
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Splitting:
    """One way of splitting text.

    Args:
        names: What files call it.
        patterns: What each matches becomes a piece of its own, one pattern after the other.
        takes_words_whole: Whether a piece that is a token is taken without merging.
    """

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    takes_words_whole: bool = False


SPLITTINGS = (
    Splitting(("default",), (r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    Splitting(("gpt-2", "phi-2", "mpt", "olmo", "gigachat", "a.x-4.0", "mellum", "trillion", "jais"), (GPT_2,)),
    Splitting(("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), (r"\p{N}", GPT_2)),
    Splitting(("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"), (LLAMA_3,), True),
    Splitting(("dbrx", "smaug-bpe"), (LLAMA_3,)),
    Splitting(("qwen2", "deepseek-r1-qwen", "megrez", "stablelm2"), (QWEN_2,)),
    Splitting(("tekken",), (TEKKEN,), True),
)


def split_as(tokenizer: Any, name: str, file: str) -> None:
    """Let a byte-level tokenizer split text as its file says; transformers reads some of these names and ignores the others.

    Args:
        tokenizer: Changed in place.
        name: What the file calls its way of splitting; empty where it names none.
        file: For the message.

    Raises:
        ModelLoadError: The way is not known, so the ids would not be those that the model was trained on.
    """
    found = next((splitting for splitting in SPLITTINGS if name in splitting.names), None)
    if found is None:
        known = ", ".join(splitting.names[0] for splitting in SPLITTINGS)
        raise ModelLoadError(
            f"{file} splits text as {name!r}, which pretune does not know"
            if name
            else f"{file} does not say how text is split",
            expected=f"tokenizer.ggml.pre to be one that pretune knows, such as {known}",
            fix="load the model from a folder with its tokenizer.json",
        )
    backend = tokenizer.backend_tokenizer
    pieces = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in found.patterns]
    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([*pieces, spell])
    model = backend.model
    model.ignore_merges = found.takes_words_whole
    backend.model = model
