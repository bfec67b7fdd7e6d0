"""Checking: the receipt, the counts and the findings about conversations, before anything is trained. Nothing is written."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pretune.configs import ReadConfig, SplitConfig
from pretune.data.conversations import prepare
from pretune.diagnose.conversation.read import diagnose_table
from pretune.records import ChatEvidence, Conversation, ConversationCounts, Evidence, Finding, Receipt, Turn
from pretune.records.conversation import ASSISTANT, USER
from pretune.run.trace import Trace


class Checked(NamedTuple):
    """What is known of conversations once they are read and divided."""

    receipt: Receipt
    counts: ConversationCounts
    findings: tuple[Finding, ...]


def check_conversations(
    source: Any, read: ReadConfig, split: SplitConfig, trace: Trace, *, given: Mapping[str, Any] | None = None
) -> Checked:
    """Read, divide and diagnose conversations only; test questions are compared, their replies are not looked at."""
    data = prepare(source, read, split, given=given, trace=trace)
    sealed = enumerate(zip(data.seal.texts(), data.seal.groups(), strict=True))
    test = tuple(_asked(f"test {index}", text, group) for index, (text, group) in sealed)
    evidence = ChatEvidence(
        train=data.train,
        validation=data.validation,
        test=test,
        near_threshold=data.receipt.near_duplicate_threshold,
        are_names_apart=data.counts.are_names_apart,
    )
    asked = Evidence(
        task="converse",
        train=tuple(item.as_example() for item in evidence.train),
        validation=tuple(item.as_example() for item in evidence.validation),
        test=tuple(item.as_example() for item in test),
        receipt=data.receipt,
    )
    return Checked(data.receipt, data.counts, diagnose_table(evidence, asked, data.counts))


def _asked(name: str, text: str, group: str | None) -> Conversation:
    """A question of the test, without its reply."""
    return Conversation(id=name, turns=(Turn(role=USER, text=text), Turn(role=ASSISTANT, text="")), group=group)
