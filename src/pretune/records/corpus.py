"""Records of raw text: the corpus, what became of its documents, and the vocabulary learned from it."""

from dataclasses import dataclass, field

from pretune.records.base import SCHEMA, Record
from pretune.records.data import LineCounts, Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFit(Record):
    """How a vocabulary takes one kind of text."""

    name: str  # "domain", "general", ...
    num_texts: int
    num_bytes: int  # UTF-8
    num_tokens: int  # special tokens aside
    num_unknown: int  # tokens that stand for what the vocabulary does not have
    num_words: int  # as the tokenizer itself parts words
    num_split_words: int  # in four pieces or more
    bytes_per_token: float
    tokens_per_word: float
    unknown_share: float  # of the tokens
    split_share: float  # of the words
    examples: tuple[str, ...] = ()  # the commonest of the split words, piece by piece


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerQuality(Record):
    """How well a vocabulary fits the texts, and a plain warning where it does not."""

    schema: int = SCHEMA
    kind: str  # "wordpiece", "bpe", "unigram", ...
    vocab_size: int
    fits: tuple[TokenizerFit, ...]
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSketch(Record):
    """What a model was pre-trained on, as hashes of its word windows (``data/corpus/sketch.py``)."""

    name: str
    num_texts: int
    hashes: tuple[int, ...]  # all of them, or those that the test texts have too
    is_known: bool = True  # False: there is a corpus, and its sketch is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFile(Record):
    """What was found in one file of a corpus: ``num_documents`` are those read and those rejected."""

    file: str
    role: str  # "train" or "validation"
    format: str  # "text", "json lines", ...
    encoding: str | None
    sha256: str | None
    num_documents: int
    num_rejected: int = 0  # could not be read
    rejected: tuple[Rejection, ...] = ()  # the first of them
    lines: LineCounts | None = None  # of a delimited file


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusReceipt(Record):
    """What became of every document of a corpus: ``num_documents == num_kept + sum(dropped.values())``."""

    schema: int = SCHEMA
    name: str
    licence: str | None = None
    files: tuple[CorpusFile, ...]
    num_documents: int
    num_characters: int  # of the documents that were kept, as they are kept
    num_words: int  # the same
    num_kept: int  # for training and validation together
    num_validation: int  # held out of training
    dropped: dict[str, int] = field(default_factory=dict)  # documents, by the first reason that applied
    changed: dict[str, int] = field(default_factory=dict)  # documents changed by cleaning, by what was done
    near_duplicates: dict[str, int] = field(
        default_factory=dict
    )  # "compared", "near": pairs; "largest": documents of a cluster
    near_duplicate_threshold: float | None = None
    validation_from: str = ""  # "hash of the text", or the file that has it
    digest: str = ""  # of the kept texts, in their order
    notes: tuple[str, ...] = ()
