"""Assessing: from replies and the facts of a run to figures, findings and verdict, without a model.

Judging does this once the seal is open, and recomputing does it again from the files of the run folder, to the same bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pretune.data.alike.units import find_copies, sample_of, with_units
from pretune.diagnose.conversation import diagnose_conversation
from pretune.evaluate.replies import FORM, assess_forms, assess_replies
from pretune.records import (
    ChatEvidence,
    ChatFacts,
    Comparison,
    Conversation,
    Copies,
    Decoding,
    Evaluation,
    Finding,
    Record,
    Replies,
    RunRecord,
    Sample,
    Score,
    Terms,
    Verdict,
)
from pretune.run.trace import Trace
from pretune.verdict.converse import decide_conversation
from pretune.verdict.reply_policy import ReplyPolicy

MAIN, BEFORE = "finetuned", "before"
# The order in which sources are scored and compared, whoever made them in whatever order; others follow by name.
ORDER = (MAIN, BEFORE, "retrieval", "few-shot", "constant")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAssessment(Record):
    """What judging adds to a run on conversations, as ``run.json`` keeps it."""

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    sample: Sample


def assess_chat(
    replies: Sequence[Replies],
    splits: Mapping[str, Sequence[Conversation]],
    copies: Copies,
    record: RunRecord,
    policy: ReplyPolicy,
    *,
    look: int,
    trace: Trace | None = None,
) -> ChatAssessment:
    """Score every source, compare, and decide.

    Args:
        replies: Of every source and split that the run has.
        splits: Conversations by split: ``train``, ``validation`` and ``test``.
        copies: Which questions of the test are nearly the same.
        record: The run: its history, and what else is known of it.
        policy: What must hold; its error is shared out over the looks.
        look: Which look at the test rows this is.
        trace: Receives the stages.
    """
    facts = record.chat or ChatFacts(decoding=Decoding())
    trace, rows = trace or Trace(), [row.as_example() for row in splits["test"]]
    terms = with_units(Terms(confidence=policy.confidence_at(look), look=look), rows, copies)
    sources = in_order(item for item in replies if item.split in ("test", "general", "instructions"))
    with trace.stage("evaluate", f"{len(rows):,} test questions, {len(sources)} sets of replies") as stage:
        evaluation = assess_replies(sources, terms, train=splits["train"], main=MAIN)
        forms = _assess_forms(replies, splits["validation"])
        stage.shape_out = f"{len(evaluation.scores)} figures, {len(evaluation.comparisons)} comparisons"
    with trace.stage("diagnose", f"{len(replies)} sets of replies") as stage:
        findings = diagnose_conversation(_evidence(replies, splits, facts, record), evaluation)
        counts = Counter(str(finding.severity).replace("_", " ") for finding in findings)
        stage.done = ", ".join(f"{count} {severity}" for severity, count in counts.items())
        stage.shape_out = f"{len(findings)} findings"
    with trace.stage("judge", f"{len(evaluation.scores)} figures, {len(findings)} findings") as stage:
        verdict = decide_conversation(
            evaluation, findings, policy, terms, domain=facts.domain, review=facts.review, safety=facts.safety
        )
        held = sum(reason.holds is True for reason in verdict.reasons)
        stage.done = f"{held} of {len(verdict.reasons)} conditions hold, policy {policy.name!r}"
        stage.shape_out = str(verdict.outcome).replace("_", " ")
    return ChatAssessment(
        scores=(*evaluation.scores, *forms.scores),
        comparisons=(*evaluation.comparisons, *forms.comparisons),
        findings=tuple(findings),
        verdict=verdict,
        sample=sample_of(rows, copies),
    )


def _assess_forms(replies: Sequence[Replies], validation: Sequence[Conversation]) -> Evaluation:
    """Score the judged model with fewer bits per weight on validation, beside itself; the verdict does not see it."""
    known = [item for item in replies if item.split == "validation"]
    asked = {name for item in known if item.source.startswith(FORM) for name in item.ids}
    rows = [row.as_example() for row in validation if row.id in asked]
    return assess_forms(in_order(known), with_units(Terms(), rows, find_copies(rows)), main=MAIN)


def _evidence(
    replies: Sequence[Replies], splits: Mapping[str, Sequence[Conversation]], facts: ChatFacts, record: RunRecord
) -> ChatEvidence:
    return ChatEvidence(
        train=tuple(splits["train"]),
        validation=tuple(splits["validation"]),
        test=tuple(splits["test"]),
        replies=tuple(in_order(replies)),
        counts=facts.counts,
        proof=facts.proof,
        control=facts.control,
        near_threshold=record.receipt.near_duplicate_threshold if record.receipt is not None else None,
        are_names_apart=facts.are_names_apart,
        main=MAIN,
    )


def in_order(replies: Iterable[Replies]) -> list[Replies]:
    """Return replies by split and source, in an order that depends on nothing else."""

    def place(item: Replies) -> tuple[str, int, str]:
        return item.split, ORDER.index(item.source) if item.source in ORDER else len(ORDER), item.source

    return sorted(replies, key=place)
