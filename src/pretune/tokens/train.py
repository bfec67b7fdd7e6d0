"""Learns a vocabulary from text: WordPiece or byte-level BPE, identical to the bit each time."""

import json
import string
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from pretune.configs import TokenizerConfig
from pretune.errors import DataError, UsageError
from pretune.run.trace import Trace
from pretune.tokens.sample import Sample, take_sample
from pretune.wording.messages import named

# Fixed ids: a token's number in these is its id. An end that texts do not hold parts documents for causal models.
WORDPIECE_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
BPE_SPECIAL = ("<|endoftext|>", "<|pad|>")
MULTIPLE = 64  # of the vocabulary: matrix products are fastest at such sizes
# Characters that get pieces of their own: the commonest, as many as cover this share of the text. The rest are slips and single
# words of other scripts: of 569 characters in 8 MB of English Wikipedia 158 cover so much, and 340 come once or twice.
COVERED_SHARE = 0.9999
MAX_ALPHABET_SHARE = 0.125  # of the vocabulary: a character takes two pieces, one that begins a word and one that goes on
BATCH = 1_000  # texts handed over at once, to be counted on all cores


def train_tokenizer(
    texts: Iterable[str],
    *,
    kind: str = "wordpiece",
    vocab_size: int = 8192,
    lowercase: bool | None = None,
    max_bytes: int = TokenizerConfig().max_bytes,
    trace: Trace | None = None,
) -> Any:
    """Learn a vocabulary from texts, of the training part only.

    The result depends on the set of texts, not on their order, and is a fast tokenizer of transformers: ``save_pretrained``
    writes it, and ``AutoTokenizer`` in plain transformers gives the same ids. ``wordpiece`` puts ``[CLS]`` before and ``[SEP]``
    after each text; ``bpe`` puts nothing, so that a prompt can be continued; its ``<|endoftext|>`` ends documents in a store.

    Args:
        texts: Cleaned texts, read once.
        kind: ``wordpiece`` or ``bpe``.
        vocab_size: Tokens, special ones included; rounded up to a multiple of 64. Texts too few for so many give fewer, and
            that is noted in the trace. What lacks to a multiple of 64 is filled with tokens that no text has.
        lowercase: Fold case and accents; ``None`` does so for ``wordpiece``.
        max_bytes: Text that is learned from, at most; of more, an even sample of the documents.
        trace: Told the stage with its shapes.

    Raises:
        DataError: There is no text in the texts.
        UsageError: An option does not fit (see ``TokenizerConfig``), or the vocabulary has room for characters only.
    """
    config = TokenizerConfig(kind=kind, vocab_size=vocab_size, lowercase=lowercase, max_bytes=max_bytes)
    trace = trace or Trace()
    with trace.stage("train tokenizer") as stage:
        sample = take_sample(texts, config.max_bytes)
        if not any(text.strip() for text in sample.texts):
            raise DataError(
                f"there is no text to learn a vocabulary from: {sample.num_all_texts:,} texts, all empty",
                expected="at least a few sentences",
                fix="check the corpus and what cleaning dropped",
            )
        wanted = -(-config.vocab_size // MULTIPLE) * MULTIPLE
        tokenizer = (_train_wordpiece if kind == "wordpiece" else _train_bpe)(sample, wanted, _folds_case(config))
        stage.shape_in, stage.shape_out = str(sample), f"{len(tokenizer):,} tokens"
        folds = ", lower case" if _folds_case(config) else ""
        stage.done = f"learned {'WordPiece' if kind == 'wordpiece' else 'byte-level BPE'}{folds}"
        stage.example = " ".join(tokenizer.tokenize(_first_words(sample.texts)))
        if not sample.is_whole:
            stage.notes.append(f"learned from an even sample of at most {config.max_bytes:,} bytes")
        if len(tokenizer) < wanted:
            trace.note(f"the texts yield only {len(tokenizer):,} tokens, not {wanted:,}; the vocabulary has that size")
    return tokenizer


def _folds_case(config: TokenizerConfig) -> bool:
    return config.kind == "wordpiece" if config.lowercase is None else config.lowercase


def _train_wordpiece(sample: Sample, wanted: int, lowercase: bool) -> Any:
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    characters = _alphabet(sample.texts, normalizer, int(wanted * MAX_ALPHABET_SHARE))
    # The library numbers the pieces that go on a word as it meets them, in an order that differs from process to process, and
    # ties between pieces are settled by number. Pieces named beforehand have their numbers from the start.
    named = [*WORDPIECE_SPECIAL, *characters, *(f"##{character}" for character in characters)]
    _check_room(len(named), wanted)
    learner = _wordpiece({}, normalizer)
    _learn(
        learner,
        sample.texts,
        trainers.WordPieceTrainer(
            vocab_size=wanted,
            special_tokens=named,
            initial_alphabet=characters,
            limit_alphabet=len(characters),
            show_progress=False,
        ),
    )
    vocabulary = _filled(learner.get_vocab(), "[unused{}]")
    tokenizer = _wordpiece(vocabulary, normalizer)
    tokenizer.add_special_tokens(list(WORDPIECE_SPECIAL))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return _for_transformers(tokenizer, dict(zip(roles, WORDPIECE_SPECIAL, strict=True)))


def _wordpiece(vocabulary: dict[str, int], normalizer: Any) -> Any:
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer


def _train_bpe(sample: Sample, wanted: int, lowercase: bool) -> Any:
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())  # one for each byte
    _check_room(len(BPE_SPECIAL) + len(characters), wanted)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, clean_text=False) if lowercase else None
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = list(BPE_SPECIAL)
    _learn(
        tokenizer,
        sample.texts,
        trainers.BpeTrainer(vocab_size=wanted, special_tokens=special, initial_alphabet=characters, show_progress=False),
    )
    merges = [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]
    tokenizer.model = models.BPE(_filled(tokenizer.get_vocab(), "<|unused{}|>"), merges)
    tokenizer.add_special_tokens(special)
    return _for_transformers(tokenizer, {"bos_token": special[0], "eos_token": special[0], "pad_token": special[1]})


def _learn(tokenizer: Any, texts: Sequence[str], trainer: Any) -> None:
    batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
    tokenizer.train_from_iterator(batches, trainer)


def _alphabet(texts: Sequence[str], normalizer: Any, limit: int) -> list[str]:
    """Return the commonest characters after normalizing, and those of every keyboard, in the order of their code points."""
    counts: npt.NDArray[np.int64] = np.zeros(0x110000, dtype=np.int64)
    for start in range(0, len(texts), BATCH):
        joined = "".join(texts[start : start + BATCH]).encode("utf-32-le", "surrogatepass")
        codes, times = np.unique(np.frombuffer(joined, dtype=np.uint32), return_counts=True)
        counts[codes] += times
    totals: dict[str, int] = {}
    for code in np.flatnonzero(counts).tolist():
        for character in normalizer.normalize_str(chr(code)).replace(" ", "") if not 0xD800 <= code < 0xE000 else "":
            totals[character] = totals.get(character, 0) + int(counts[code])
    ranked = sorted(totals, key=lambda character: (-totals[character], character))
    reached = np.cumsum([totals[character] for character in ranked])
    enough = int(np.searchsorted(reached, COVERED_SHARE * reached[-1])) + 1 if ranked else 0
    keyboard = {normalizer.normalize_str(character) for character in string.ascii_letters + string.digits + string.punctuation}
    return sorted(keyboard.union(ranked[: min(enough, limit)]))


def _check_room(num_named: int, wanted: int) -> None:
    if num_named >= wanted:
        raise UsageError(
            f"a vocabulary of {wanted:,} tokens has no room beyond its {num_named:,} special tokens and characters",
            expected="room for pieces of words",
            fix=f"raise {named('vocab_size')} to at least {2 * num_named:,}",
        )


def _filled(vocabulary: dict[str, int], name: str) -> dict[str, int]:
    """Bring the size to a multiple of 64 by tokens that no text has."""
    missing = -len(vocabulary) % MULTIPLE
    return vocabulary | {name.format(index): len(vocabulary) + index for index in range(missing)}


def _for_transformers(tokenizer: Any, special: dict[str, str]) -> Any:
    from transformers import PreTrainedTokenizerFast  # what only looks at a vocabulary does not load it

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
        **special,
    )


def _first_words(texts: Sequence[str]) -> str:
    return " ".join(next(text for text in texts if text.strip()).split()[:8])
