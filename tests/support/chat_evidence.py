"""Evidence of a chat model without a fault, on generated conversations, and the figures that go with it."""

from dataclasses import replace

from replying import make_conversations, make_replies

from pretune.evaluate.replies import assess_replies
from pretune.records import ChatEvidence, Decoding, Evaluation, Replies, ReplyCounts, ReplyScore, TemplateProof


def clean_chat(seed: int = 0, *, num_test: int = 150, num_train: int = 300) -> ChatEvidence:
    """Return evidence in which nothing is wrong; the model is better than it came."""
    train, test = make_conversations("train", num_train, seed), make_conversations("test", num_test, seed)
    sources = [
        make_replies(test, 0.5, seed=seed, loss=1.8, named=0.9),
        make_replies(test, 0.2, source="before", seed=seed, loss=2.4, named=0.6),
    ]
    general = [
        Replies(
            source=source, split="general", ids=(), questions=(), references=(), texts=(), ended=(),
            scores=tuple(ReplyScore(id=str(n), nats=base + n % 7, tokens=20, bytes=90) for n in range(60)),
        )
        for source, base in (("finetuned", 60.5), ("before", 60.0))
    ]  # fmt: skip
    return ChatEvidence(
        train=train,
        test=test,
        replies=(*(replace(item, decoding=Decoding()) for item in sources), *general),
        counts=(counts_of(num_train),),
        proof=TemplateProof(
            trained={row.id: f"digest of {row.id}" for row in train[:50]},
            saved={row.id: f"digest of {row.id}" for row in train[:50]},
            num_targets=2_000, num_prompt_targets=0, num_replies=50, num_stops=50,
        ),
        control=("<|im_end|>",),
    )  # fmt: skip


def counts_of(total: int, *, cut: int = 3, beyond: int = 0) -> ReplyCounts:
    """Return how so many conversations became tokens."""
    return ReplyCounts(
        split="train", num_conversations=total, num_used=total - beyond, num_replies=total - beyond, num_tokens=60 * total,
        num_targets=40 * total, num_cut=cut, num_beyond=beyond, num_refused=0, max_length=512,
    )  # fmt: skip


def figures_of(evidence: ChatEvidence) -> Evaluation:
    """Return the figures of the replies in the evidence."""
    return assess_replies(evidence.replies, train=evidence.train)


def with_replies(evidence: ChatEvidence, source: str, **changes: object) -> ChatEvidence:
    """Return the evidence with something else in what a source replied to the test."""
    return replace(
        evidence,
        replies=tuple(
            replace(item, **changes) if (item.split, item.source) == ("test", source) else item for item in evidence.replies
        ),
    )
