"""The checks of a chat model, and how to run them all."""

from collections.abc import Callable, Sequence

from pretune.diagnose.conversation.after import check_forgotten, check_loss_only
from pretune.diagnose.conversation.leaks import (
    check_near_questions,
    check_repeated_replies,
    check_seen_questions,
    check_seen_replies,
)
from pretune.diagnose.conversation.taught import check_cut_replies, check_prompt_in_loss, check_stop_taught, check_template
from pretune.diagnose.conversation.told import (
    check_control_tokens,
    check_degenerate,
    check_ended,
    check_memorized,
    check_same,
    check_subject,
)
from pretune.records import ChatEvidence, Evaluation, Finding

# Checks of data and training ignore the evaluation; all take it, so that they can be called alike.
ConversationCheck = Callable[[ChatEvidence, Evaluation | None], Finding]

CONVERSATION_DATA_CHECKS: tuple[ConversationCheck, ...] = (
    check_seen_questions,
    check_near_questions,
    check_seen_replies,
    check_repeated_replies,
)
CONVERSATION_CHECKS: tuple[ConversationCheck, ...] = (
    *CONVERSATION_DATA_CHECKS,
    check_template,
    check_prompt_in_loss,
    check_stop_taught,
    check_cut_replies,
    check_ended,
    check_degenerate,
    check_same,
    check_memorized,
    check_control_tokens,
    check_subject,
    check_loss_only,
    check_forgotten,
)


def diagnose_conversation(
    evidence: ChatEvidence,
    evaluation: Evaluation | None = None,
    *,
    checks: Sequence[ConversationCheck] = CONVERSATION_CHECKS,
) -> tuple[Finding, ...]:
    """Run the checks, in their order.

    Args:
        evidence: All that is known; each part may be absent.
        evaluation: What ``assess_replies`` returned, where replies were scored.
        checks: ``CONVERSATION_DATA_CHECKS`` where there is no model yet.
    """
    return tuple(check(evidence, evaluation) for check in checks)
