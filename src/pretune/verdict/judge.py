"""Ship, do not ship, or not enough evidence: the figures weighed by the policy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pretune.errors import UsageError
from pretune.records import AGREEMENT, PERSON, USUAL, Evaluation, Finding, Outcome, Reason, Slice, Terms, Verdict
from pretune.verdict.better import HELD, Better, find_better
from pretune.verdict.limits import EVERY, SLICE, parts_of, parts_of_slices, weigh_limits, weigh_margin
from pretune.verdict.measures import Measure, measures_of, without_error
from pretune.verdict.plain import plain_reading
from pretune.verdict.policy import Policy
from pretune.verdict.rows_by_class import rows_by_class, say_rows_by_class
from pretune.verdict.rows_needed import Needed, Question, empty_class, find_rows_needed
from pretune.verdict.weigh import (
    active_gates,
    asked_comparisons,
    compared_sources,
    confusion_of_main,
    find_comparison,
    goal_metric,
    least_gain,
    say_confidence,
    say_score,
    say_source,
    weigh_comparisons,
    weigh_findings,
    weigh_gates,
)


def decide(
    evaluation: Evaluation,
    findings: Sequence[Finding],
    policy: Policy,
    terms: Terms = USUAL,
    *,
    slices: Sequence[Slice] = (),
) -> Verdict:
    """Weigh figures, comparisons and findings, and say what follows.

    *Ship* when every gate, comparison and required check holds; *do not ship* when one fails with its whole interval or a
    finding blocks; else *not enough evidence*, with the number of further rows that would settle it.

    Args:
        evaluation: Of the judged source, beside the baselines.
        findings: What the checks measured.
        policy: What must hold.
        terms: By which the figures were computed.
        slices: All that are large enough, where the policy has a floor for them.

    Raises:
        UsageError: The evaluation lacks the confusion matrix of the judged source, or the positive class is not a class.
    """
    positive = terms.positive
    _check(evaluation, positive)
    gated = [*weigh_gates(evaluation, policy, positive), *weigh_comparisons(evaluation, policy, positive)]
    limited = [*_limits(evaluation, policy, positive, slices), *_margins(evaluation, policy, positive)]
    reasons = [*_of_scores(gated), *_of_scores(limited), *_of_pairs(gated), *_of_pairs(limited)]
    reasons += weigh_findings(findings, policy)
    outcome = _outcome(reasons)
    needed = Needed()
    if outcome is Outcome.NOT_ENOUGH_EVIDENCE:
        needed = _rows_needed(evaluation, findings, reasons, limited, policy, terms, slices)
    confusion = confusion_of_main(evaluation)
    better = find_better(evaluation, policy, positive) if policy.rules > 2 else None
    return Verdict(
        outcome=outcome,
        summary=_put_first(
            better, outcome, _name(evaluation, _summary(outcome, evaluation, reasons, needed.note, policy, terms))
        ),
        reasons=tuple(sorted(reasons, key=lambda reason: _ORDER[reason.holds])),
        rows_needed=needed.rows,
        positives_needed=needed.positives,
        groups_needed=needed.groups,
        class_rows_needed=dict(needed.by_class),
        rows_needed_note=needed.note,
        plain_reading=plain_reading(evaluation, policy.plain, positive=positive, num_classes=len(confusion.classes)),
        look=terms.look,
        better_source=None if better is None else better.source,
        policy=policy.to_json(),
    )


def _of_scores(reasons: Sequence[Reason]) -> Iterator[Reason]:
    return (reason for reason in reasons if reason.kind != "comparison")


def _of_pairs(reasons: Sequence[Reason]) -> Iterator[Reason]:
    return (reason for reason in reasons if reason.kind == "comparison")


# What failed stands first, then what is open.
_ORDER = {False: 0, None: 1, True: 2}


def _check(evaluation: Evaluation, positive: str | None) -> None:
    if not evaluation.scores or all(item.source != evaluation.main for item in evaluation.confusions):
        raise UsageError(
            "an evaluation without scores or confusion matrix", expected="what evaluate_sources returns", fix="pass that"
        )
    classes = confusion_of_main(evaluation).classes
    if positive is not None and positive not in classes:
        raise UsageError(f"no class {positive!r}", expected="one of " + ", ".join(classes), fix="see --positive")


def _outcome(reasons: Sequence[Reason]) -> Outcome:
    if any(reason.holds is False for reason in reasons):
        return Outcome.DO_NOT_SHIP
    return Outcome.SHIP if all(reason.holds for reason in reasons) else Outcome.NOT_ENOUGH_EVIDENCE


def _limits(evaluation: Evaluation, policy: Policy, positive: str | None, slices: Sequence[Slice] = ()) -> Iterator[Reason]:
    confusion = confusion_of_main(evaluation)
    return weigh_limits(evaluation, policy.limits, confusion, positive, policy.min_positives, slices, policy.rules)


def _margins(evaluation: Evaluation, policy: Policy, positive: str | None) -> Iterator[Reason]:
    metric = goal_metric(confusion_of_main(evaluation), policy, positive)
    for source, margin in policy.not_worse.items():
        on = AGREEMENT if source == PERSON else metric
        yield weigh_margin(find_comparison(evaluation, on, source), say_source(source, policy.rules), margin)


def _rows_needed(
    evaluation: Evaluation,
    findings: Sequence[Finding],
    reasons: Sequence[Reason],
    limited: Sequence[Reason],
    policy: Policy,
    terms: Terms,
    slices: Sequence[Slice],
) -> Needed:
    positive, look = terms.positive, terms.look
    confusion = confusion_of_main(evaluation)
    asked = asked_comparisons(evaluation, policy, positive)
    found = [(find_comparison(evaluation, metric, source), source) for metric, source in asked]
    comparisons = tuple((comparison, least_gain(source, policy)) for comparison, source in found if comparison is not None)
    # A check of results that could not run lacks rows, as a gate does; a check of data lacks something else.
    runnable = {finding.check for finding in findings if finding.check.startswith("results.")}
    open_checks = [item.text for item in reasons if item.kind == "finding" and item.holds is None and item.name not in runnable]
    if len(comparisons) < len(found):
        open_checks += [item.text for item in reasons if item.kind == "comparison" and item.holds is None]
    error = (1 - evaluation.scores[0].confidence) * look**2 / (look + 1) ** 2
    scores = (score for score in evaluation.scores if score.source == evaluation.main)
    units = {score.name: score.units for score in scores if score.units is not None}
    measures = measures_of(evaluation, policy, positive) if policy.rules > 2 else ()
    gates = () if policy.prevalence else active_gates(confusion, policy)  # weighed figures are measures
    question = Question(confusion, gates, comparisons, positive, 1 - error, units, terms.unit, terms.rules, measures)
    by_class = _rows_by_class(evaluation, policy, question.confidence, slices) if policy.rules > 2 else {}
    told = say_rows_by_class(by_class, policy.rows_needed.probability)
    unknown = _why_unknown(limited, measures, policy)
    if unknown:
        return Needed(by_class=by_class, note="; ".join(filter(None, [told, unknown])))
    if open_checks and empty_class(question) is None:
        return Needed(note=f"more {'rows' if terms.rules == 1 else 'test rows'} alone do not help: {open_checks[0]}")
    if by_class and all(item.holds or item in limited for item in reasons):
        return Needed(by_class=by_class, note=told)
    needed = find_rows_needed(question, policy)
    return replace(needed, by_class=by_class, note="; ".join(filter(None, [needed.note, told])))


def _why_unknown(limited: Sequence[Reason], measures: Sequence[Measure], policy: Policy) -> str:
    """Say for which open bound nobody knows how many rows would decide it; empty where there is none."""
    if policy.rules < 3:
        named = [item.name for item in limited if item.holds is None]
        return f"how many more test rows would decide {', '.join(named)} is not computed" if named else ""
    named = without_error(measures)
    if any(
        item.name == SLICE or item.name in {limit.label for limit in policy.limits} for item in limited if item.holds is None
    ):
        named.append("the accuracy of slices, of which none is large enough")
    return f"how many more test rows would decide is not known: there is no interval of {', '.join(named)}" if named else ""


def _rows_by_class(evaluation: Evaluation, policy: Policy, confidence: float, slices: Sequence[Slice]) -> dict[str, int | None]:
    """Return the further rows of every class, or slice, whose floor is open; of several floors the most."""
    confusion, found = confusion_of_main(evaluation), dict[str, int | None]()
    for limit in policy.limits:
        if limit.label == EVERY and limit.minimum is not None:
            parts = parts_of(limit.metric, evaluation, confusion, policy.min_positives)
            for label, rows in rows_by_class(parts, limit.minimum, policy, confidence).items():
                found[label] = None if rows is None or found.get(label, 0) is None else max(rows, found.get(label) or 0)
        if limit.metric == SLICE and limit.minimum is not None:
            found |= rows_by_class(parts_of_slices(limit, slices), limit.minimum, policy, confidence)
    return found


def _summary(
    outcome: Outcome, evaluation: Evaluation, reasons: Sequence[Reason], note: str, policy: Policy, terms: Terms
) -> str:
    if outcome is Outcome.SHIP:
        return f"Ship: {_strengths(evaluation, policy, terms)}."
    if outcome is Outcome.DO_NOT_SHIP:
        failed = [reason for reason in reasons if reason.holds is False]
        blocked = [reason.text for reason in failed if reason.kind == "finding"]
        missed = _missed_positives(evaluation, failed, policy, terms.positive)
        return f"Do not ship: {missed or (blocked or [failed[0].text])[0]}."
    still_open = [reason.text for reason in reasons if reason.holds is None]
    return f"Not enough evidence: {still_open[0]}; {note}."


def _name(evaluation: Evaluation, summary: str) -> str:
    """Say whose verdict it is, where validation chose another source than the fine-tuned model."""
    if evaluation.main not in HELD or evaluation.main == "finetuned":
        return summary
    label, _, rest = summary.partition(": ")
    return f"{label}: {say_source(evaluation.main)}, which validation chose; {rest}"


def _put_first(better: Better | None, outcome: Outcome, summary: str) -> str:
    """Name a better source before anything else; where the model does not ship, in place of what else is wrong with it."""
    if better is None:
        return summary
    label, _, rest = summary.partition(": ")
    if outcome is Outcome.SHIP:
        return f"{label}, but {better.text}. The judged model: {rest}"
    return f"{label}: {better.text}."


def _strengths(evaluation: Evaluation, policy: Policy, terms: Terms) -> str:
    confusion, positive = confusion_of_main(evaluation), terms.positive
    labels = {
        gate.metric: None if gate.metric == "accuracy" else positive or "macro" for gate in active_gates(confusion, policy)
    }
    scores = [score for score in (evaluation.find(metric, label) for metric, label in labels.items()) if score is not None]
    figures = ", ".join(f"{say_score(score)} at least {score.low:.2f}" for score in scores)
    beaten = " and ".join(say_source(source, policy.rules) for source in compared_sources(evaluation, policy))
    accuracy = evaluation.find("accuracy")
    units = accuracy.units if accuracy is not None else None
    of_units = f" ({units.num:,} {terms.unit})" if units is not None else ""
    rows = f"on {sum(map(sum, confusion.counts)):,} test rows{of_units}"
    if policy.prevalence:
        rows += ", weighed by the class shares of production"
    text = f"{rows}, with {say_confidence(evaluation.scores[0].confidence)} confidence, {figures}"
    return f"{text}, and it is better than {beaten} on the same rows" if beaten else text


def _missed_positives(evaluation: Evaluation, failed: Sequence[Reason], policy: Policy, positive: str | None) -> str:
    """Say for a manager what high accuracy hides; empty where it hides nothing."""
    accuracy, recall = evaluation.find("accuracy"), evaluation.find("recall", positive)
    if positive is None or accuracy is None or recall is None or recall.name not in {reason.name for reason in failed}:
        return ""
    if accuracy.value is None or accuracy.value <= policy.plain.good_accuracy or recall.value is None:
        return ""
    gate = next(gate.minimum for gate in policy.gates if gate.metric == "recall")
    sizes = {label: sum(row) for label, row in zip(*_classes_and_rows(evaluation), strict=True)}
    commonest = max(sizes, key=lambda label: sizes[label])
    constant = sizes[commonest] / sum(sizes.values())
    compare = f" (saying {commonest} every time would be right in {_percent(constant)})" if commonest != positive else ""
    shares = f"{_percent(recall.value)}, where {_percent(gate)} are asked"
    found = f"it finds only {recall.num_hits} of the {recall.num_examples} {positive} rows ({shares})"
    return f"{_percent(accuracy.value)} of its answers are right{compare}, but {found}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _classes_and_rows(evaluation: Evaluation) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    confusion = confusion_of_main(evaluation)
    return confusion.classes, confusion.counts
