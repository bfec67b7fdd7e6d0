"""Facts: what a table of conversations holds, counted once it is read."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from pretune.data.conversations.forms import Form
from pretune.data.conversations.rows import Done
from pretune.hashing import fold
from pretune.records import Conversation, ConversationCounts, Lengths
from pretune.records.conversation import ASSISTANT, SYSTEM


def count_conversations(
    found: Sequence[Conversation], form: Form, done: Sequence[Done], *, split_by: str
) -> ConversationCounts:
    """Count what conversations hold.

    Args:
        found: All of them.
        form: What their table is.
        done: What was done to the texts of each file.
        split_by: What keeps them together.
    """
    num_replies = [sum(turn.role == ASSISTANT for turn in item.turns) for item in found]
    questions, replies = Counter(fold(item.text) for item in found), Counter(fold(item.reference) for item in found)
    control: Counter[str] = sum((item.control for item in done), Counter())
    return ConversationCounts(
        form=str(form),
        split_by=split_by,
        num_conversations=len(found),
        num_replies=sum(num_replies),
        num_with_turns=sum(number > 1 for number in num_replies),
        num_with_system=sum(item.turns[0].role == SYSTEM for item in found),
        num_preferences=sum(item.rejected is not None for item in found),
        control_tokens=dict(control.most_common()),
        num_spelled=sum(item.num_spelled for item in done),
        num_repeated_questions=len(found) - len(questions),
        num_repeated_replies=len(found) - len(replies),
        num_commonest_reply=max(replies.values(), default=0),
        question_words=_lengths(item.text for item in found),
        reply_words=_lengths(turn.text for item in found for turn in item.turns if turn.role == ASSISTANT),
        are_names_apart=True,
    )


def _lengths(texts: Iterable[str]) -> Lengths:
    words = np.array([len(text.split()) for text in texts])
    median, p95 = np.percentile(words, [50, 95])
    return Lengths(median=float(median), p95=float(p95), longest=int(words.max()))
