"""Records of what the checks of a chat model may read."""

from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record
from pretune.records.conversation import Conversation, Replies, ReplyCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProof(Record):
    """Some conversations as training saw them, and as the saved folder, read back, renders them (``tokens.chat_proof``)."""

    schema: int = SCHEMA
    trained: dict[str, str]  # id of a conversation → digest of the ids that training saw
    saved: dict[str, str]  # → digest of what the saved folder's template and tokenizer make of it
    num_targets: int  # tokens of these conversations that the loss counts
    num_prompt_targets: int  # of those, tokens that are of no reply
    num_replies: int  # replies that are not cut
    num_stops: int  # of those, replies whose stop token the loss counts
    shown: tuple[str, str] | None = None  # of the first that differs: the tokens of both around the place


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEvidence(Record):
    """All that the checks of a chat model may read. Each part may be absent."""

    schema: int = SCHEMA
    train: tuple[Conversation, ...] = ()
    validation: tuple[Conversation, ...] = ()
    test: tuple[Conversation, ...] = ()
    replies: tuple[Replies, ...] = ()
    counts: tuple[ReplyCounts, ...] = ()  # how the splits became tokens
    proof: TemplateProof | None = None
    control: tuple[str, ...] = ()  # the model's own control tokens, as they are written
    near_threshold: float | None = None  # similarity from which questions are nearly the same; None: the default
    are_names_apart: bool = False  # whether those that differ in nothing but the names of their groups are not
    main: str = "finetuned"  # the source that is judged

    def find(self, split: str, source: str) -> Replies | None:
        """Return what ``source`` replied to ``split``, or ``None``."""
        return next((item for item in self.replies if (item.split, item.source) == (split, source)), None)
