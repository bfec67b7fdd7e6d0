"""Records of an exported classifier beside the model that was judged: do they answer alike, and what did it cost or save?"""

from dataclasses import dataclass, field

from pretune.records.base import SCHEMA, Record
from pretune.records.figures import Score
from pretune.records.judgement import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersBeside(Record):
    """The answers of an exported form beside those of the model, on the same texts."""

    split: str  # "validation", "test"
    how: str  # "as served", "one by one", "64 at once", "texts that are cut"
    num_rows: int
    num_same: int  # rows with the same decision
    largest: float  # difference of two probabilities of the same class and row

    @property
    def num_others(self) -> int:
        """Rows with another decision."""
        return self.num_rows - self.num_same


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace(Record):
    """How fast a form answers in a process of its own."""

    how: str  # "one by one", "64 at once", "as served"
    num_texts: int
    texts_per_second: float
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Record):
    """What a form costs in a process of its own."""

    paces: tuple[Pace, ...]
    load_seconds: float
    peak_bytes: int  # most memory that the process ever had


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Record):
    """A way of making a form that was tried on validation rows, of which one was taken."""

    name: str
    beside: tuple[AnswersBeside, ...]
    texts_per_second: float  # as served
    num_bytes: int
    is_taken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedExport(Record):
    """``judged.json`` of an export."""

    schema: int = SCHEMA
    form: str
    run: str
    how: dict[str, str] = field(default_factory=dict)
    beside: tuple[AnswersBeside, ...]
    candidates: tuple[Candidate, ...] = ()
    scores: tuple[Score, ...] = ()  # of the exported form, the test first
    verdict: Verdict | None = None  # None: the run is not judged
    beside_verdict: str | None = None  # outcome of the model itself on the same terms
    num_models: int = 1  # models that share the error of the opening
    lost: tuple[str, ...] = ()  # what the verdict of the form lacks, a sentence each
    is_loss_accepted: bool = False
    control_as_text: bool = False  # whether a control token that is spelled out in a text is text
    num_bytes: int = 0
    num_bytes_of_model: int = 0
    measured: Measured | None = None
    measured_of_model: Measured | None = None
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""  # ISO 8601, UTC

    def find(self, split: str, how: str = "as served") -> AnswersBeside | None:
        """Return the answers of one split, asked in one way."""
        return next((item for item in self.beside if (item.split, item.how) == (split, how)), None)
