"""Corpus: from raw text to documents on disk that a language model can learn from."""

from pretune.data.corpus.corpus import Corpus, load_corpus
from pretune.data.corpus.of_model import find_sketch, find_sketches
from pretune.data.corpus.prepare import prepare_corpus

__all__ = ["Corpus", "find_sketch", "find_sketches", "load_corpus", "prepare_corpus"]
