"""Conversations and replies with known truth, for the tests of their judges."""

import random
from collections.abc import Sequence
from dataclasses import replace

from pretune.records import Conversation, Replies, ReplyScore, Turn
from pretune.records.conversation import ASSISTANT, USER

SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "ta", "vo", "si", "pe", "du", "gra", "bel")
WORDS = tuple("".join(random.Random(number).choices(SYLLABLES, k=3)) for number in range(600))
COMMON = ("symptoms", "treatment", "causes", "outlook")


def make_conversations(split: str, count: int, seed: int = 0) -> tuple[Conversation, ...]:
    """Return questions each about a word of its own, and replies of 30 words that name it."""
    draw = random.Random(f"{split} {seed}")

    def make(number: int) -> Conversation:
        first = "".join(chr(ord("a") + number // 26**place % 26) for place in range(3))  # so that no two begin alike
        about = f"{split[:2]}{first}{''.join(draw.choices(SYLLABLES, k=2))}"
        asked = f"What about {draw.choice(COMMON)} and {draw.choice(WORDS)} of {about}?"
        said = f"{about} " + " ".join(draw.choices(WORDS, k=30))
        return Conversation(
            id=f"{split}-{number}",
            turns=(Turn(role=USER, text=asked), Turn(role=ASSISTANT, text=said)),
            group=f"{split} {number // 2}",
        )

    return tuple(map(make, range(count)))


def make_replies(
    rows: Sequence[Conversation],
    skill: float,
    *,
    source: str = "finetuned",
    seed: int = 0,
    loss: float | None = None,
    named: float | None = None,
) -> Replies:
    """Return replies that have this share of the reference's words, in their places; others are drawn.

    Args:
        rows: What is asked, with the references.
        skill: Share of words that are right.
        source: Whose replies they are.
        seed: Of the draws.
        named: Share of replies that name what was asked; ``None``: as any other word.
        loss: Mean nats per token of the references; without one there are no scores.
    """
    draw = random.Random(f"{source} {seed}")

    def reply(row: Conversation) -> str:
        shares = [skill if named is None else named, *[skill] * len(row.reference.split())]
        pairs = zip(row.reference.split(), shares, strict=False)
        return " ".join(word if draw.random() < share else draw.choice(WORDS) for word, share in pairs)

    def score(row: Conversation, mean: float) -> ReplyScore:
        return ReplyScore(id=row.id, nats=40 * draw.gauss(mean, 0.1), tokens=40, bytes=len(row.reference.encode()))

    return Replies(
        source=source,
        split=rows[0].id.split("-")[0],
        ids=tuple(row.id for row in rows),
        questions=tuple(row.text for row in rows),
        references=tuple(row.reference for row in rows),
        texts=tuple(map(reply, rows)),
        ended=(True,) * len(rows),
        scores=None if loss is None else tuple(score(row, loss) for row in rows),
    )


def with_texts(replies: Replies, texts: Sequence[str]) -> Replies:
    """Return the same rows with other replies."""
    return replace(replies, texts=tuple(texts))
