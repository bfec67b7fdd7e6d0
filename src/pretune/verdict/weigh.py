"""Each gate, comparison and finding, weighed alone: passed, failed or open, in one plain sentence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pretune.records import PERSON, RULES, Comparison, Confusion, Evaluation, Finding, Reason, Score, Severity
from pretune.verdict.gate import Gate
from pretune.verdict.policy import Policy


class Checking(Protocol):
    """What a policy asks of the checks."""

    @property
    def required_checks(self) -> Sequence[str]:
        """Checks that must have run."""

    @property
    def max_measured(self) -> Mapping[str, float]:
        """By check, what it may measure at most."""


def confusion_of_main(evaluation: Evaluation) -> Confusion:
    """Return the confusion matrix of the source that is judged."""
    return next(item for item in evaluation.confusions if item.source == evaluation.main)


def is_balanced(confusion: Confusion, policy: Policy) -> bool:
    """Whether no class holds more than the policy's share of the rows."""
    if policy.prevalence:  # of production, as far as it was named
        return max(*policy.prevalence.values(), 1 - sum(policy.prevalence.values())) <= policy.max_balanced_share
    sizes = [sum(row) for row in confusion.counts]
    return max(sizes) <= policy.max_balanced_share * sum(sizes)


def active_gates(confusion: Confusion, policy: Policy) -> tuple[Gate, ...]:
    """Return the gates that apply to these rows."""
    balanced = is_balanced(confusion, policy)
    return tuple(gate for gate in policy.gates if balanced or not gate.only_balanced)


def label_of(gate: Gate, positive: str | None) -> str | None:
    """Return the label of the figure that a gate is about."""
    if gate.metric == "accuracy":
        return None
    return positive if positive is not None else "macro"


def goal_metric(confusion: Confusion, policy: Policy, positive: str | None) -> str:
    """Return the figure on which the model has to beat the baselines.

    Accuracy, but F1 where one class holds most rows: a model that finds half of 2 % spam gains one point of accuracy
    over saying "ham" always, which is no measure of its worth.
    """
    if policy.prevalence and positive is None:  # a mean of F1 is not compared at other shares than those of the test
        return "accuracy"
    return "accuracy" if is_balanced(confusion, policy) else f"f1[{positive if positive is not None else 'macro'}]"


def compared_sources(evaluation: Evaluation, policy: Policy) -> tuple[str, ...]:
    """Return the baselines that the judged source has to beat; none has to beat itself."""
    return tuple(source for source in policy.better_than if source != evaluation.main)


def asked_comparisons(evaluation: Evaluation, policy: Policy, positive: str | None) -> tuple[tuple[str, str], ...]:
    """Return (metric, source) of every comparison that the policy asks for: on the goal's figure, or on those it names."""
    metric = goal_metric(confusion_of_main(evaluation), policy, positive)
    on_goal = [(metric, source) for source in compared_sources(evaluation, policy)]
    on_named = [
        (item if item == "accuracy" else f"{item}[{positive if positive is not None else 'macro'}]", source)
        for source, metrics in policy.better_on.items()
        for item in metrics
    ]
    return (*on_goal, *on_named)


def find_comparison(evaluation: Evaluation, metric: str, baseline: str) -> Comparison | None:
    """Return the paired comparison of the judged source with a baseline."""
    matches = (c for c in evaluation.comparisons if (c.metric, c.a, c.b) == (metric, evaluation.main, baseline))
    return next(matches, None)


def least_gain(baseline: str, policy: Policy) -> float:
    """Return the gain that must at least be possible."""
    return policy.min_gain if baseline == policy.simple_baseline else 0.0


def weigh_gates(evaluation: Evaluation, policy: Policy, positive: str | None) -> Iterator[Reason]:
    """Hold each gate against the interval of its figure."""
    confusion = confusion_of_main(evaluation)
    for gate in active_gates(confusion, policy):
        label = label_of(gate, positive)
        score = evaluation.find(gate.metric, label)
        if score is None:
            name = f"{gate.metric}[{label}]" if label is not None else gate.metric
            yield Reason(kind="score", name=name, holds=None, text=f"{name} was not computed, so its gate is open")
        else:
            num_positives = sum(confusion.counts[confusion.classes.index(label)]) if label in confusion.classes else None
            reason = _weigh_score(score, gate, num_positives, policy)
            ceiling = "" if reason.holds else _say_ceiling(evaluation, gate, label)
            yield replace(reason, text=reason.text + ceiling)


def _say_ceiling(evaluation: Evaluation, gate: Gate, label: str | None) -> str:
    """Say where people themselves do not agree as often as a gate asks a model to be right."""
    of_people = (item for item in evaluation.scores if (item.source, item.metric, item.label) == (PERSON, gate.metric, label))
    person = next(of_people, None)
    if person is None or person.low is None or person.high is None or person.high >= gate.minimum:
        return ""
    reached = f"{person.value:.3f} ({say_confidence(person.confidence)} interval {person.low:.3f} to {person.high:.3f})"
    return f"; a person reaches {reached} beside the majority of the others, so this gate asks for more than people agree"


def weigh_comparisons(evaluation: Evaluation, policy: Policy, positive: str | None) -> Iterator[Reason]:
    """Ask of each baseline whether the model is better on a paired test."""
    for metric, baseline in asked_comparisons(evaluation, policy, positive):
        comparison = find_comparison(evaluation, metric, baseline)
        if comparison is None:
            name = f"{evaluation.main}-{baseline}"
            text = (
                f"there is no comparison with {say_source(baseline, policy.rules)} on {metric}, so it is not known to be better"
            )
            yield Reason(kind="comparison", name=name, holds=None, text=text, metric=metric)
        else:
            yield _weigh_comparison(comparison, policy)


def weigh_findings(findings: Sequence[Finding], policy: Checking) -> Iterator[Reason]:
    """Let every blocking finding fail, and every required check that could not run stay open."""
    by_check = {finding.check: finding for finding in findings}
    for check in dict.fromkeys((*policy.required_checks, *policy.max_measured)):
        if check not in by_check:
            yield Reason(
                kind="finding", name=check, holds=None, text=f"the policy requires the check {check}, which was not run"
            )
    for finding in findings:
        limit = policy.max_measured.get(finding.check)
        required = finding.check in policy.required_checks
        if finding.severity is Severity.BLOCKING:
            yield Reason(kind="finding", name=finding.check, holds=False, text=finding.summary)
        elif limit is not None and finding.severity is not Severity.UNKNOWN:
            yield _weigh_measured(finding, limit)
        elif (required or limit is not None) and finding.severity is Severity.UNKNOWN:
            text = f"the required check {finding.check} could not run: {finding.summary}"
            yield Reason(kind="finding", name=finding.check, holds=None, text=text)
        elif required and finding.severity is not Severity.NOT_APPLICABLE:
            yield Reason(kind="finding", name=finding.check, holds=True, text=finding.summary)


def say_score(score: Score) -> str:
    """Return ``recall of spam``, ``mean recall over the classes`` or ``accuracy``."""
    if score.label is None:
        return score.metric
    return f"mean {score.metric} over the classes" if score.label == "macro" else f"{score.metric} of {score.label}"


def say_source(source: str, rules: int = RULES) -> str:
    """Return what a baseline is called in a sentence; verdicts by earlier rules keep the word that they have."""
    names = {
        "majority": "the majority class",
        "prior": "guessing by the class shares",
        "linear": "the linear model",
        "encoder_linear": "the untuned encoder" if rules < 3 else "the encoder-linear baseline",
        "before": "the model before adaptation",
        PERSON: "a person",
    }
    return names.get(source, source)


def say_confidence(confidence: float) -> str:
    """Return ``95 %``."""
    return f"{100 * confidence:.4g} %"


def _weigh_score(score: Score, gate: Gate, num_positives: int | None, policy: Policy) -> Reason:
    def reason(holds: bool | None, text: str) -> Reason:
        return Reason(kind="score", name=score.name, holds=holds, text=text)

    if num_positives is not None and num_positives < policy.min_positives:
        counted = f"only {num_positives} test rows are {score.label}" if num_positives else f"no test row is {score.label}"
        text = f"{counted}; with fewer than {policy.min_positives} nothing can be said of the {score.metric}"
        return reason(None, f"{text}, and the gate of {gate.minimum:.2f} is open")
    if score.value is None or score.low is None or score.high is None:
        figure = say_score(score) + ("" if score.value is None else f" is {score.value:.3f}, with")
        return reason(None, f"{figure} {score.method}; the gate of {gate.minimum:.2f} is open")
    interval = f"{say_confidence(score.confidence)} interval {score.low:.3f} to {score.high:.3f}"
    basis = f"{score.num_hits} of {score.num_examples} rows" if score.num_hits is not None else f"{score.num_examples} rows"
    figure = f"{say_score(score)} is {score.value:.3f} ({interval}, {basis})"
    if score.is_clear_of(gate.minimum):
        return reason(True, f"{figure}: the whole interval reaches the gate of {gate.minimum:.2f}")
    if score.is_short_of(gate.minimum):
        return reason(False, f"{figure}: the whole interval lies below the gate of {gate.minimum:.2f}")
    return reason(None, f"{figure}: the gate of {gate.minimum:.2f} lies inside the interval")


def _weigh_comparison(comparison: Comparison, policy: Policy) -> Reason:
    other, least = say_source(comparison.b, policy.rules), least_gain(comparison.b, policy)
    gain = f"the gain over {other} is {comparison.difference:+.3f} {comparison.metric}"
    if comparison.low is not None and comparison.high is not None:
        gain += f" ({say_confidence(comparison.confidence)} interval {comparison.low:+.3f} to {comparison.high:+.3f}"
        gain += f", p = {comparison.p_value:.2g}, {comparison.num_examples} rows)"
    else:
        gain += f" (p = {comparison.p_value:.2g}, {comparison.num_examples} rows)"
    holds, why = None, "the rows do not show which is better"
    if comparison.high is not None and comparison.high < least:
        kept = ", which is in the run" if comparison.a == "finetuned" else ""  # an audit fits it and keeps nothing
        advice = f", so ship {other}{kept}" if comparison.b == policy.simple_baseline else ""
        holds, why = False, f"even its upper end is under {least:.2f}{advice}"
    elif comparison.p_value <= 1 - comparison.confidence + 1e-12 and comparison.difference > 0:
        holds, why = True, "the model is better"
    return Reason(kind="comparison", name=comparison.name, holds=holds, text=f"{gain}: {why}", metric=comparison.metric)


def _weigh_measured(finding: Finding, limit: float) -> Reason:
    if finding.measured is None:
        text = f"{finding.check} was not measured, and the policy allows at most {limit:g}: {finding.summary}"
        return Reason(kind="finding", name=finding.check, holds=None, text=text)
    sign = "at most" if finding.measured <= limit else "more than"
    text = f"{finding.summary} ({finding.measured:.3g}, {sign} the {limit:g} that the policy allows)"
    return Reason(kind="finding", name=finding.check, holds=finding.measured <= limit, text=text)
