"""From a reason of a verdict back to the figure it rests on."""

from collections.abc import Sequence

from pretune.records import Comparison, Evaluation, Finding, Reason, Score


def figure_of(reason: Reason, evaluation: Evaluation, findings: Sequence[Finding]) -> Score | Comparison | Finding | None:
    """Return the record that a reason names; ``None`` where the reason says that there is none.

    Args:
        reason: Of a verdict.
        evaluation: What the verdict weighed.
        findings: Likewise.
    """
    if reason.kind == "score":
        scores = (score for score in evaluation.scores if score.source == evaluation.main and score.name == reason.name)
        return next(scores, None)
    if reason.kind == "comparison":
        named = (item for item in evaluation.comparisons if (item.name, item.metric) == (reason.name, reason.metric))
        return next(named, None)
    return next((finding for finding in findings if finding.check == reason.name), None)
