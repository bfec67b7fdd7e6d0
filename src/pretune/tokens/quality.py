"""Does a vocabulary fit the texts? Bytes per token, unknown words, and the words it breaks up most."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from pretune.errors import ModelLoadError
from pretune.records import TokenizerFit, TokenizerQuality
from pretune.tokens.encode import uncut
from pretune.tokens.sample import take_sample

# Text that is looked at, of each kind. The share of split words of 2 MB, some 350,000 words, is exact to a tenth of a percent.
MAX_BYTES = 2_000_000
FEW_BYTES = 300_000  # where tokens a word alone are asked for: some 50,000 words
MANY_PIECES = 4  # pieces from which a word says little: what it means must be put together from parts that mean nothing
MAX_EXAMPLES = 12
BATCH = 500

# Where a vocabulary does not fit. One token in 500 unknown: about one a paragraph of which the model sees nothing.
MAX_UNKNOWN_SHARE = 0.002
# One word in 33, punctuation counted, in four pieces or more: about one in every second sentence. Measured (decision 0021):
# minilm's vocabulary has 0.9 % on Wikipedia, 0.3 % on film reviews, 1.7 % on health questions, 3.3 % on medical abstracts.
MAX_SPLIT_SHARE = 0.03
# Tokens a word, against general text through the same vocabulary: a quarter less text fits into a window, and costs as much.
MAX_GROWTH = 1.25


class _Counts(NamedTuple):
    num_tokens: int
    num_unknown: int
    num_words: int
    split: Counter[str]  # words in many pieces, as their pieces


def assess_tokenizer(tokenizer: Any, texts: Mapping[str, Iterable[str]]) -> TokenizerQuality:
    """Measure how a vocabulary takes each kind of text; special tokens are not counted.

    Args:
        tokenizer: A fast tokenizer of transformers.
        texts: By name; ``domain`` is what the vocabulary is wanted for, ``general`` what it is compared with. Each is read
            once, and of more than 2 MB an even sample is looked at.

    Returns:
        The figures of each kind, and a warning where the vocabulary does not fit ``domain``.
    """
    backend = tokenizer.backend_tokenizer
    fits = tuple(_measure(name, kind, backend, tokenizer.unk_token_id) for name, kind in texts.items())
    return TokenizerQuality(
        kind=type(backend.model).__name__.lower(),
        vocab_size=len(tokenizer),
        fits=fits,
        warning=find_misfit({fit.name: fit for fit in fits}),
    )


def fit_of_file(path: Path, texts: Iterable[str]) -> TokenizerFit:
    """Measure how the vocabulary in a ``tokenizer.json`` takes texts, without transformers; special tokens are not counted.

    Raises:
        ModelLoadError: It is not a tokenizer.
    """
    backend, unknown_id = _open_file(path)
    return _measure("train", texts, backend, unknown_id, max_bytes=FEW_BYTES)


def count_tokens(path: Path, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield of each text how many tokens the vocabulary in a ``tokenizer.json`` takes, and how many of them it does not have.

    Raises:
        ModelLoadError: It is not a tokenizer.
    """
    backend, unknown_id = _open_file(path)
    with uncut(backend):
        for start in range(0, len(texts), BATCH):
            for encoding in backend.encode_batch(texts[start : start + BATCH], add_special_tokens=False):
                yield len(encoding.ids), 0 if unknown_id is None else encoding.ids.count(unknown_id)


def _open_file(path: Path) -> tuple[Any, int | None]:
    try:
        backend = Tokenizer.from_file(str(path))
        unknown = json.loads(path.read_bytes())["model"].get("unk_token")
    except Exception as error:  # tokenizers raises no class of its own
        raise ModelLoadError(f"{path} is damaged", expected="a tokenizer.json", fix="restore the file") from error
    return backend, None if unknown is None else backend.token_to_id(unknown)


def find_misfit(fits: Mapping[str, TokenizerFit]) -> str:
    """Say in a sentence why a vocabulary does not fit the domain; an empty string where it does."""
    domain, general = fits.get("domain"), fits.get("general")
    if domain is None or domain.num_tokens == 0:
        return ""
    reasons = []
    if domain.unknown_share > MAX_UNKNOWN_SHARE:
        reasons.append(f"{_percent(domain.unknown_share)} of its tokens are unknown (limit {_percent(MAX_UNKNOWN_SHARE)})")
    if domain.split_share > MAX_SPLIT_SHARE:
        share = f"{_percent(domain.split_share)} of its words are split into {MANY_PIECES} or more pieces"
        reasons.append(f"{share} (limit {_percent(MAX_SPLIT_SHARE)})")
    if general is not None and general.num_tokens and domain.tokens_per_word > MAX_GROWTH * general.tokens_per_word:
        growth = domain.tokens_per_word / general.tokens_per_word
        reasons.append(f"a word takes {growth:.2f} times as many tokens as in general text (limit {MAX_GROWTH})")
    if not reasons:
        return ""
    advice = "a larger vocabulary, or one learned from the domain itself, would lose less"
    return f"the vocabulary does not fit the domain: {'; '.join(reasons)}; {advice}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _measure(
    name: str, texts: Iterable[str], backend: Any, unknown_id: int | None, *, max_bytes: int = MAX_BYTES
) -> TokenizerFit:
    sample = take_sample(texts, max_bytes)
    counts = _count(sample.texts, backend, unknown_id)
    num_split = counts.split.total()
    return TokenizerFit(
        name=name,
        num_texts=len(sample.texts),
        num_bytes=sample.num_bytes,
        num_tokens=counts.num_tokens,
        num_unknown=counts.num_unknown,
        num_words=counts.num_words,
        num_split_words=num_split,
        bytes_per_token=sample.num_bytes / max(1, counts.num_tokens),
        tokens_per_word=counts.num_tokens / max(1, counts.num_words),
        unknown_share=counts.num_unknown / max(1, counts.num_tokens),
        split_share=num_split / max(1, counts.num_words),
        examples=tuple(_commonest(counts.split)),
    )


def _count(texts: list[str], backend: Any, unknown_id: int | None) -> _Counts:
    num_tokens = num_unknown = num_words = 0
    split: Counter[str] = Counter()
    with uncut(backend):
        for start in range(0, len(texts), BATCH):
            for encoding in backend.encode_batch(texts[start : start + BATCH], add_special_tokens=False):
                words = np.array([-1 if word is None else word for word in encoding.word_ids], dtype=np.int64)
                begins = np.flatnonzero(np.diff(words, prepend=-2))
                sizes = np.diff(begins, append=len(words))
                num_tokens, num_words = num_tokens + len(words), num_words + len(begins)
                num_unknown += 0 if unknown_id is None else encoding.ids.count(unknown_id)
                long = np.flatnonzero(sizes >= MANY_PIECES)
                if len(long):
                    tokens = encoding.tokens
                    split.update(" ".join(tokens[begins[word] : begins[word] + sizes[word]]) for word in long)
    return _Counts(num_tokens, num_unknown, num_words, split)


def _commonest(split: Counter[str]) -> list[str]:
    return sorted(split, key=lambda word: (-split[word], word))[:MAX_EXAMPLES]
