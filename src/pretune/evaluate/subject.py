"""Subject: is a reply about what was asked? The rarest word of a question says what it is about."""

import re
from collections import Counter
from collections.abc import Sequence

from pretune.evaluate.paired import difference_interval, mcnemar_p_value
from pretune.hashing import fold
from pretune.intervals import proportion_interval
from pretune.records import Comparison, Predictions, Score

METRIC, REFERENCE = "subject", "reference"
# Letters by which words are compared, so that "tumors" names "tumor".
STEM = 6
# A shorter word is seldom what a question is about.
MIN_LETTERS = 3
METHOD = "share of replies that repeat the rarest word of their question (its first 6 letters)"

_WORD = re.compile(r"[^\W_]+")


def find_subjects(prompts: Sequence[str], others: Sequence[str] = ()) -> list[frozenset[str]]:
    """Return the stems of the rarest words of each prompt; of a prompt without words, none.

    How rare a word is is counted over the prompts and over ``others``: references, and the prompts and replies of training.

    Example:
        >>> find_subjects(["What is gout?", "What is lupus?"], ["Gout is a kind of arthritis.", "What it is"])
        [frozenset({'gout'}), frozenset({'lupus'})]
    """
    found = Counter[str]()
    for text in (*prompts, *others):
        found.update(_stems(text))
    subjects = []
    for prompt in prompts:
        stems = _stems(prompt)
        least = min((found[stem] for stem in stems), default=0)
        subjects.append(frozenset(stem for stem in stems if found[stem] == least))
    return subjects


def name_subject(replies: Sequence[str], subjects: Sequence[frozenset[str]]) -> list[bool]:
    """Return whether each reply repeats one of the subject's words; rows without a subject are left out."""
    return [not subject.isdisjoint(_stems(reply)) for reply, subject in zip(replies, subjects, strict=True) if subject]


def score_subject(system: Predictions, subjects: Sequence[frozenset[str]], *, confidence: float = 0.95) -> Score | None:
    """Return the share of a system's replies that name the subject, with its interval; ``None`` where no row has one."""
    named = name_subject(system.predicted, subjects)
    if not named:
        return None
    low, high = proportion_interval(sum(named), len(named), confidence)
    return Score(
        metric=METRIC,
        label=None,
        split=system.split,
        source=system.source,
        value=sum(named) / len(named),
        low=low,
        high=high,
        confidence=confidence,
        method=METHOD,
        num_examples=len(named),
        num_hits=sum(named),
    )


def compare_subject(
    system: Predictions, subjects: Sequence[frozenset[str]], *, confidence: float = 0.95
) -> tuple[Score, Comparison] | None:
    """Return how often the references themselves name the subject, and the system held against them row by row."""
    wanted = Predictions(
        task=system.task,
        source=REFERENCE,
        split=system.split,
        classes=(),
        ids=system.ids,
        labels=system.labels,
        predicted=tuple(str(label) for label in system.labels),
    )
    score, named = score_subject(wanted, subjects, confidence=confidence), name_subject(system.predicted, subjects)
    if score is None or score.value is None:
        return None
    own = name_subject(wanted.predicted, subjects)
    only_system, only_reference = (
        sum(a and not b for a, b in zip(*pair, strict=True)) for pair in ((named, own), (own, named))
    )
    low, high = difference_interval(only_system, only_reference, len(own), confidence)
    share = sum(named) / len(named)
    return score, Comparison(
        metric=METRIC,
        split=system.split,
        a=system.source,
        b=REFERENCE,
        value_a=share,
        value_b=score.value,
        difference=share - score.value,
        low=low,
        high=high,
        confidence=confidence,
        p_value=mcnemar_p_value(only_system, only_reference),
        method="McNemar, mid-p; Bonett and Price's interval",
        num_examples=len(own),
    )


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in _WORD.findall(fold(text)) if len(word) >= MIN_LETTERS}
