"""Told: are the judged replies to be used at all? Loops, sameness, memory, control tokens, ends, the subject."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pretune.diagnose.measures import difference_interval, percent
from pretune.evaluate.replies.stretches import is_loop, known_of, words_of
from pretune.evaluate.replies.topics import RULE
from pretune.evaluate.subject import STEM
from pretune.intervals import proportion_interval
from pretune.records import ChatEvidence, Evaluation, Finding, Replies, Score, Severity
from pretune.records.conversation import ASSISTANT

Truth = npt.NDArray[np.bool_]

# Share of replies beyond that of the references, clearly above which we warn, and above which nobody wants them. Ours: readers
# forgive one bad reply in twenty, and no longer read on where one in five is.
MAX_DEGENERATE, MUCH_DEGENERATE = 0.05, 0.20
MAX_SAME, MUCH_SAME = 0.10, 0.50
MAX_MEMORIZED, MUCH_MEMORIZED = 0.10, 0.40  # retrieval with exchanged names copies 45 points more and above
MAX_CONTROL, MUCH_CONTROL = 0.01, 0.05
# Share of the replies that should have ended which did, below which the end was hardly learned, and below which it was not.
MIN_ENDED, FEW_ENDED = 0.80, 0.50
# Share of replies that name what was asked (all references do), below which we warn, and below which they are about something
# else; share of the questions that must have such a word for this to be asked.
MIN_SUBJECT, FEW_SUBJECT, MIN_ASKED = 0.75, 0.50, 0.50
# Words that a reply has from the question are left out where replies are compared: a form letter with a name is one letter.
BLANK = "_"

_CONTROL = re.compile(
    r"<\|[A-Za-z_]{2,40}\|>|</?s>|<[be]os>|<(?:start|end)_of_turn>|<pad>|<unk>|\[/?INST\]|<</?SYS>>|"
    r"^#{2,3} ?(?:Response|Instruction|Human|Assistant|User):|^(?:user|human|assistant)\s*:",
    re.IGNORECASE | re.MULTILINE,
)


def check_degenerate(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of replies that are empty or say four words in a row four times, beyond that of the references."""
    replies = _judged(evidence)
    if replies is None:
        return Finding.unknown("replies.degenerate", _none(evidence))
    bad, usual = ([is_loop(text) or not words_of(text) for text in texts] for texts in (replies.texts, replies.references))
    return _beyond(
        "replies.degenerate", replies, bad, usual, (MAX_DEGENERATE, MUCH_DEGENERATE), "are empty or go round in circles",
        fix="Train for fewer steps or with a lower --lr; --set chat.repetition_penalty=1.2 keeps replies from circling.",
    )  # fmt: skip


def check_same(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of replies that are given to another question as well, but for the question's own words."""
    replies = _judged(evidence)
    if replies is None:
        return Finding.unknown("replies.same", _none(evidence))
    bad, usual = (_repeated(replies.questions, texts) for texts in (replies.texts, replies.references))
    return _beyond(
        "replies.same", replies, bad, usual, (MAX_SAME, MUCH_SAME), "are given to other questions as well, but for a name",
        fix="Look whether one reply is most of the training data (data.repeated_replies); train on more varied replies.",
    )  # fmt: skip


def check_memorized(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of replies of which at least half are stretches of 13 words of training replies."""
    check, replies = "replies.memorized", _judged(evidence)
    if replies is None or not evidence.train:
        return Finding.unknown(check, _none(evidence) if replies is None else "needs the conversations of training")
    known = known_of(tuple(turn.text for row in evidence.train for turn in row.turns if turn.role == ASSISTANT))
    bad, usual = ((known.copied(texts) >= 0.5).tolist() for texts in (replies.texts, replies.references))
    return _beyond(
        check, replies, bad, usual, (MAX_MEMORIZED, MUCH_MEMORIZED), "are for the most part copied from training replies",
        fix="Train for fewer epochs or on more conversations; where copying is right, retrieval does it better.",
    )  # fmt: skip


def check_control_tokens(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of replies in which a control token or the next speaker's name is spelled out."""
    replies = _judged(evidence)
    if replies is None:
        return Finding.unknown("replies.control_tokens", _none(evidence))
    own = [token for token in evidence.control if len(token) > 2]
    bad, usual = (
        [bool(_CONTROL.search(text)) or any(token in text for token in own) for text in texts]
        for texts in (replies.texts, replies.references)
    )
    return _beyond(
        "replies.control_tokens", replies, bad, usual, (MAX_CONTROL, MUCH_CONTROL), "spell out a control token or a speaker",
        fix="Take control tokens out of the training replies, and stop generation at the template's own stop tokens.",
    )  # fmt: skip


def check_ended(evidence: ChatEvidence, _evaluation: Evaluation | None = None) -> Finding:
    """Measure how many replies end themselves, of those whose references are short enough for it."""
    check, replies = "replies.ended", _judged(evidence)
    if replies is None or replies.decoding is None:
        return Finding.unknown(check, _none(evidence) if replies is None else "nothing says how many tokens a reply may have")
    tokens, most = {item.id: item.tokens for item in replies.scores or ()}, replies.decoding.max_tokens
    short = [ended for id, ended in zip(replies.ids, replies.ended, strict=True) if tokens.get(id, most + 1) <= most]
    if not short:
        return Finding.not_applicable(check, f"no reference is known to have at most {most:,} tokens")
    share = sum(short) / len(short)
    low, high = proportion_interval(sum(short), len(short))
    severity = Severity.BLOCKING if high < FEW_ENDED else Severity.WARNING if high < MIN_ENDED else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{percent(share)} of {len(short):,} replies end themselves where the reference has at most {most:,} tokens "
        f"(95 % interval {percent(low)} to {percent(high)})",
        measured=share,
        limit=MIN_ENDED,
        examples=_examples(replies, [not ended for ended in replies.ended]) if severity is not Severity.OK else (),
        fix="" if severity is Severity.OK else "Look at training.stop_token and training.cut_replies: the end was not learned.",
    )


def check_subject(evidence: ChatEvidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of replies that name what was asked, where the references of most questions do."""
    check, replies = "replies.wrong_subject", _judged(evidence)
    if replies is None or evaluation is None:
        return Finding.unknown(check, _none(evidence))
    score = _find(evaluation, "subject", evidence.main)
    num_asked = 0 if score is None or score.value is None else score.num_examples
    if score is None or num_asked < MIN_ASKED * len(replies.ids):
        why = f"only {num_asked:,} of {len(replies.ids):,} questions have a rare word that their reference repeats"
        return Finding.not_applicable(check, why)
    if score.high is None or score.value is None:
        return Finding.unknown(check, score.method.removeprefix(f"{RULE}; "))  # why there is no interval
    severity = Severity.BLOCKING if score.high < FEW_SUBJECT else Severity.WARNING if score.high < MIN_SUBJECT else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{percent(score.value)} of {score.num_examples:,} replies name what was asked, as every reference does "
        f"({percent(score.confidence)} interval {percent(score.low or 0.0)} to {percent(score.high)})",
        measured=score.value,
        limit=MIN_SUBJECT,
        fix=""
        if severity is Severity.OK
        else "Read the replies: they may answer another question. Train longer, or on all layers.",
    )


def _judged(evidence: ChatEvidence) -> Replies | None:
    found = evidence.find("test", evidence.main)
    return found if found is not None and found.ids else None


def _none(evidence: ChatEvidence) -> str:
    return f"needs the replies of {evidence.main} to the test"


def _find(evaluation: Evaluation, metric: str, source: str) -> Score | None:
    return next((score for score in evaluation.scores if (score.metric, score.source) == (metric, source)), None)


def _beyond(
    check: str,
    replies: Replies,
    bad: Sequence[bool],
    usual: Sequence[bool],
    limits: tuple[float, float],
    what: str,
    *,
    fix: str,
) -> Finding:
    """Judge by how much more often something is so of the replies than of their references."""
    total, least, much = len(bad), *limits
    low, high = difference_interval(sum(bad), total, sum(usual), total)
    excess = (sum(bad) - sum(usual)) / total
    severity = Severity.BLOCKING if low > much else Severity.WARNING if low > least else Severity.OK
    return Finding(
        check=check,
        severity=severity,
        summary=f"{percent(sum(bad) / total)} of {total:,} replies {what}, {percent(sum(usual) / total)} of the references "
        f"(difference: 95 % interval {percent(low)} to {percent(high)})",
        measured=excess,
        limit=least,
        examples=_examples(replies, bad) if severity is not Severity.OK else (),
        fix=fix if severity is not Severity.OK else "",
    )


def _examples(replies: Replies, bad: Sequence[bool]) -> tuple[str, ...]:
    return tuple(id for id, is_bad in zip(replies.ids, bad, strict=True) if is_bad)[:5]


def _repeated(questions: Sequence[str], texts: Sequence[str]) -> list[bool]:
    """Return which texts, without the words of their question, are also given to a different question."""
    bare = [_without(question, text) for question, text in zip(questions, texts, strict=True)]
    asked = dict[str, Counter[str]]()
    for question, text in zip(questions, bare, strict=True):
        asked.setdefault(text, Counter())[" ".join(words_of(question))] += 1
    return [bool(text) and len(asked[text]) > 1 for text in bare]


def _without(question: str, text: str) -> str:
    stems = {word[:STEM] for word in words_of(question)}
    words = [BLANK if word[:STEM] in stems else word for word in words_of(text)]
    return " ".join(word for place, word in enumerate(words) if word != BLANK or place == 0 or words[place - 1] != BLANK)
