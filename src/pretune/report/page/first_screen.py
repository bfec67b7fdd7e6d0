"""The first screen: the figures that decided, each with a link to its evidence, and the next step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pretune.records import Comparison, Finding, Reason, RunRecord, Score
from pretune.records.judgement import NOT_JUDGED
from pretune.report.figures import METRIC_NAMES, read_gates
from pretune.report.page.bars import IntervalBar, choose_start, make_difference_bar, make_interval_bar
from pretune.report.words import OUTCOMES, chance, number, span

NUM_DECIDERS = 3
ORDER = (False, None, True)  # what failed decides, else what is open
KINDS = ("score", "comparison")  # a figure tells more than a check that passed
POINTS = frozenset({"bleu", "chrf", "chrf_corpus"})  # of 100: a tenth is fine enough
OTHERS = {
    "majority": "saying the commonest class",
    "linear": "TF-IDF and logistic regression",
    "before": "the model as it came",
    "retrieval": "the reply to the nearest question",
    "few-shot": "the model as it came, with examples in its prompt",
    "constant": "one reply to everything",
}


@dataclass(frozen=True, slots=True)
class Decider:
    """One figure of the first screen."""

    holds: bool | None
    name: str
    value: str
    reach: str  # its interval
    note: str  # what is asked, or what it is compared with
    bar: IntervalBar | None
    link: str  # where its evidence stands; empty where nowhere


@dataclass(frozen=True, slots=True)
class LinkedReason:
    """A reason and the place of its evidence."""

    holds: bool | None
    text: str
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What stands above the fold."""

    summary: str  # the verdict's sentence, without the outcome that stands above it
    aside: str  # what the verdict does not judge
    deciders: tuple[Decider, ...]
    reasons: tuple[LinkedReason, ...]
    tally: str  # "1 fails, 2 are open, 5 hold"


def make_first_screen(record: RunRecord, links: Mapping[tuple[str, str], str]) -> FirstScreen:
    """Pick what decided, and link every reason with its evidence.

    Args:
        record: The run.
        links: From the kind of a reason and what it is about to the place on the page.
    """
    reasons = record.verdict.reasons if record.verdict is not None else ()
    ranked = sorted(reasons, key=lambda reason: ORDER.index(reason.holds))
    summary, aside, rest = _summarize(record).partition(f" {NOT_JUDGED} ")
    return FirstScreen(
        summary=summary,
        aside=f"{aside}{rest}".strip(),
        deciders=tuple(_describe(reason, record, _link(reason, links)) for reason in pick_reasons(record)),
        reasons=tuple(LinkedReason(item.holds, item.text, item.name, _link(item, links)) for item in ranked),
        tally=_tally(reasons),
    )


def _summarize(record: RunRecord) -> str:
    verdict = record.verdict
    if verdict is None:
        return "The test is still sealed."
    outcome, parted, rest = verdict.summary.partition(": ")
    said = rest if parted and outcome.upper() == OUTCOMES[verdict.outcome] else verdict.summary
    return said[:1].upper() + said[1:]


def pick_reasons(record: RunRecord) -> list[Reason]:
    """Return the two or three reasons that decided: those that failed, else those that are open, else the closest calls.

    Where a single one decided, the figure that is nearest to its gate stands beside it.
    """
    reasons = record.verdict.reasons if record.verdict is not None else ()
    ranked = sorted(reasons, key=lambda reason: (reason.kind not in KINDS, _margin(reason, record)))
    worst = next((holds for holds in ORDER if any(reason.holds is holds for reason in reasons)), None)
    if worst is not True:
        first = [reason for reason in reasons if reason.holds is worst][:NUM_DECIDERS]
        rest = [reason for reason in ranked if reason.kind in KINDS and reason not in first]
        return [*first, *rest[: max(0, 2 - len(first))]]
    scores = [reason for reason in ranked if reason.kind == "score"][: NUM_DECIDERS - 1]
    pairs = [reason for reason in ranked if reason.kind == "comparison"]
    return [*scores, *pairs[: NUM_DECIDERS - len(scores)]] or ranked[:NUM_DECIDERS]


def _margin(reason: Reason, record: RunRecord) -> float:
    """Return how far the lower end of a figure is above what is asked of it."""
    item = _find(reason, record)
    if isinstance(item, Score):
        low = item.low if item.low is not None else item.value
        return (low or 0.0) - read_gates(record.verdict).get(item.name, 0.0)
    if isinstance(item, Comparison):
        return item.low if item.low is not None else item.difference
    return 2.0


def _find(reason: Reason, record: RunRecord) -> Score | Comparison | Finding | None:
    if reason.kind == "score":
        main = record.scores[0].source if record.scores else ""
        own = (item for item in record.scores if (item.source, item.name) == (main, reason.name) and item.split != "validation")
        return next(own, None)
    if reason.kind == "comparison":
        pairs = [item for item in record.comparisons if item.name == reason.name]
        return next((item for item in pairs if item.metric == reason.metric), next(iter(pairs), None))
    return next((item for item in record.findings if item.check == reason.name), None)


def _describe(reason: Reason, record: RunRecord, link: str) -> Decider:
    item = _find(reason, record)
    if isinstance(item, Score):
        gate = read_gates(record.verdict).get(item.name)
        asked = "" if gate is None else f"the whole interval must reach {gate:.2f}"
        reach = span(item.low, item.high) or item.method.partition(":")[0]
        bar = make_interval_bar(item, gate, start=choose_start([item], [] if gate is None else [gate]))
        return Decider(reason.holds, say_score(item), number(item.value), reach, asked, bar, link)
    if isinstance(item, Comparison):
        metric, digits = say_metric(item.metric), 1 if item.metric in POINTS else 3
        note = f"on the same {item.num_examples:,} rows, p {_say_p(item.p_value)}"
        return Decider(
            reason.holds,
            f"{metric}, beyond {OTHERS.get(item.b, item.b)}",
            f"{item.difference:+.{digits}f}",
            span(item.low, item.high, signed=True, digits=digits),
            note,
            make_difference_bar(item, reason.holds),
            link,
        )
    return Decider(reason.holds, reason.name.replace("_", " "), "", "", reason.text, None, link)


def _say_p(p_value: float) -> str:
    said = chance(p_value)
    return said if said.startswith("<") else f"= {said}"


def say_score(score: Score) -> str:
    """Write whose figure a score is, such as ``recall of spam``."""
    return _say(score.metric, score.label)


def say_metric(name: str) -> str:
    """Write the name of a figure.

    Example:
        >>> say_metric("f1[spam]"), say_metric("balanced_accuracy")
        ('F1 of spam', 'balanced accuracy')
    """
    metric, _, label = name.partition("[")
    return _say(metric, label.removesuffix("]") or None)


def _say(metric: str, label: str | None) -> str:
    name = METRIC_NAMES.get(metric, metric.replace("_", " "))
    if label is None:
        return name
    return f"mean {name} of the classes" if label == "macro" else f"{name} of {label}"


def _link(reason: Reason, links: Mapping[tuple[str, str], str]) -> str:
    asked = [(reason.kind, f"{reason.name} {reason.metric}"), (reason.kind, reason.name), (reason.kind, "")]
    return next((links[key] for key in asked if key in links), "")


def _tally(reasons: Sequence[Reason]) -> str:
    counts = [sum(reason.holds is holds for reason in reasons) for holds in ORDER]
    words = (("fails", "fail"), ("is open", "are open"), ("holds", "hold"))
    return ", ".join(
        f"{count} {one if count == 1 else many}" for count, (one, many) in zip(counts, words, strict=True) if count
    )
