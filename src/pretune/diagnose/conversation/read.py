"""Read: what a table of conversations holds before there is a model: repeated questions, and control tokens in texts."""

from pretune.diagnose.conversation.leaks import check_near_questions, check_repeated_replies, check_seen_questions
from pretune.diagnose.groups import check_groups
from pretune.diagnose.leakage import check_validation_texts
from pretune.diagnose.measures import percent
from pretune.diagnose.texts import MAX_COPIED_SHARE, check_unreadable
from pretune.records import ChatEvidence, ConversationCounts, Evidence, Finding, Severity

# These read no reply of the test.
_OF_CONVERSATIONS = (check_seen_questions, check_near_questions, check_repeated_replies)
# Checks of texts that are as good for what is asked.
_OF_QUESTIONS = (check_validation_texts, check_groups, check_unreadable)


def diagnose_table(evidence: ChatEvidence, asked: Evidence, counts: ConversationCounts) -> tuple[Finding, ...]:
    """Run every check of conversations that needs neither a model nor a reply of the test.

    Args:
        evidence: The conversations; those of the test without their replies.
        asked: The same as examples whose texts are what is asked.
        counts: What the table holds.
    """
    return (
        *(check(evidence) for check in _OF_CONVERSATIONS),
        *(check(asked) for check in _OF_QUESTIONS),
        check_repeated_questions(counts),
        check_spelled_tokens(counts),
    )


def check_repeated_questions(counts: ConversationCounts) -> Finding:
    """Measure the share of conversations that ask what an earlier one asks."""
    share = counts.num_repeated_questions / counts.num_conversations
    is_much = share > MAX_COPIED_SHARE
    different = counts.num_conversations - counts.num_repeated_questions
    return Finding(
        check="data.repeated_questions",
        severity=Severity.WARNING if is_much else Severity.NOTE if counts.num_repeated_questions else Severity.OK,
        summary=f"{counts.num_repeated_questions:,} of {counts.num_conversations:,} conversations ({percent(share)}) ask "
        f"what an earlier one asks; {different:,} questions are different",
        measured=share,
        limit=MAX_COPIED_SHARE,
        fix="Keep each question once, unless people ask it as often and are to get several replies." if is_much else "",
    )


def check_spelled_tokens(counts: ConversationCounts) -> Finding:
    """Count control tokens that texts spell out: at the ends of replies, where they were taken away, and elsewhere."""
    taken = sum(counts.control_tokens.values())
    shown = ", ".join(f"{name} {count:,} times" for name, count in list(counts.control_tokens.items())[:3])
    parts = [f"{taken:,} control tokens at the ends of replies were taken away ({shown})"] if taken else []
    parts += [f"{counts.num_spelled:,} conversations spell one elsewhere, which is read as text"] if counts.num_spelled else []
    return Finding(
        check="data.control_tokens",
        severity=Severity.NOTE if parts else Severity.OK,
        summary="; ".join(parts) or "no text spells a control token",
        measured=(taken + counts.num_spelled) / counts.num_conversations,
    )
