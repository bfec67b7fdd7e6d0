"""Classes: figures, baselines, findings, slices and the verdict on predicted classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pretune.configs import AuditConfig
from pretune.data.alike.units import find_copies, sample_of, with_units
from pretune.data.labels.naming import merges, named_as
from pretune.data.labels.votes import read_votes, require_votes, without_votes
from pretune.data.read.table import RawTable
from pretune.data.seal.known import warn_of
from pretune.data.seal.ledger import record_opening
from pretune.diagnose import diagnose
from pretune.errors import UsageError
from pretune.evaluate import choose_positive, evaluate_sources
from pretune.evaluate.aims import make_aim
from pretune.evaluate.asked import add_asked
from pretune.evaluate.at_prevalence import weigh_evaluation
from pretune.evaluate.baselines import fit_linear, majority, prior
from pretune.evaluate.mistakes import find_mistakes
from pretune.evaluate.ordered import score_ordered
from pretune.evaluate.people import beside_people
from pretune.evaluate.slices import MAX_SLICES, columns_left_out, find_slices
from pretune.records import Evaluation, Evidence, Finding, Predictions, RunRecord, Severity, Terms
from pretune.run.trace import Trace
from pretune.tasks.audit.inputs import AuditedTables, read_inputs
from pretune.tasks.audit.question import AUDITED, SPLIT, Question, name_of, other_name
from pretune.verdict import Policy, decide
from pretune.verdict.narrow import AUDIT, add_to_summary, narrow_policy
from pretune.verdict.policy import READY, policy_of


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    confidence: float
    head: str | None = None
    is_first_known: bool | None = None


def audit_classes(raw: RawTable, source: Any, question: Question, trace: Trace) -> RunRecord:
    """Judge predicted classes. Raises what ``audit`` does."""
    _check_flags(question)
    policy = _with_margin(policy_of(question.config.judge, AUDIT), question, trace)
    found = read_inputs(raw, source, question, trace)
    judged = found.judged.predictions
    require_votes(found.judged.examples, policy.votes, judged.classes, label=found.receipt.columns.label)
    labels = found.train_labels or [str(label) for label in judged.labels]
    asked = question.config.judge.positive
    positive = choose_positive(labels, asked if asked is None else named_as(asked, labels, merge=merges(question.config)))
    look = _open(found, name_of(source), question.is_sealed, policy, trace)
    terms = Terms(positive=positive, confidence=look.confidence, look=look.number)
    copies = find_copies(found.judged.examples)
    terms = with_units(terms, found.judged.examples, copies)
    costs = _costs(question.config, positive)
    sources = (judged, *(table.predictions for table in found.others), *_baselines(found, question.config.seed, trace))
    evaluation = _evaluate(sources, terms, trace)
    evaluation = add_asked(evaluation, sources, {limit.metric for limit in policy.limits}, terms, costs)
    ordered = [score for one in sources for score in score_ordered(one, terms)]
    evaluation = replace(evaluation, scores=(*evaluation.scores, *ordered))
    evidence = Evidence(
        classes=judged.classes,
        positive=positive,
        train=found.train,
        test=found.judged.examples,
        predictions=sources,
        receipt=found.receipt if found.judged.has_texts else None,  # conflicts are known where there are texts
        copies=copies,
        votes=policy.votes,
    )
    findings, policy, not_asked = _diagnose(evidence, evaluation, policy, is_strict=policy.name not in (AUDIT, *READY))
    with trace.stage("slices", f"{len(judged.ids):,} rows") as stage:
        told = without_votes(found.judged.examples, policy.votes)
        slices = find_slices(judged, told, terms, limit=None)
        mistakes = find_mistakes(judged, found.judged.examples, certainty=found.judged.certainty)
        stage.shape_out = f"{len(slices)} slices, {len(mistakes)} confident mistakes"
        stage.notes = [
            f"column {name!r} is not sliced: it holds neither few values nor numbers" for name in columns_left_out(told)
        ]
    evaluation = weigh_evaluation(evaluation, sources, terms, policy.prevalence, costs)
    if policy.votes:
        votes = read_votes(found.judged.examples, policy.votes, judged.classes, label=found.receipt.columns.label)
        evaluation = beside_people(evaluation, votes, judged, terms)
    verdict = decide(evaluation, findings, policy, terms, slices=slices)
    return RunRecord(
        run="",
        status="",
        classes=judged.classes,
        positive=positive,
        receipt=found.receipt,
        sample=sample_of(found.judged.examples, copies),
        scores=evaluation.scores,
        comparisons=evaluation.comparisons,
        confusions=evaluation.confusions,
        slices=slices[:MAX_SLICES],
        mistakes=mistakes,
        findings=findings,
        verdict=add_to_summary(add_to_summary(verdict, not_asked), _spellings(findings)),
        look=look.number if look.head else None,
        ledger_head=look.head,
        first_known_look=look.is_first_known,
    )


def _spellings(findings: Sequence[Finding]) -> str:
    """Say beside the verdict that a class is there in two spellings: it may be all that is wrong."""
    found = next((item for item in findings if item.check == "labels.spelling" and item.severity is Severity.WARNING), None)
    return f"But: {found.summary}." if found is not None else ""


def _check_flags(question: Question) -> None:
    config = question.config
    given = [flag for flag, value in (("--min-bleu", config.min_bleu), ("--min-chrf", config.min_chrf)) if value is not None]
    if given:
        raise UsageError(
            f"{', '.join(given)} with predicted classes",
            expected="--min-precision, --min-recall or --min-accuracy",
            fix="leave it out, or pass --task generate to read the table as generated text",
        )


def _costs(config: AuditConfig, positive: str | None) -> Mapping[str, float]:
    """Return what mistakes cost; the answers are priced as they are, without validation rows to choose a threshold by."""
    judge = config.judge
    return make_aim(positive=positive, goal=judge.goal, default_goal="balanced", gates={}, keep=None, cost=judge.cost).costs


def _with_margin(policy: Policy, question: Question, trace: Trace) -> Policy:
    margin = question.config.margin
    if question.against is None:
        if margin is not None:
            raise UsageError("--margin without --against", expected="predictions of the other model", fix="pass --against FILE")
        return policy
    trace.note("two models are looked at, so that each has half of the error: intervals are at 97.5 % at the first look")
    return policy if margin is None else replace(policy, not_worse={**policy.not_worse, other_name(question.against): margin})


def _open(found: AuditedTables, name: str, is_sealed: bool, policy: Policy, trace: Trace) -> _Look:
    """Count the opening where that is asked for; it is in the ledger before any figure is computed."""
    num_models = 1 + len(found.others)
    if not is_sealed:
        trace.note("this look at the rows is not counted; --sealed enters it in the ledger, like every look at a sealed test")
        texts = [row.text for row in found.judged.examples if row.text]
        warning = warn_of(texts, "with their labels this is a look at a test, and --sealed would count it")
        if warning:
            trace.note(warning)
        return _Look(1, policy.confidence_at(1, num_models))
    if not found.judged.has_texts:
        raise UsageError(
            "--sealed, but not every row has a text",
            expected="a text in every row: the ledger knows rows by their texts",
            fix="join the texts to the predictions by id, or leave out --sealed",
        )
    texts = [row.text for row in found.judged.examples]
    entry = record_opening(texts, run=name, purpose="audit", num_models=num_models)
    trace.note(f"look {entry.look} at these rows, counted in the ledger")
    return _Look(entry.look, policy.confidence_at(entry.look, num_models), entry.hash, entry.first_known)


def _baselines(found: AuditedTables, seed: int, trace: Trace) -> tuple[Predictions, ...]:
    """Score what anyone could have done: from the training rows as in a run, else the commonest class of these rows."""
    rows, classes = found.judged.examples, found.judged.predictions.classes
    if not found.train:
        trace.note("without --train, majority and prior take the share of each class from the judged rows themselves")
    labels = found.train_labels or [str(row.label) for row in rows]
    constant = [guess(labels, rows, split=SPLIT, classes=classes) for guess in (majority, prior)]
    if not found.train or not found.judged.has_texts:
        return tuple(constant)
    with trace.stage("baseline", f"{len(found.train):,} texts") as stage:
        model = fit_linear(found.train, seed=seed)
        linear = model.predict(rows, split=SPLIT, classes=classes)
        stage.done = f"TF-IDF + logistic regression, strength {model.strength:g}"
        stage.shape_out = f"{len(model.terms):,} terms × {len(model.classes)} classes"
    return *constant, linear


def _evaluate(sources: Sequence[Predictions], terms: Terms, trace: Trace) -> Evaluation:
    with trace.stage("evaluate", f"{len(sources[0].ids):,} predictions") as stage:
        evaluation = evaluate_sources(sources, terms, main=AUDITED)
        stage.done, stage.shape_out = ", ".join(item.source for item in sources), f"{len(evaluation.scores)} figures"
    return evaluation


def _diagnose(
    evidence: Evidence, evaluation: Evaluation, policy: Policy, *, is_strict: bool
) -> tuple[tuple[Finding, ...], Policy, str]:
    """Run the checks; ask of the audit's own policy what can be asked, and of the user's all that it says."""
    findings = diagnose(evidence, evaluation)
    if is_strict:
        return findings, policy, ""
    has_linear = evidence.find(SPLIT, "linear") is not None
    narrowed, left_out, not_asked = narrow_policy(
        policy, has_linear=has_linear, has_train_texts=evidence.has_texts("train", SPLIT)
    )
    return (*findings, *left_out), narrowed, not_asked
