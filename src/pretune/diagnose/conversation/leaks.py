"""Leaks: has training already shown the model what the test asks, or the replies that it wants?"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pretune.configs.data import NEAR_THRESHOLD
from pretune.data.alike.duplicates import Duplicates, find_duplicates
from pretune.diagnose.leakage import MAX_NEAR_SHARE, MAX_SEEN_SHARE
from pretune.diagnose.measures import percent
from pretune.evaluate.replies.stretches import COPIED_WORDS, words_of
from pretune.hashing import fold
from pretune.records import ChatEvidence, Conversation, Evaluation, Finding, Severity

# Share of the test's long replies that training has word for word, above which likeness may be memory. Ours: sets written by
# hand repeat under 1 % of them, those put together from building blocks a tenth and more.
MAX_SEEN_REPLIES = 0.05
# Share of the training replies that one reply may be: above it, saying that and nothing else is what is learned first.
MAX_ONE_REPLY = 0.10
FIX = "Let pretune divide the conversations, which keeps equal and nearly equal questions on one side, or drop these rows."


def check_seen_questions(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test questions that training has, case and spacing aside."""
    check = "leakage.seen_questions"
    if not evidence.train or not evidence.test:
        return Finding.unknown(check, "needs the conversations of training and test")
    folded, _ = _parts(evidence)
    leaked = np.isin(folded[1], folded[0])
    return _judge(check, evidence.test, leaked, MAX_SEEN_SHARE, "were asked in training")


def check_near_questions(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of test questions that are nearly, but not exactly, one of training."""
    check = "leakage.near_questions"
    if not evidence.train or not evidence.test:
        return Finding.unknown(check, "needs the conversations of training and test")
    folded, clusters = _parts(evidence)
    leaked = np.isin(clusters[1], clusters[0]) & ~np.isin(folded[1], folded[0])
    return _judge(check, evidence.test, leaked, MAX_NEAR_SHARE, "are nearly the same as one of training")


def check_seen_replies(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of the test's long replies that training has word for word, to whatever question."""
    check = "leakage.seen_replies"
    if not evidence.train or not evidence.test:
        return Finding.unknown(check, "needs the conversations of training and test")
    long = [row for row in evidence.test if len(words_of(row.reference)) >= COPIED_WORDS]
    if not long:
        return Finding.not_applicable(check, f"no reply of the test has {COPIED_WORDS} words")
    known = {fold(turn.text) for row in evidence.train for turn in row.turns if turn.role == "assistant"}
    seen = [row.id for row in long if fold(row.reference) in known]
    share = len(seen) / len(long)
    return Finding(
        check=check,
        severity=Severity.WARNING if share > MAX_SEEN_REPLIES else Severity.NOTE if seen else Severity.OK,
        summary=f"{len(seen):,} of {len(long):,} test replies of {COPIED_WORDS} words and more are in training word for word",
        measured=share,
        limit=MAX_SEEN_REPLIES,
        examples=tuple(seen[:5]),
        fix="Divide by what such replies have in common (--group COL)." if share > MAX_SEEN_REPLIES else "",
    )


def check_repeated_replies(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure which share of the training conversations end with the commonest reply."""
    check = "data.repeated_replies"
    if not evidence.train:
        return Finding.unknown(check, "needs the conversations of training")
    found = Counter(fold(row.reference) for row in evidence.train)
    reply, count = found.most_common(1)[0]
    share = count / len(evidence.train)
    beyond = share > MAX_ONE_REPLY and count > 1
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"the commonest reply, {reply[:60]!r}, is that of {percent(share)} of the training conversations",
        measured=share,
        limit=MAX_ONE_REPLY,
        examples=tuple(row.id for row in evidence.train if fold(row.reference) == reply)[:5] if beyond else (),
        fix="Keep a few of these conversations: a model learns such a reply first, and gives it to everything."
        if beyond
        else "",
    )


def _parts(evidence: ChatEvidence) -> tuple[list[npt.NDArray[np.int64]], list[npt.NDArray[np.int64]]]:
    """Return, of training and test, the number of each question's folded text and of its cluster."""
    threshold = NEAR_THRESHOLD if evidence.near_threshold is None else evidence.near_threshold
    # Validation as well: of a template's texts only so many meet, and these must be those that met when they were divided.
    rows = (*evidence.train, *evidence.test, *evidence.validation)
    groups = tuple(row.group for row in rows) if evidence.are_names_apart else None
    found, size = _clusters(tuple(row.text for row in rows), threshold, groups), len(evidence.train)
    end = size + len(evidence.test)
    return [found.folded[:size], found.folded[size:end]], [found.component[:size], found.component[size:end]]


@lru_cache(maxsize=1)  # two checks ask the same
def _clusters(texts: tuple[str, ...], threshold: float, groups: tuple[str | None, ...] | None) -> Duplicates:
    return find_duplicates(texts, threshold=threshold, groups=groups)


def _judge(check: str, test: Sequence[Conversation], leaked: npt.NDArray[np.bool_], limit: float, how: str) -> Finding:
    share, examples = (
        float(leaked.mean()),
        tuple(row.id for row, is_leaked in zip(test, leaked.tolist(), strict=True) if is_leaked),
    )
    return Finding(
        check=check,
        severity=Severity.BLOCKING if share > limit else Severity.WARNING if examples else Severity.OK,
        summary=f"{len(examples):,} of {len(test):,} test questions {how}",
        measured=share,
        limit=limit,
        examples=examples[:5],
        fix=FIX if examples else "",
    )
