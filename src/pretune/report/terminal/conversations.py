"""Draws what a table of conversations holds."""

from rich.console import Group

from pretune.records import ConversationCounts, Lengths
from pretune.report.terminal.drawing import heading, pairs, plain
from pretune.wording.counts import counted


def draw_counts(counts: ConversationCounts) -> Group:
    """Draw the counts of a table of conversations."""
    return Group(heading("Conversations", counts.form), pairs([(name, plain(text)) for name, text in describe_counts(counts)]))


def describe_counts(counts: ConversationCounts) -> list[tuple[str, str]]:
    """Return what there is to say of conversations, each under its name."""
    of_several = {
        "with several replies": counts.num_with_turns,
        "with a system turn": counts.num_with_system,
        "with a rejected reply": counts.num_preferences,
    }
    kinds = "".join(f", {number:,} {what}" for what, number in of_several.items() if number)
    tokens = ", ".join(f"{name} {number:,}" for name, number in counts.control_tokens.items())
    lines = [
        ("conversations", f"{counts.num_conversations:,} with {counted(counts.num_replies, 'reply', 'replies')}{kinds}"),
        ("split by", counts.split_by),
        ("questions", _describe(counts.question_words)),
        ("replies", _describe(counts.reply_words)),
        (
            "repeated",
            f"{counts.num_repeated_questions:,} questions and {counts.num_repeated_replies:,} replies repeat an earlier one; "
            f"the commonest reply occurs {counted(counts.num_commonest_reply, 'time')}",
        ),
    ]
    return [*lines, *([("taken away", f"at the ends of replies: {tokens}")] if tokens else [])]


def _describe(words: Lengths) -> str:
    return f"{words.median:,.0f} words (median), 95 % up to {words.p95:,.0f}, the longest {words.longest:,}"
