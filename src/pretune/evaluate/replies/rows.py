"""Rows: what is counted in each reply of one source, once, however often it is compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import numpy.typing as npt

from pretune.errors import DataError
from pretune.evaluate.codes import Rows, units_of
from pretune.evaluate.matches import FORMULAS, count_matches
from pretune.evaluate.replies.answers import Rule, find_rule
from pretune.evaluate.replies.ratios import Grouping, Ratio
from pretune.evaluate.replies.stretches import Known, is_loop, known_of
from pretune.evaluate.replies.topics import RULE, find_topics, names_topic
from pretune.intervals import Floats
from pretune.records import Conversation, Predictions, Replies, Terms
from pretune.records.conversation import ASSISTANT

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """What all sources have in common: the rows, which belong together, and by what their replies are measured.

    Args:
        ids: Of the rows, in the order of the judged source.
        grouping: Which rows belong together.
        topics: Words that say what each question is about.
        known: Stretches of the replies of training.
        rule: How answers are compared; ``None``: not at all.
        terms: Confidence, look and rules.
    """

    ids: tuple[str, ...]
    grouping: Grouping
    topics: Sequence[frozenset[str]]
    known: Known
    rule: Rule | None
    terms: Terms

    def as_rows(self, is_hit: Truth) -> Rows:
        """Return hits as rows of two classes, for which figures and tests of shares are made."""
        units, ones = self.grouping.units, np.ones(len(is_hit), np.int64)
        return Rows(("no", "yes"), ones, is_hit.astype(np.int64), None, units, self.grouping.name, self.terms.rules)


@dataclass(frozen=True)
class Share:
    """A share of the replies: which count, and which are hits.

    Args:
        is_hit: Shape (num_rows,).
        counted: Likewise.
        rule: What it is the share of.
    """

    is_hit: Truth
    counted: Truth
    rule: str


@dataclass(frozen=True)
class Counted:
    """One source, counted.

    Args:
        replies: In the common order.
        shares: By metric.
        ratios: By metric: figures that are functions of sums.
        methods: By metric of those: how it is counted.
        undefined: By metric: why there is no figure.
    """

    replies: Replies
    shares: dict[str, Share]
    ratios: dict[str, Ratio]
    methods: dict[str, str]
    undefined: dict[str, str]


SHARES = {
    "ended": "share of replies that the source ended itself, within the most tokens",
    "loops": "share of replies that say four words in a row four times",
    "copied": "share of replies that have 13 words in a row of a reply of training",
    "empty": "share of replies without a word",
}
RATIOS: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "loss": ("nats per token of the references, their stop tokens included", lambda sums: sums[:, 0] / sums[:, 1]),
    "bits_per_byte": ("bits per byte of the references", lambda sums: sums[:, 0] / sums[:, 2] / log(2)),
    "length_ratio": ("characters of the replies over those of the references", lambda sums: sums[:, 0] / sums[:, 1]),
}

# Every question weighs the same. In the figure of the whole corpus a few very long references weigh most, and its interval is
# more than twice as wide (docs/decisions/0043).
PER_QUESTION = "mean over questions of sacrebleu's chrF"


def ask(judged: Replies, train: Sequence[Conversation], terms: Terms) -> Asked:
    """Return what the sources have in common with the judged one. Raises DataError where there are no rows."""
    if not judged.ids:
        raise DataError("no replies", expected="at least one reply with its reference", fix="check the test rows")
    units = units_of(judged.ids, terms.groups)
    return Asked(
        ids=judged.ids,
        grouping=Grouping(units, "rows" if units is None else terms.unit),
        topics=find_topics(judged.questions, judged.references, [item.text for item in train]),
        known=known_of(tuple(turn.text for item in train for turn in item.turns if turn.role == ASSISTANT)),
        rule=find_rule(judged.references),
        terms=terms,
    )


def count_shares(replies: Replies, asked: Asked) -> dict[str, Share]:
    """Count what is a share of the replies."""
    shares = {
        "ended": np.array(replies.ended, np.bool_),
        "loops": np.array([is_loop(text) for text in replies.texts], np.bool_),
        "copied": asked.known.copied(replies.texts) > 0,
        "empty": np.array([not any(map(str.isalnum, text)) for text in replies.texts], np.bool_),
    }
    everything = np.ones(len(replies.ids), np.bool_)
    found = {metric: Share(is_hit, everything, SHARES[metric]) for metric, is_hit in shares.items()}
    named = [names_topic(*pair) for pair in zip(replies.texts, asked.topics, strict=True)]
    found["subject"] = Share(np.array(named, np.bool_), np.array([bool(topic) for topic in asked.topics], np.bool_), RULE)
    if asked.rule is not None:
        found["exact"] = Share(asked.rule.hits(replies.texts, replies.references), everything, asked.rule.text)
    return found


def count(replies: Replies, asked: Asked) -> Counted:
    """Count one source. Raises MissingPackageError without sacrebleu."""
    found = count_shares(replies, asked)
    ratios = {"length_ratio": Ratio(_lengths(replies), RATIOS["length_ratio"][1])}
    losses = _losses(replies)
    if losses is not None:
        ratios |= {metric: Ratio(losses, RATIOS[metric][1]) for metric in ("loss", "bits_per_byte")}
    methods, undefined = {metric: RATIOS[metric][0] for metric in ratios}, dict[str, str]()
    for item in count_matches(as_predictions(replies)):
        name = "chrf_corpus" if item.metric == "chrf" else item.metric
        ratios[name], methods[name] = Ratio(item.rows, FORMULAS[item.metric]), item.signature
        if item.undefined:
            undefined[name] = item.undefined
        if item.metric == "chrf":
            ratios["chrf"], methods["chrf"] = chrf_by_question(item.rows), f"{PER_QUESTION}; {item.signature}"
    return Counted(replies, found, ratios, methods, undefined)


def chrf_by_question(rows: Floats) -> Ratio:
    """Return the mean over questions of chrF.

    Args:
        rows: What sacrebleu counts in each, shape (num_rows, num_counts).
    """
    each = FORMULAS["chrf"](rows)
    return Ratio(np.stack([each, np.ones(len(each))], axis=1), RATIOS["length_ratio"][1])


def in_order(replies: Replies, ids: tuple[str, ...], judged: Replies) -> Replies:
    """Return the rows in this order.

    Raises:
        DataError: These are not the same rows with the same references, each once.
    """
    place, fix = {id: row for row, id in enumerate(replies.ids)}, "let every source reply to the same conversations"
    if place.keys() != set(ids) or len(replies.ids) != len(ids):
        common = len(place.keys() & set(ids))
        got = f"{judged.source!r} has {len(ids)} rows and {replies.source!r} has {len(replies.ids)}, {common} in common"
        raise DataError(got, expected="the same rows, each once", fix=fix)
    order = [place[id] for id in ids]
    moved = replace(
        replies,
        ids=ids,
        questions=tuple(replies.questions[row] for row in order),
        references=tuple(replies.references[row] for row in order),
        texts=tuple(replies.texts[row] for row in order),
        ended=tuple(replies.ended[row] for row in order),
    )
    wrong = [id for id, own, other in zip(ids, judged.references, moved.references, strict=True) if own != other]
    if wrong:
        got = f"row {wrong[0]} has different references in {judged.source!r} and {replies.source!r}"
        raise DataError(got, expected="the same references", fix=fix)
    return moved


def _losses(replies: Replies) -> Floats | None:
    """Return nats, tokens and bytes of each row, shape (num_rows, 3); ``None`` where a row has none."""
    known = {item.id: item for item in replies.scores or ()}
    if not known.keys() >= set(replies.ids):
        return None
    return np.array([[known[id].nats, known[id].tokens, known[id].bytes] for id in replies.ids], float)


def _lengths(replies: Replies) -> Floats:
    return np.array([[len(text), len(wanted)] for text, wanted in zip(replies.texts, replies.references, strict=True)], float)


def as_predictions(replies: Replies) -> Predictions:
    """Return replies as what figures of generated text are counted on."""
    return Predictions(
        task="generate",
        source=replies.source,
        split=replies.split,
        classes=(),
        ids=replies.ids,
        labels=replies.references,
        predicted=replies.texts,
    )
