"""After: what did training change for the worse, while its own loss fell?"""

from collections.abc import Iterator

from pretune.diagnose.measures import percent
from pretune.evaluate.paired import difference_interval
from pretune.evaluate.replies.assess import BEFORE
from pretune.evaluate.replies.forgetting import FORGETTING
from pretune.evaluate.replies.stretches import is_loop
from pretune.intervals import MIN_RARER_CLASS
from pretune.records import ChatEvidence, Comparison, Evaluation, Finding, Replies, Severity

# Relative rise of the loss on general text that counts as forgetting: that of ``adaptation.forgetting``.
MAX_FORGOTTEN = 0.05
# Further share of replies that loop, clearly above which replies got worse.
MAX_MORE_LOOPS = 0.05


def check_loss_only(evidence: ChatEvidence, evaluation: Evaluation | None = None) -> Finding:
    """Where the loss fell clearly: ask that replies are not clearly worse than those of the model as it came."""
    check = "replies.loss_only"
    if evaluation is None:
        return Finding.unknown(check, "needs the figures of the test")
    loss, chrf = (_compared(evaluation, metric) for metric in ("loss", "chrf"))
    before, after = evidence.find("test", BEFORE), evidence.find("test", evidence.main)
    if loss is None or chrf is None or before is None or after is None:
        return Finding.not_applicable(check, "no loss and replies of both the model and the model as it came")
    low, _ = _more_loops(before, after)
    worse = [f"chrF fell from {chrf.value_b:.1f} to {chrf.value_a:.1f}"] if chrf.high is not None and chrf.high < 0 else []
    loops = f"{percent(_loops(before))} to {percent(_loops(after))}"
    worse += [f"loops rose from {loops}"] if low > MAX_MORE_LOOPS else []
    fell = loss.high is not None and loss.high < 0
    says = f"the loss went from {loss.value_b:.3f} to {loss.value_a:.3f}"
    severity = Severity.OK if not (fell and worse) else Severity.BLOCKING
    return Finding(
        check=check,
        severity=severity,
        summary=f"{says}, and {' and '.join(worse)}: the yardstick got better, the replies worse"
        if fell and worse
        else f"{says}, chrF from {chrf.value_b:.1f} to {chrf.value_a:.1f}, loops from {loops}",
        measured=chrf.difference,
        limit=0.0,
        fix="Judge by replies, not by the loss: train less, with a lower --lr, or look at the template."
        if fell and worse
        else "",
    )


def check_forgotten(_evidence: ChatEvidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure by how much the loss on general text and on general instructions rose."""
    check = "replies.forgetting"
    scores = (
        []
        if evaluation is None
        else [score for score in evaluation.scores if score.metric == FORGETTING and score.value is not None]
    )
    if not scores:
        return Finding.not_applicable(check, "no general text or instruction was scored before and after")
    worst = max(scores, key=lambda score: score.value or 0.0)
    is_sure = worst.low is not None or worst.num_examples >= MIN_RARER_CLASS  # without an interval all texts agree, or are few
    beyond = is_sure and (worst.low if worst.low is not None else worst.value or 0.0) >= MAX_FORGOTTEN
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary="the loss changed by " + ", ".join(f"{score.value or 0.0:+.1%} on {_what(score.split)}" for score in scores),
        measured=worst.value,
        limit=MAX_FORGOTTEN,
        fix="Mix general text in (--mix 0.1 CORPUS), lower --lr, or train fewer layers (--freeze last-4)." if beyond else "",
    )


def _compared(evaluation: Evaluation, metric: str) -> Comparison | None:
    matches: Iterator[Comparison] = (
        item for item in evaluation.comparisons if (item.a, item.b, item.metric) == (evaluation.main, BEFORE, metric)
    )
    return next(matches, None)


def _more_loops(before: Replies, after: Replies) -> tuple[float, float]:
    """Return the interval of how much more often the model's replies loop, over the same questions."""
    known = {id: is_loop(text) for id, text in zip(before.ids, before.texts, strict=True)}
    pairs = [(is_loop(text), known[id]) for id, text in zip(after.ids, after.texts, strict=True) if id in known]
    only_after, only_before = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    return difference_interval(only_after, only_before, len(pairs), 0.95)


def _loops(replies: Replies) -> float:
    return sum(map(is_loop, replies.texts)) / max(1, len(replies.texts))


def _what(split: str) -> str:
    return "general text" if split == "general" else "general instructions"
