"""Assessing: from predictions and the facts of a run to figures, findings and verdict, without a model.

Judging does this once the seal is open, and recomputing does it again from the files of the run folder. One function serves
both, so both give the same bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pretune.configs import JudgeConfig
from pretune.data.alike.units import sample_of, with_units
from pretune.data.labels.votes import read_votes, without_votes
from pretune.diagnose import checks_by, diagnose
from pretune.evaluate import evaluate_sources
from pretune.evaluate.asked import add_asked
from pretune.evaluate.at_prevalence import weigh_evaluation
from pretune.evaluate.mistakes import find_mistakes
from pretune.evaluate.people import beside_people
from pretune.evaluate.slices import MAX_SLICES, find_slices
from pretune.records import (
    Comparison,
    Confusion,
    Copies,
    CorpusSketch,
    Evaluation,
    Evidence,
    Example,
    Finding,
    Mistake,
    Past,
    Predictions,
    Record,
    RunRecord,
    Sample,
    Score,
    Slice,
    Terms,
    Verdict,
)
from pretune.run.trace import Trace
from pretune.verdict import Policy, decide
from pretune.verdict.policy import policy_of

MAIN = "finetuned"
# The order in which sources are scored and compared, whoever made them in whatever order; others follow by name.
ORDER = (MAIN, "majority", "prior", "linear", "encoder_linear", "before")
# The same model trained again is no rival, rows predicted out of fold are those of training, and a proof has its own table.
NOT_COMPARED = ("seed-", "out_of_fold", "proof-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment(Record):
    """What judging adds to a run: every figure, finding and the verdict, as ``run.json`` keeps them."""

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    confusions: tuple[Confusion, ...]
    slices: tuple[Slice, ...]
    mistakes: tuple[Mistake, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    sample: Sample | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was found of a run's rows before judging, each where it is known.

    Args:
        corpus: What the model was pre-trained on has in common with the test texts.
        past: Which test texts the model had learned from before this training.
        copies: Which rows of test and validation are copies of each other.
    """

    corpus: CorpusSketch | None = None
    past: Past | None = None
    copies: Copies | None = None


def read_policy(config: JudgeConfig, predictions: Iterable[Predictions] = ()) -> Policy:
    """Return the policy that a config names; where it names none, that of adapted models if there is a model before.

    Args:
        config: Names policy and goal, and replaces gates.
        predictions: Of the run, as far as they are known.

    Raises:
        UsageError: It cannot be read, or a goal or gate does not exist.
    """
    is_adapted = any(item.source == "before" and item.split == "test" for item in predictions)
    return policy_of(config, "domain" if is_adapted else None)


def evidence_of(
    record: RunRecord,
    splits: dict[str, tuple[Example, ...]],
    predictions: Sequence[Predictions],
    known: Kept,
) -> Evidence:
    """Return all that judges may read of a run.

    Args:
        record: The run.
        splits: Its rows.
        predictions: On them.
        known: What was found of the rows before judging.
    """
    return Evidence(
        classes=record.classes,
        positive=record.positive,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        predictions=tuple(in_order(predictions)),
        history=record.history,
        receipt=record.receipt,
        token_counts=record.token_counts,
        changes=record.changes,
        corpus=known.corpus,
        past=known.past,
        copies=known.copies,
        language=record.language,
    )


def costs_of(record: RunRecord) -> dict[str, float]:
    """Return what mistakes cost, where the run's threshold was chosen by costs."""
    return record.threshold.costs if record.threshold is not None else {}


def assess(
    evidence: Evidence,
    policy: Policy,
    *,
    look: int,
    num_models: int = 1,
    main: str = MAIN,
    costs: Mapping[str, float] | None = None,
    trace: Trace | None = None,
) -> Assessment:
    """Score, diagnose and decide.

    Args:
        evidence: With predictions of the judged source on the splits test and, if there are any, validation.
        policy: What must hold; its error is shared out over the looks.
        look: Which look at the test rows this is.
        num_models: How many models were scored in this look.
        main: The source that is judged.
        costs: What a missed positive (``fn``) and a false alarm (``fp``) cost; then mean costs are among the figures.
        trace: Receives the stages.
    """
    trace, evidence = trace or Trace(), replace(evidence, rules=policy.rules, votes=policy.votes)
    confidence, copies = policy.confidence_at(look, num_models), evidence.copies
    terms = Terms(positive=evidence.positive, confidence=confidence, look=look, rules=policy.rules)
    terms = with_units(terms, (*evidence.test, *evidence.validation), copies)
    evaluation = _evaluate(evidence, "test", terms, main, policy, costs)
    is_validated = evidence.find("validation", main) is not None
    first = replace(terms, confidence=policy.confidence, look=1)
    validated = _evaluate(evidence, "validation", first, main, policy, costs) if is_validated else None
    if validated is not None:
        validated = _weigh(evidence, "validation", validated, first, policy, costs)
    findings, judged = _diagnose(evidence, evaluation, policy.rules, trace), evidence.find("test", main)
    slices = find_slices(judged, without_votes(evidence.test, policy.votes), terms, limit=None) if judged else ()
    with trace.stage("judge", f"{len(evaluation.scores)} figures, {len(findings)} findings") as stage:
        evaluation = _weigh(evidence, "test", evaluation, terms, policy, costs)
        evaluation = _beside_people(evaluation, evidence, judged, terms)
        verdict = decide(evaluation, findings, policy, terms, slices=slices)
        held = sum(reason.holds is True for reason in verdict.reasons)
        stage.done = f"{held} of {len(verdict.reasons)} conditions hold, policy {policy.name!r}"
        stage.shape_out = str(verdict.outcome).replace("_", " ")
    return Assessment(
        scores=(*evaluation.scores, *(validated.scores if validated else ())),
        comparisons=evaluation.comparisons,
        confusions=(*evaluation.confusions, *(validated.confusions if validated else ())),
        slices=slices[:MAX_SLICES],
        mistakes=find_mistakes(judged, evidence.test) if judged else (),
        sample=sample_of(evidence.test, copies) if copies is not None else None,
        findings=findings,
        verdict=verdict,
    )


def in_order(predictions: Iterable[Predictions]) -> list[Predictions]:
    """Return predictions by split and source, in an order that depends on nothing else."""

    def place(item: Predictions) -> tuple[str, int, str]:
        return item.split, ORDER.index(item.source) if item.source in ORDER else len(ORDER), item.source

    return sorted(predictions, key=place)


def _evaluate(
    evidence: Evidence, split: str, terms: Terms, main: str, policy: Policy, costs: Mapping[str, float] | None = None
) -> Evaluation:
    compared = [p for p in evidence.predictions if p.split == split and not p.source.startswith(NOT_COMPARED)]
    return add_asked(
        evaluate_sources(compared, terms, main=main), compared, {limit.metric for limit in policy.limits}, terms, costs
    )


def _weigh(
    evidence: Evidence,
    split: str,
    evaluation: Evaluation,
    terms: Terms,
    policy: Policy,
    costs: Mapping[str, float] | None,
) -> Evaluation:
    """Weigh the figures by the class shares of production; what checks find is about the rows as they are."""
    known = [item for item in evidence.predictions if item.split == split]
    return weigh_evaluation(evaluation, known, terms, policy.prevalence, costs)


def _beside_people(evaluation: Evaluation, evidence: Evidence, judged: Predictions | None, terms: Terms) -> Evaluation:
    if not evidence.votes or judged is None:
        return evaluation
    label = evidence.receipt.columns.label if evidence.receipt is not None else None
    votes = read_votes(evidence.test, evidence.votes, evidence.classes, label=label)
    return beside_people(evaluation, votes, judged, terms)


def _diagnose(evidence: Evidence, evaluation: Evaluation, rules: int, trace: Trace) -> tuple[Finding, ...]:
    with trace.stage("diagnose", f"{len(evaluation.scores)} figures, {len(evidence.predictions)} sets of predictions") as stage:
        findings = diagnose(evidence, evaluation, checks=checks_by(rules))
        counts = Counter(str(finding.severity).replace("_", " ") for finding in findings)
        stage.done = ", ".join(f"{count} {severity}" for severity, count in counts.items())
        stage.shape_out = f"{len(findings)} findings"
    return findings
