"""Records of a run on conversations: what is known of it besides figures, findings and verdict."""

from dataclasses import dataclass

from pretune.records.base import Record
from pretune.records.chat_evidence import TemplateProof
from pretune.records.conversation import ConversationCounts, Decoding, ReplyCounts
from pretune.records.review import Domain, Review, SafetyReplies


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplySample(Record):
    """What every source replied to one question of the test, for the report."""

    id: str
    question: str
    reference: str
    texts: dict[str, str]  # source → reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFacts(Record):
    """What a run on conversations was made of, and what was asked of it besides the test."""

    decoding: Decoding  # of the judged model; chosen on validation before the seal is opened
    before_decoding: Decoding | None = None  # of the model as it came, chosen in the same way
    counts: tuple[ReplyCounts, ...] = ()
    data: ConversationCounts | None = None  # what the table holds, and what keeps conversations on one side of the split
    proof: TemplateProof | None = None  # conversations as training saw them and as the saved folder renders them
    control: tuple[str, ...] = ()  # the model's own control tokens, as they are written
    num_learned: int = 0  # conversations that training read, where a budget had no time for all
    domain: Domain | None = None
    review: Review | None = None
    safety: tuple[SafetyReplies, ...] = ()  # of the model and of the model as it came
    samples: tuple[ReplySample, ...] = ()
    notes: tuple[str, ...] = ()  # how each rival came to be

    @property
    def are_names_apart(self) -> bool:
        """Whether questions that differ in nothing but the names of their groups were not nearly the same."""
        return self.data is not None and self.data.are_names_apart
