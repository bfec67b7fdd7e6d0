"""Each rival, the review and what was forgotten, weighed alone: passed, failed or open, in one plain sentence."""

from collections.abc import Iterator, Sequence

from pretune.records import Comparison, Domain, Evaluation, Reason, Review, Score
from pretune.verdict.reply_policy import FIGURES, LESS_IS_BETTER, ReplyPolicy
from pretune.verdict.weigh import say_confidence

SOURCES = {
    "before": "the model as it came",
    "retrieval": "retrieval",
    "constant": "one reply to everything",
    "few-shot": "the model as it came with examples in its prompt",
}
REVIEW = "`pretune review RUN --pairs {pairs}`"


def weigh_rivals(evaluation: Evaluation, policy: ReplyPolicy) -> Iterator[Reason]:
    """Ask of every rival that the policy names whether the model is clearly better, or clearly worse."""
    for source in dict.fromkeys((*policy.better_on, *policy.better_on_one, *policy.not_worse_on)):
        found = {item.metric: item for item in evaluation.comparisons if (item.a, item.b) == (evaluation.main, source)}
        if source == evaluation.main:
            continue
        if not found:
            text = f"there are no replies of {say_source(source)} to these questions, so whether it does as well is not known"
            yield Reason(kind="comparison", name=f"{evaluation.main}-{source}", holds=None, text=text)
            continue
        bounded, better = policy.not_worse_on.get(source, ()), policy.better_on.get(source, ())
        one = policy.better_on_one.get(source, ())
        for metric in dict.fromkeys((*better, *bounded)):
            if metric in found and metric not in one:
                yield _weigh(found[metric], must_win=metric in better, may_fail=metric in bounded)
        if one:
            yield _weigh_one([found[metric] for metric in one if metric in found], bounded)


def weigh_forgetting(evaluation: Evaluation, policy: ReplyPolicy) -> Iterator[Reason]:
    """Fail where the loss on general text or instructions clearly rose by more than the policy allows."""
    limit = policy.max_forgetting
    for score in evaluation.scores:
        if score.metric != "forgetting" or score.source != evaluation.main or score.value is None:
            continue
        what = "general text" if score.split == "general" else "general instructions"
        figure = f"the loss on {what} changed by {100 * score.value:+.1f} %{_interval(score, 100, ' %')}"
        if score.is_clear_of(limit):
            holds, why = False, f"clearly over the {100 * limit:g} % that the policy allows"
        elif score.low is None and score.value > limit:
            holds, why = None, f"more than {100 * limit:g} %, of too few texts to be sure"
        else:
            holds, why = True, f"not clearly over {100 * limit:g} %"
        yield Reason(kind="score", name=f"forgetting[{score.split}]", holds=holds, text=f"{figure}: {why}", metric=score.metric)


def weigh_review(domain: Domain | None, review: Review | None, policy: ReplyPolicy) -> Iterator[Reason]:
    """Where the questions are about health, law or money, nothing ships before people preferred it to its best rival."""
    needed = domain is None or domain.needs_review
    if domain is None and review is None:
        text = "whether the questions are about health, law or money was not asked, and then people have to compare replies"
        yield _of_review(None, text)
        return
    if not needed and review is None:
        return
    area = None if domain is None else domain.area
    why = "" if domain is None or area is None else f"{100 * domain.shares[area]:.0f} % of the questions are about {area}"
    if review is None or review.num_pairs == 0:
        command = REVIEW.format(pairs=policy.review.min_pairs)
        yield _of_review(None, f"{why}, and nobody has compared its replies with those of its best rival: {command}")
        return
    holds, text = _judge_review(review, policy)
    yield _of_review(holds if needed or holds is False else True, text)


def say_source(source: str) -> str:
    """Return what a source is called in a sentence."""
    return SOURCES.get(source, source)


def is_better(item: Comparison) -> bool:
    """Whether a is clearly better than b."""
    return _sign(item) > 0


def is_worse(item: Comparison) -> bool:
    """Whether a is clearly worse than b."""
    return _sign(item) < 0


def find_settled(evaluation: Evaluation, policy: ReplyPolicy) -> list[str]:
    """Return what no further question changes: figures that must be better and are clearly worse."""
    asked = [*policy.better_on.items(), *policy.better_on_one.items()]
    places = {(source, metric) for source, metrics in asked for metric in metrics}
    found = [item for item in evaluation.comparisons if item.a == evaluation.main and (item.b, item.metric) in places]
    return [f"{say_comparison(item)}: clearly worse" for item in found if is_worse(item)]


def say_comparison(item: Comparison) -> str:
    """Return the two values, their difference, and how sure it is."""
    scale, digits, unit = (100, 0, " %") if item.metric in ("subject", "exact") else (1, 3 if item.metric == "loss" else 1, "")
    values = " against ".join(f"{scale * value:.{digits}f}{unit}" for value in (item.value_a, item.value_b))
    shown = f"{FIGURES[item.metric]} {values} of {say_source(item.b)}"
    ends = ""
    if item.low is not None and item.high is not None:
        ends = f"{say_confidence(item.confidence)} interval of the difference {scale * item.low:+.{max(digits, 1)}f} to "
        ends += f"{scale * item.high:+.{max(digits, 1)}f}, "
    return f"{shown} ({ends}p = {item.p_value:.2g}, {item.num_examples:,} questions)"


def _sign(item: Comparison) -> int:
    if item.low is None or item.high is None or item.p_value > 1 - item.confidence + 1e-12:
        return 0
    sign = 1 if item.low > 0 else -1 if item.high < 0 else 0
    return -sign if item.metric in LESS_IS_BETTER else sign


def _weigh(item: Comparison, *, must_win: bool, may_fail: bool) -> Reason:
    holds: bool | None = None if must_win else True
    why = "the questions do not show which is better" if must_win else "not clearly worse"
    if is_better(item):
        holds, why = True, "clearly better"
    elif is_worse(item):
        holds, why = False if may_fail else None, "clearly worse"
    return Reason(kind="comparison", name=item.name, holds=holds, text=f"{say_comparison(item)}: {why}", metric=item.metric)


def _weigh_one(items: Sequence[Comparison], bounded: Sequence[str]) -> Reason:
    """One of several figures has to be clearly better, and none clearly worse."""
    worse, better = [item for item in items if is_worse(item)], [item for item in items if is_better(item)]
    shown = "; ".join(map(say_comparison, items))
    named = " and ".join(FIGURES[item.metric] for item in worse or better)
    failed = any(item.metric in bounded for item in worse)
    holds, why = None, "the questions do not show that it is better"
    if worse:
        holds, why = False if failed else None, f"clearly worse on {named}"
    elif better:
        holds, why = True, f"clearly better on {named}"
    return Reason(kind="comparison", name=items[0].name, holds=holds, text=f"{shown}: {why}", metric=items[0].metric)


def _judge_review(review: Review, policy: ReplyPolicy) -> tuple[bool | None, str]:
    wanted, most = policy.review.min_pairs, policy.review.max_harmful
    told = f"of {review.num_pairs} pairs people preferred the model in {review.num_model}, {say_source(review.rival)} in "
    told += f"{review.num_rival}, neither in {review.num_ties} (p = {review.p_value:.2g})"
    if review.num_harmful > most:
        replies = "1 reply" if review.num_harmful == 1 else f"{review.num_harmful} replies"
        return False, f"people called {replies} of the model harmful; {told}"
    is_clear = review.p_value <= 1 - review.confidence + 1e-12
    if is_clear and review.num_model < review.num_rival:
        return False, f"{told}: they prefer {say_source(review.rival)}"
    if review.num_pairs < wanted:
        return None, f"{told}: the policy asks for {wanted} pairs"
    if is_clear and review.num_model > review.num_rival:
        return True, f"{told}: they prefer the model"
    return None, f"{told}: they do not clearly prefer the model"


def _of_review(holds: bool | None, text: str) -> Reason:
    return Reason(kind="review", name="review", holds=holds, text=text)


def _interval(score: Score, scale: float, unit: str) -> str:
    if score.low is None or score.high is None:
        return ""
    return f" ({say_confidence(score.confidence)} interval {scale * score.low:+.1f} to {scale * score.high:+.1f}{unit})"
