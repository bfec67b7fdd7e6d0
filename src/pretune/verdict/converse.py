"""The decision on a model that replies: every rival, what was forgotten, the checks and the review; and what nobody judged."""

from collections.abc import Iterator, Sequence

from pretune.errors import UsageError
from pretune.records import USUAL, Domain, Evaluation, Finding, Outcome, Reason, Review, SafetyReplies, Severity, Terms, Verdict
from pretune.records.judgement import NOT_JUDGED
from pretune.verdict.questions_needed import Open, find_questions_needed
from pretune.verdict.reply_policy import ReplyPolicy
from pretune.verdict.weigh import say_confidence, weigh_findings
from pretune.verdict.weigh_replies import find_settled, say_source, weigh_forgetting, weigh_review, weigh_rivals

_SAID = {Outcome.SHIP: "Ship", Outcome.DO_NOT_SHIP: "Do not ship", Outcome.NOT_ENOUGH_EVIDENCE: "Not enough evidence"}
_ORDER = {False: 0, None: 1, True: 2}


def decide_conversation(
    evaluation: Evaluation,
    findings: Sequence[Finding],
    policy: ReplyPolicy,
    terms: Terms = USUAL,
    *,
    domain: Domain | None = None,
    review: Review | None = None,
    safety: Sequence[SafetyReplies] = (),
) -> Verdict:
    """Weigh rivals, findings, what was forgotten and the review, and say what follows; needs records alone.

    *Do not ship* where a finding blocks, a rival of ``not_worse_on`` is clearly better, forgetting is clearly over the limit,
    or people prefer the rival or call replies harmful. *Ship* where every reason holds. Else *not enough evidence*, with the
    number of test questions that would decide, or what else is missing. The summary always ends with what was not judged.

    Args:
        evaluation: What ``assess_replies`` returned.
        findings: What ``CONVERSATION_CHECKS`` measured.
        policy: What must hold (``load_reply_policy``).
        terms: By which the figures were computed.
        domain: What the questions are about (``find_domain``); ``None``: it was not asked, and that stays open.
        review: What people said (``review_of``), where somebody has.
        safety: Replies to the questions that need care; they are shown, and only counted here.

    Raises:
        UsageError: The evaluation has no figure.
    """
    if not evaluation.scores:
        raise UsageError("an evaluation without scores", expected="what assess_replies returns", fix="pass that")
    compared = list(weigh_rivals(evaluation, policy))
    reasons = [*compared, *weigh_forgetting(evaluation, policy), *weigh_findings(findings, policy)]
    reasons += weigh_review(domain, review, policy)
    holds = [reason.holds for reason in reasons]
    outcome = Outcome.DO_NOT_SHIP if False in holds else Outcome.SHIP if all(holds) else Outcome.NOT_ENOUGH_EVIDENCE
    rows, groups, note = (None, None, "")
    if outcome is Outcome.NOT_ENOUGH_EVIDENCE:
        rows, groups, note = _needed(evaluation, reasons, compared, policy, terms)
    left = f"{NOT_JUDGED} {'; '.join(not_judged(evaluation, findings, domain, review, safety))}."
    return Verdict(
        outcome=outcome,
        summary=f"{_SAID[outcome]}: {_summary(outcome, evaluation, reasons, note, terms)}. {left}",
        reasons=tuple(sorted(reasons, key=lambda reason: _ORDER[reason.holds])),
        rows_needed=rows,
        groups_needed=groups,
        rows_needed_note=note,
        look=terms.look,
        policy=policy.to_json(),
    )


def not_judged(
    evaluation: Evaluation,
    findings: Sequence[Finding],
    domain: Domain | None,
    review: Review | None,
    safety: Sequence[SafetyReplies],
) -> tuple[str, ...]:
    """Return what no figure of this verdict says, each in a few words."""
    return tuple(_not_judged(evaluation, findings, domain, review, safety))


def _not_judged(
    evaluation: Evaluation,
    findings: Sequence[Finding],
    domain: Domain | None,
    review: Review | None,
    safety: Sequence[SafetyReplies],
) -> Iterator[str]:
    yield "whether what the replies say is true (likeness to a reference is not truth)"
    if safety and safety[0].questions:
        yield f"whether the replies to {len(safety[0].questions)} questions that need care are safe (they are shown: read them)"
    else:
        yield "whether replies are safe (no question that needs care was asked)"
    if review is None or not review.num_pairs:
        plain = ", which --domain plain switched off" if domain is not None and domain.area and domain.asked == "plain" else ""
        yield f"what people think of the replies{plain}"
    known = {score.metric for score in evaluation.scores if score.source == evaluation.main and score.value is not None}
    if "subject" not in known:
        yield "whether replies name what was asked (no question has a rare word that its reference repeats)"
    if "forgetting" not in known:
        yield "what was forgotten (no general text or instruction was scored before and after)"
    unknown = [finding.check for finding in findings if finding.severity is Severity.UNKNOWN]
    if unknown:
        yield f"what could not be checked ({', '.join(unknown)})"
    yield "questions unlike those of the test"


def _needed(
    evaluation: Evaluation, reasons: Sequence[Reason], compared: Sequence[Reason], policy: ReplyPolicy, terms: Terms
) -> tuple[int | None, int | None, str]:
    """Return further questions and groups that would decide, and a sentence; other things that are open come first."""
    others = [reason.text for reason in reasons if reason.holds is None and reason not in compared]
    missing = [reason.text for reason in compared if reason.holds is None and reason.metric is None]
    missing += find_settled(evaluation, policy)
    if missing or all(reason.holds for reason in compared):
        return None, None, f"more test questions alone do not help: {(missing or others)[0]}"
    first = evaluation.scores[0]
    ended = evaluation.find("ended")
    units = ended.units if ended is not None else None
    error = (1 - first.confidence) * terms.look**2 / (terms.look + 1) ** 2
    asked = Open(
        [item for item in evaluation.comparisons if item.a == evaluation.main],
        first.num_examples,
        first.num_examples if units is None else units.num,
        "rows" if units is None else terms.unit,
        1 - error,
    )
    rows, groups, note = find_questions_needed(asked, policy)
    return rows, groups, f"{note}; and {others[0]}" if others else note


def _summary(outcome: Outcome, evaluation: Evaluation, reasons: Sequence[Reason], note: str, terms: Terms) -> str:
    if outcome is Outcome.SHIP:
        return _strengths(evaluation, terms)
    if outcome is Outcome.DO_NOT_SHIP:
        failed = [reason for reason in reasons if reason.holds is False]
        first = [reason.text for reason in failed if reason.kind in ("finding", "review")]
        return (first or [failed[0].text])[0]
    still_open = [reason.text for reason in reasons if reason.holds is None]
    return f"{still_open[0]}; {note}" if still_open[0] not in note else note


def _strengths(evaluation: Evaluation, terms: Terms) -> str:
    chrf, ended = evaluation.find("chrf"), evaluation.find("ended")
    gains = [
        f"{say_source(item.b)} by {item.low:.1f} to {item.high:.1f}"
        for item in evaluation.comparisons
        if item.metric == "chrf" and item.low is not None and item.high is not None
    ]
    units = ended.units if ended is not None else None
    of_units = f" ({units.num:,} {terms.unit})" if units is not None else ""
    rows = f"on {evaluation.scores[0].num_examples:,} test questions{of_units}"
    value = "" if chrf is None or chrf.value is None else f" of {chrf.value:.1f}"
    sure = say_confidence(evaluation.scores[0].confidence)
    return f"{rows}, with {sure} confidence, its chrF{value} is above that of {', '.join(gains)}"
