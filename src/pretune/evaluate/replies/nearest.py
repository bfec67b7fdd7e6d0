"""Nearest: which questions of training are most like a question, by its words, by its characters, or by given vectors?

scikit-learn waits until a table is made: a model that is only talked with needs none, and it is a seventh of the start.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pretune.hashing import fold
from pretune.intervals import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

WORDS, CHARACTERS, VECTORS = "words", "characters", "vectors"
Vectors = Callable[[Sequence[str]], Floats]  # texts → (num_texts, width)
Places = npt.NDArray[np.int64]

# Similarities held in memory at once: 8 bytes each.
MAX_CELLS = 4_000_000
# Character pieces that a larger share of the questions have are left out: they tell nothing apart and cost most of the time.
MAX_PIECE_SHARE = 0.1

_WORD = re.compile(r"\w+")


def nearest_questions(
    way: str, known: Sequence[str], asked: Sequence[str], *, count: int = 1, vectors: Vectors | None = None
) -> Places | None:
    """Return the places of the most similar known questions, the most similar first; of equals the first.

    Args:
        way: ``words`` (TF-IDF of words and pairs of words), ``characters`` (TF-IDF of pieces of 3 to 5 characters), or
            ``vectors`` (cosine of what ``vectors`` makes).
        known: Questions of training.
        asked: Questions.
        count: Places for each.
        vectors: Makes vectors of texts, such as a sentence encoder.

    Returns:
        Shape (num_asked, count), fewer where fewer are known; ``None`` where the known questions have nothing to go by.
    """
    if not any(map(_WORD.search, known)) or not len(asked):
        return None
    if way == VECTORS:
        return None if vectors is None else _nearest(_unit(vectors(known)), _unit(vectors(asked)), count)
    table = _words() if way == WORDS else _characters(len(known))
    try:
        rows = table.fit_transform(known)
    except ValueError:  # every piece is too common: scikit-learn's "no terms remain"
        return None
    return _nearest(rows, table.transform(asked), count)


class QuestionIndex:
    """Known questions, laid out once so that many can be asked about one by one: by TF-IDF of words and pairs of words.

    Args:
        known: Questions of training.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self._table, self._rows = _words(), None
        if any(map(_WORD.search, known)):
            self._rows = self._table.fit_transform(known)

    def find(self, question: str) -> tuple[int, float] | None:
        """Return the place of the most similar known question and the cosine of the two; ``None`` where they share no word."""
        if self._rows is None:
            return None
        likeness = (self._rows @ self._table.transform([question]).T).toarray()[:, 0]
        place = int(likeness.argmax())
        return (place, float(likeness[place])) if likeness[place] > 0 else None


def _words() -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(preprocessor=fold, token_pattern=r"\w+", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)


def _characters(num_known: int) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer

    most = MAX_PIECE_SHARE if num_known >= 100 else 1.0
    return TfidfVectorizer(
        preprocessor=fold, analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_df=most, dtype=np.float32
    )


def _unit(vectors: Floats) -> Floats:
    found = np.asarray(vectors, np.float32)
    units: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return units


def _nearest(known: "csr_matrix | Floats", asked: "csr_matrix | Floats", count: int) -> Places:
    num_known, num_asked = known.shape[0], asked.shape[0]
    count, step, turned = min(count, num_known), max(1, MAX_CELLS // num_known), known.T
    turned = turned if isinstance(turned, np.ndarray) else turned.tocsr()
    parts = []
    for start in range(0, num_asked, step):
        product = asked[start : start + step] @ turned
        likeness = product if isinstance(product, np.ndarray) else product.toarray()
        parts.append(_largest(likeness, count))
    return np.concatenate(parts)


def _largest(likeness: Floats, count: int) -> Places:
    """Return the places of the largest of each row, the first of equals first."""
    if count == 1:
        first: Places = likeness.argmax(axis=1)[:, None].astype(np.int64)
        return first
    found: Places = np.argsort(-likeness, axis=1, kind="stable")[:, :count].astype(np.int64)
    return found
