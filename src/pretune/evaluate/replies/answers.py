"""Answers: where a reply is exactly right, or not.

Where references mark an answer (``#### 42``, as gsm8k does) or are short, likeness says little, and whether the answer is the
same says all. The rule is stated beside the figure.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from pretune.evaluate.replies.stretches import words_of
from pretune.hashing import fold

# Share of references that must have a mark, and words that short references have at most, at the median.
MIN_MARKED, MAX_SHORT_WORDS = 0.9, 5
_MARKED = re.compile(r"####[ \t]*([^\n]+)")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """How answers are compared.

    Args:
        text: In words.
        answer_of: What of a reply is its answer.
    """

    text: str
    answer_of: Callable[[str], str]

    def hits(self, replies: Sequence[str], references: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return whether each reply gives the answer of its reference, shape (num_rows,)."""
        pairs = zip(replies, references, strict=True)
        return np.array([self.answer_of(own) == self.answer_of(wanted) != "" for own, wanted in pairs], dtype=np.bool_)


def find_rule(references: Sequence[str]) -> Rule | None:
    r"""Return how answers to these references are compared; ``None`` where they are long and unmarked: there is no one answer.

    Example:
        >>> rule = find_rule(["5 + 2 = 7\n#### 7", "She has 1,000.\n#### 1,000"])
        >>> rule.hits(["it is 7.0", "#### 1000"], ["#### 7", "#### 1,000"]).tolist()
        [True, True]
    """
    if not references:
        return None
    if np.mean([bool(_MARKED.search(text)) for text in references]) >= MIN_MARKED:
        return Rule(
            "the answer after the last ####, or the last number where a reply has no such mark, is the reference's", _marked
        )
    if median(len(words_of(text)) for text in references) <= MAX_SHORT_WORDS:
        return Rule("the whole reply, case and punctuation aside, is the reference", lambda text: " ".join(words_of(text)))
    return None


def _marked(text: str) -> str:
    marks = _MARKED.findall(text)
    if marks:
        numbers = _NUMBER.findall(marks[-1])
        return _plain(numbers[0]) if numbers else fold(marks[-1]).strip(" .")
    numbers = _NUMBER.findall(text)
    return _plain(numbers[-1]) if numbers else ""


def _plain(number: str) -> str:
    digits = number.replace(",", "")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
