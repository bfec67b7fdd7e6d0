"""Assessing replies: every figure of every source, and the judged one held against each rival on the same rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pretune.errors import UsageError
from pretune.evaluate.paired import Paired, compare_right
from pretune.evaluate.replies.forgetting import GENERAL, INSTRUCTIONS, score_forgetting
from pretune.evaluate.replies.ratios import Ratio, exchanged, interval_over
from pretune.evaluate.replies.rows import Asked, Counted, ask, count, count_shares, in_order
from pretune.evaluate.shares import MakeScore, proportion
from pretune.records import USUAL, Comparison, Conversation, Evaluation, Replies, Score, Terms

MAIN, BEFORE = "finetuned", "before"
REFERENCE = "reference"  # the references themselves, measured as replies, to compare with
# Sources that are the judged model in another form, which no verdict compares.
FORM = "chat-"  # begins the names of those with fewer bits per weight
NOT_COMPARED = (FORM, "seed-")
# Figures in the order in which they are shown, and those by which two sources are compared.
ORDER = (
    "chrf",
    "loss",
    "bits_per_byte",
    "subject",
    "exact",
    "chrf_corpus",
    "bleu",
    "ended",
    "loops",
    "copied",
    "empty",
    "length_ratio",
)
COMPARED = ("chrf", "loss", "subject", "exact")
OF_FORMS = ("chrf", "loss")  # by which the judged model is held against itself with fewer bits
_OF_REFERENCE = ("loops", "copied")
_BOUNDS = {
    "chrf": (0.0, 100.0),
    "chrf_corpus": (0.0, 100.0),
    "bleu": (0.0, 100.0),
    "loss": (0.0, None),
    "bits_per_byte": (0.0, None),
    "length_ratio": (0.0, None),
}


def assess_replies(
    sources: Sequence[Replies],
    terms: Terms = USUAL,
    *,
    train: Sequence[Conversation] = (),
    main: str = MAIN,
    seed: int = 0,
) -> Evaluation:
    """Score every source and compare the judged one with each other, over units; needs no model.

    Args:
        sources: Of one split, each source once and on the same rows in any order. Those of the splits ``general`` and
            ``instructions`` beside them, of ``before`` and of the judged source, give what was forgotten: only their
            ``scores`` are read.
        terms: Confidence of every interval (``policy.confidence_at(look, num_models)``), the look, and which rows belong
            together: ``data.alike.units.with_units(terms, [item.as_example() for item in test], copies)``.
        train: Conversations of training: what they ask tells rare words, and their replies tell what is copied.
        main: The source that is judged; its figures come first.
        seed: Of the draws.

    Returns:
        ``scores``: of each source ``chrf`` (0 to 100, the mean over questions, by which sources are compared), ``chrf_corpus``
        and ``bleu`` (sacrebleu's figures of the whole corpus, to hold against other tools), ``loss`` (nats per token) and
        ``bits_per_byte`` where it has probabilities, ``length_ratio``, and the shares ``subject``, ``ended``, ``loops``,
        ``copied``, ``empty`` and, where references are short or marked, ``exact``; of the source ``reference`` the shares of
        loops and copies; ``forgetting`` of the judged source on each of those two splits. ``comparisons``: main less each other
        source on chrF, loss (where both have one), subject and exact.

    Raises:
        UsageError: ``main`` is not among the sources, or a source comes twice.
        DataError: The sources do not cover the same rows with the same references.
        MissingPackageError: sacrebleu is not installed.
    """
    asked_of = [item for item in sources if item.split not in (GENERAL, INSTRUCTIONS)]
    names, splits = [item.source for item in asked_of], sorted({item.split for item in asked_of})
    if names.count(main) != 1 or len(set(names)) != len(names) or len(splits) != 1:
        got = f"sources {names} of {' and '.join(splits) or 'no split'} to judge {main!r}"
        raise UsageError(got, expected="each source once on one split, and the one judged", fix="name them apart")
    judged = asked_of[names.index(main)]
    asked = ask(judged, train, terms)
    own = count(judged, asked)
    others = [count(in_order(item, judged.ids, judged), asked) for item in asked_of if item is not judged]
    found = assess_counted(own, others, asked, seed=seed)
    return replace(found, scores=(*found.scores, *_forgotten(sources, terms, main)))


def assess_forms(sources: Sequence[Replies], terms: Terms = USUAL, *, main: str = MAIN, seed: int = 0) -> Evaluation:
    """Score the judged model with fewer bits per weight beside itself; these figures are told, and decide nothing.

    Args:
        sources: Of one split, the judged source and its other forms on the same rows; the rest is left out.
        terms: As for ``assess_replies``.
        main: The judged source.
        seed: Of the draws.

    Returns:
        chrF and loss of each, and each form less the judged source; nothing where there is no other form.
    """
    judged = next((item for item in sources if item.source == main), None)
    forms = [item for item in sources if item.source.startswith(FORM)]
    if judged is None or not forms:
        return Evaluation(scores=(), comparisons=())
    asked = ask(judged, (), terms)
    own, others = count(judged, asked), [count(in_order(item, judged.ids, judged), asked) for item in forms]
    compared = [found for item in others for found in _compare(item, own, asked, seed) if found.metric in OF_FORMS]
    return Evaluation(
        scores=tuple(score for item in (own, *others) for score in _score(item, asked, OF_FORMS)), comparisons=tuple(compared)
    )


def assess_counted(own: Counted, others: Sequence[Counted], asked: Asked, *, seed: int = 0) -> Evaluation:
    """Return what ``assess_replies`` does, of replies that are counted; without what was forgotten."""
    itself = replace(own.replies, source=REFERENCE, texts=own.replies.references)
    wanted = Counted(itself, count_shares(itself, asked), {}, {}, {})
    scores = [score for item in (own, *others) for score in _score(item, asked, ORDER)]
    scores += _score(wanted, asked, _OF_REFERENCE)
    rivals = [item for item in others if not item.replies.source.startswith(NOT_COMPARED)]
    compared = [found for rival in rivals for found in _compare(own, rival, asked, seed)]
    return Evaluation(scores=tuple(scores), comparisons=tuple(compared))


def _score(counted: Counted, asked: Asked, metrics: Sequence[str]) -> Iterator[Score]:
    terms, replies = asked.terms, counted.replies
    make: MakeScore = partial(Score, split=replies.split, source=replies.source, look=terms.look, confidence=terms.confidence)
    for metric in metrics:
        if metric in counted.shares:
            share = counted.shares[metric]
            rows, why = asked.as_rows(share.is_hit), "undefined: no question has such a word"
            found = proportion(make, (metric, None), rows, share.is_hit & share.counted, share.counted, why)
            yield replace(found, method=f"{share.rule}; {found.method}")
        elif metric in counted.ratios:
            yield _score_ratio(make, metric, counted, asked)


def _score_ratio(make: MakeScore, metric: str, counted: Counted, asked: Asked) -> Score:
    ratio, why = counted.ratios[metric], counted.undefined.get(metric)
    interval, how = (None, why) if why else interval_over(ratio.pulls, asked.grouping, asked.terms.confidence)
    low, high = _clip(metric, interval)
    return make(
        metric=metric,
        label=None,
        value=None if why else ratio.value,
        low=low,
        high=high,
        method=f"{how}; {counted.methods[metric]}",
        num_examples=len(asked.ids),
    )


def _clip(metric: str, interval: tuple[float, float] | None) -> tuple[float | None, float | None]:
    if interval is None:
        return None, None
    least, most = _BOUNDS.get(metric, (None, None))
    low, high = interval
    return low if least is None else max(least, low), high if most is None else min(most, high)


def _compare(own: Counted, rival: Counted, asked: Asked, seed: int) -> Iterator[Comparison]:
    names, terms = (own.replies.split, own.replies.source, rival.replies.source), asked.terms
    for metric in COMPARED:
        if metric in own.ratios and metric in rival.ratios:
            yield _compare_ratios(metric, own.ratios[metric], rival.ratios[metric], names, asked, seed)
        elif metric in own.shares and metric in rival.shares and own.shares[metric].counted.any():
            rows = [asked.as_rows(item.shares[metric].is_hit) for item in (own, rival)]
            yield compare_right(Paired(rows[0], rows[1], names, terms.confidence, seed), metric, own.shares[metric].counted)


def _compare_ratios(metric: str, a: Ratio, b: Ratio, names: tuple[str, str, str], asked: Asked, seed: int) -> Comparison:
    confidence, name = asked.terms.confidence, asked.grouping.name
    interval, how = interval_over(a.pulls - b.pulls, asked.grouping, confidence)
    low, high = interval or (None, None)
    return Comparison(
        metric=metric,
        split=names[0],
        a=names[1],
        b=names[2],
        value_a=a.value,
        value_b=b.value,
        difference=a.value - b.value,
        low=low,
        high=high,
        confidence=confidence,
        p_value=exchanged(a, b, asked.grouping, confidence, seed),
        method=f"{name} exchanged at random; {how}",
        num_examples=len(asked.ids),
    )


def _forgotten(sources: Sequence[Replies], terms: Terms, main: str) -> Iterator[Score]:
    known = {(item.split, item.source): item for item in sources}
    for split in (GENERAL, INSTRUCTIONS):
        before, after = known.get((split, BEFORE)), known.get((split, main))
        found = score_forgetting(before, after, terms) if before is not None and after is not None else None
        if found is not None:
            yield found
