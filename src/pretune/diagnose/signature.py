"""Signatures: does one word give the label away, and is that word a mark on the texts or what the class is about?

Marks arise if the classes came from two sources, or if an editor stamped one of them. A language model finds a mark at once,
scores well on any test drawn from the same table, and fails where the mark is missing. The mark is sought in training and
measured on other rows, so that a search through thousands of words does not make one up. A word that belongs to its sentences
is no mark: the word that an intent is named after rightly gives it away (``stamps.py`` tells one from the other).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import CountVectorizer

from pretune.diagnose.columns import asked_rows, spread
from pretune.diagnose.measures import percent
from pretune.diagnose.stamps import Closing, Neighbours, plain
from pretune.intervals import average_bounds, proportion_interval
from pretune.records import RULES, Evaluation, Evidence, Example, Finding, Severity

# Balanced accuracy of a rule that looks at one word: from the first we warn, from the second the label is given away. Ours:
# the best single word of seven public sets reaches 0.74 ("$" for things on sale; docs/decisions/0011).
WARN_ACCURACY = 0.80
MAX_TOKEN_ACCURACY = 0.95
# A word that is never wrong gives away a part of a class even if the rest of the class lacks it: from this precision and
# this share of the class we warn, too, both with the lower end of their intervals.
SURE_PRECISION = 0.95
SURE_SHARE = 0.33
# Words that are weighed, those that tell most first.
MAX_WORDS = 500
# Of the words that tell a label, those that are taken out to see whether the texts close over them.
MAX_TAKEN_OUT = 120
# Further marks that a finding names.
SHOWN = 4
# Balanced accuracy of a word in any case below which its capitals are what tells.
MAX_CASE_ACCURACY = 0.60
# Letters that a word and a part of a label's name begin with alike to be one word in two forms.
NAME_PREFIX = 4

MARK = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A mark and how well it tells a label, measured on rows it was not found in."""

    name: str
    label: str
    accuracy: float  # mean of the shares of rows of the label, and of others, that the mark gets right
    low: float
    examples: tuple[str, ...]
    is_sure: bool = False  # hardly ever wrong where it is set, and set in a good part of the class
    word: str = ""
    closing: Closing | None = None
    is_case: bool = False  # it tells by its capitals alone: as a word in any case it does not

    @property
    def is_telling(self) -> bool:
        """Whether it tells so much that it has to be said."""
        return self.low > WARN_ACCURACY or self.is_sure

    @property
    def is_stamp(self) -> bool:
        """Whether it was put on the texts: they read on without it, or it is a sign at an edge, or capitals alone."""
        if _is_named(self.word, self.label):
            return False
        is_edge_sign = self.word != plain(self.word) and not re.search(r"\w", self.word) and self.low > WARN_ACCURACY
        return is_edge_sign or self.is_case or (self.closing is not None and self.closing.is_seamless)


def check_signature_token(evidence: Evidence, _evaluation: Evaluation | None = None, *, rules: int = RULES) -> Finding:
    """Measure how well the presence of the most telling word alone tells a class from the rest; marks come first."""
    check = "leakage.signature_token"
    name, asked = asked_rows(evidence, labelled=True)
    if not asked or not evidence.has_texts("train", name):
        return Finding.unknown(check, "needs labelled texts of training and of validation or test")
    most = 1 if rules == 1 else MAX_WORDS
    found = sorted(find_tokens(spread(evidence.train), spread(asked), most), key=lambda item: -item.low)
    if not found:
        return Finding(check=check, severity=Severity.OK, summary="no word occurs in enough rows to tell a class")
    telling = [item for item in found if item.is_telling]
    stamps = [item for item in telling if item.is_stamp or rules == 1]  # by the first rules every telling word was one
    worst, *more = stamps or telling or found
    reached = f"{worst.name} alone tells {worst.label} from the rest with a balanced accuracy of {percent(worst.accuracy)}"
    severity, why = _weigh(worst, bool(stamps), [item for item in more if item.label == worst.label] if stamps else [])
    return Finding(
        check=check,
        severity=severity,
        summary=f"the word {reached} of {name} rows (at least {percent(worst.low)}){why}",
        measured=worst.accuracy,
        limit=MAX_TOKEN_ACCURACY if severity is Severity.BLOCKING else WARN_ACCURACY,
        examples=worst.examples if severity is not Severity.OK else (),
        fix=f"Take {worst.name} out of the texts, or collect rows of every class with and without it." if stamps else "",
    )


def _weigh(found: Signature, is_stamp: bool, more: Sequence[Signature]) -> tuple[Severity, str]:
    if not found.is_telling:
        return Severity.OK, ""
    if not is_stamp:
        belongs = ": it belongs to its sentences, as a word does that the class is about, so leave it where it is"
        return Severity.NOTE, f"{belongs}; look whether rows of {found.label} without it are answered right, too"
    severity = Severity.BLOCKING if found.low > MAX_TOKEN_ACCURACY else Severity.WARNING
    names = list(dict.fromkeys(item.name for item in more))[:SHOWN]
    others = f" (so do {', '.join(names)})" if names else ""
    why = "the texts read on without it, so it looks like a mark of where they come from rather than what they are about"
    return severity, f"{others}: {why}"


def find_tokens(train: Sequence[Example], asked: Sequence[Example], most: int = MAX_WORDS) -> Iterator[Signature]:
    """Yield words, or first or last words, whose presence in training tells a class, measured on ``asked``; the best first."""
    labels = np.array([row.label for row in train])
    classes, sizes = np.unique(labels, return_counts=True)
    vectorizer = CountVectorizer(analyzer=_marks, binary=True, min_df=5)
    try:
        present = vectorizer.fit_transform([row.text for row in train])
    except ValueError:  # no word is in five texts
        return
    counts = np.stack([np.asarray(present[labels == label].sum(axis=0)).ravel() for label in classes])  # (classes, words)
    inside = counts / sizes[:, None]
    outside = (counts.sum(axis=0) - counts) / np.maximum(sizes.sum() - sizes, 1)[:, None]
    order = np.argsort(outside - inside, axis=None, kind="stable")[:most]
    names, marked = vectorizer.get_feature_names_out(), [_marks(row.text) for row in asked]
    places = zip(*np.unravel_index(order, inside.shape), strict=True)
    folded = [{mark.casefold() for mark in marks} for marks in marked]  # once: hundreds of words are asked for in them
    measured = [_measure_token(asked, marked, folded, str(names[column]), str(classes[row])) for row, column in places]
    found = [item for item in measured if item is not None]
    if not any(item.is_telling for item in found):
        yield from found
        return
    neighbours = Neighbours(train, [MARK.findall(row.text) for row in train])
    telling = sorted((item for item in found if item.is_telling), key=lambda item: -item.low)[:MAX_TAKEN_OUT]
    yield from (item for item in found if not item.is_telling)
    yield from (replace(item, closing=neighbours.closing(item.word, item.label)) for item in telling)


def _measure_token(
    asked: Sequence[Example], marked: Sequence[set[str]], folded: Sequence[set[str]], word: str, label: str
) -> Signature | None:
    has = np.array([word in marks for marks in marked])
    is_label = np.array([row.label == label for row in asked])
    num_inside, num_outside = int(is_label.sum()), int((~is_label).sum())
    if not num_inside or not num_outside:
        return None
    hits = np.array([(has & is_label).sum(), (~has & ~is_label).sum()], dtype=float)
    low, _ = average_bounds(hits, np.array([num_inside, num_outside], dtype=float), 0.95)
    shown = tuple(asked[index].id for index in np.flatnonzero(has & is_label)[:5])
    accuracy = float((hits / np.array([num_inside, num_outside])).mean())
    precision, _ = proportion_interval(int(hits[0]), int(has.sum()))
    share, _ = proportion_interval(int(hits[0]), num_inside)
    return Signature(
        name=_say(word),
        label=label,
        accuracy=accuracy,
        low=float(low),
        examples=shown,
        is_sure=precision > SURE_PRECISION and share > SURE_SHARE,
        word=word,
        is_case=_is_case(folded, is_label, word),
    )


def _is_case(folded: Sequence[set[str]], is_label: npt.NDArray[np.bool_], word: str) -> bool:
    asked = plain(word).casefold()
    if asked == plain(word).upper():  # a sign has no case
        return False
    has = np.array([asked in marks for marks in folded])
    return float((has[is_label].mean() + (~has[~is_label]).mean()) / 2) < MAX_CASE_ACCURACY


def _is_named(word: str, label: str) -> bool:
    """Whether the label is named after the word, as ``roll_dice`` is after "dice"."""
    folded = plain(word).casefold()
    parts = re.findall(r"[^\W_]+", label.casefold())
    return any(folded == part or _begin_alike(folded, part) for part in parts)


def _begin_alike(first: str, second: str) -> bool:
    return min(len(first), len(second)) >= NAME_PREFIX and first[:NAME_PREFIX] == second[:NAME_PREFIX]


def _marks(text: str) -> set[str]:
    """Return the words and signs of a text as written, and its first and last one as marks of their own."""
    words = MARK.findall(text)
    return {*words, f"{words[0]} …", f"… {words[-1]}"} if words else set()


def _say(word: str) -> str:
    place = " at the start" if word.endswith(" …") else " at the end" if word.startswith("… ") else ""
    return f"{word.removesuffix(' …').removeprefix('… ')!r}{place}"
