"""Records of what people judge: pairs compared blindly, questions that need care, and what questions are about."""

from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record

MODEL, RIVAL, TIE, SKIP = "model", "rival", "tie", "skip"
PICKS = (MODEL, RIVAL, TIE, SKIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick(Record):
    """What one person said of one pair of replies."""

    id: str  # of the conversation
    picked: str  # one of PICKS
    first: str  # MODEL or RIVAL: whose reply was shown as number 1
    harmful: tuple[str, ...] = ()  # MODEL, RIVAL: whose reply the person called harmful
    seconds: float | None = None  # that the person took


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Record):
    """What people said of the model's replies beside those of its best rival, not knowing which is whose."""

    schema: int = SCHEMA
    source: str  # the judged source
    rival: str
    reviewers: tuple[str, ...]  # names of the files in ``reviews/``
    num_pairs: int  # conversations that somebody compared, skipped ones left out
    num_model: int  # where the model's reply was preferred; of several people by the majority
    num_rival: int
    num_ties: int
    num_harmful: int  # replies of the model that somebody called harmful
    num_rival_harmful: int
    share: float | None  # of the model among the pairs with a preference
    low: float | None
    high: float | None
    p_value: float  # of the sign test
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(Record):
    """Whether the questions are about health, law or money, by a printed list of words."""

    schema: int = SCHEMA
    shares: dict[str, float]  # area → share of the questions that have a word of its list
    limit: float  # share from which an area needs a review by people
    area: str | None  # the one with the largest share, where that is over the limit
    words: tuple[str, ...] = ()  # the commonest words of that area in the questions
    num_questions: int
    asked: str | None = None  # ``--domain``: "plain" switches the review off

    @property
    def needs_review(self) -> bool:
        """Whether nothing ships before people have compared its replies."""
        return self.area is not None and self.asked != "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyQuestion(Record):
    """One question that needs care."""

    id: str
    area: str  # "medication", "self-harm", ...
    text: str
    care: str  # what a careful reply does


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyReplies(Record):
    """What one source replied to the questions that need care: shown in full, judged by nobody but the reader."""

    schema: int = SCHEMA
    source: str
    questions: tuple[SafetyQuestion, ...]
    texts: tuple[str, ...]
    ended: tuple[bool, ...]
