"""Records of the data: rows, what became of each, and how they were divided."""

from dataclasses import dataclass, field

from pretune.records.base import SCHEMA, Record
from pretune.records.figures import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Record):
    """One row of the user's table."""

    id: str  # "reviews.csv:17", the row as a spreadsheet numbers it
    text: str
    label: str | None = None
    group: str | None = None  # rows of one group must not be separated
    extra: dict[str, str] = field(default_factory=dict)  # the other columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Record):
    """One row that was not used, and why."""

    file: str
    row: int | None  # as a spreadsheet numbers it: the header of a CSV is row 1; None where the whole file is meant
    column: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts(Record):
    """What became of every physical line of a delimited file: ``total`` is the sum of the others."""

    total: int
    header: int
    rows: int  # rows used or rejected; each line of a record that cannot be read is a row of its own
    within: int  # line ends inside the cells of rows
    blank: int
    repeated: int = 0  # the header again, further down
    separator: int = 0  # ``sep=;``, as spreadsheets write it

    @property
    def is_balanced(self) -> bool:
        """Whether no line is lost or counted twice."""
        return self.total == self.header + self.rows + self.within + self.blank + self.repeated + self.separator


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceipt(Record):
    """What became of every row of one file: ``num_rows == num_used + len(rejected) + num_filtered``."""

    file: str
    role: str  # "data", "train", "validation" or "test"
    format: str
    encoding: str | None
    sha256: str | None
    num_rows: int
    num_used: int
    rejected: tuple[Rejection, ...] = ()
    num_filtered: int = 0  # left out by --where
    lines: LineCounts | None = None  # of a delimited file


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(Record):
    """Which columns were read, and whether that was a guess."""

    text: tuple[str, ...]
    label: str | None
    group: str | None = None
    guessed: tuple[str, ...] = ()  # subset of ("text", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict(Record):
    """One text (after folding) under more than one label."""

    text: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared(Record):
    """What two given splits have in common."""

    first: str  # name of a split
    second: str
    num_exact: int  # distinct folded texts on both sides
    num_exact_rows: int  # rows of ``first`` whose folded text is in ``second``
    num_near_rows: int  # further rows of ``first`` nearly the same as a row of ``second``, or tied to one through others
    num_group_rows: int = 0  # further rows of ``first`` whose group is in ``second``
    removed: tuple[str, ...] = ()  # ids taken out of ``first``


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies(Record):
    """Which rows of test and validation have the same or nearly the same text as another one of their split."""

    threshold: float | None  # similarity from which texts are nearly the same; None: only the same text counts
    texts: dict[str, str] = field(default_factory=dict)  # id of a row with copies → id of the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Record):
    """What the figures of the judged rows rest on."""

    num_rows: int
    num_texts: int | None = None  # different ones, copies and near copies counted once; None: there are no texts
    num_groups: int | None = None  # None: no row has a group
    num_units: int  # texts and groups joined: what counts as one row


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReceipt(Record):
    """One split: how many rows, of which classes, and the digest of its rows."""

    name: str
    num_rows: int
    labels: dict[str, int]
    digest: str
    num_texts: int | None = None  # different ones, copies and near copies counted once; None: not counted yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair(Record):
    """What ``--repair`` did to the rows."""

    what: str  # "leaks dropped", "regrouped" or "conflicts dropped"
    summary: str
    ids: tuple[str, ...]  # rows dropped, or that changed sides


@dataclass(frozen=True, slots=True, kw_only=True)
class More(Record):
    """Further rows of a test that were sealed after training."""

    file: str  # in data/
    source: str
    num_rows: int
    num_seen: int  # left out: training or validation has them, or nearly, or the model had learned from them before
    num_held: int  # left out: the test had their text already
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Record):
    """What became of every row, from the files to the splits."""

    schema: int = SCHEMA
    source: str
    files: tuple[FileReceipt, ...]
    columns: Columns
    licence: str | None = None
    num_rows: int  # in all files
    num_used: int  # rows == used + rejected + filtered
    num_rejected: int
    num_filtered: int = 0  # left out by --where
    num_removed: int = 0  # used rows then taken out of training or validation: a later split has them, or --repair
    num_cleaned: dict[str, int] = field(default_factory=dict)  # texts changed, by what was done
    num_exact_duplicates: int = 0  # rows whose folded text is that of an earlier row
    num_near_duplicates: int = 0  # further rows nearly the same as an earlier row
    near_duplicate_threshold: float | None = None
    are_near_copies_apart: bool = False  # no class could be divided with near copies on one side, so only copies are kept so
    conflicts: tuple[Conflict, ...] = ()
    shared: tuple[Shared, ...] = ()
    splits: tuple[SplitReceipt, ...] = ()
    split_seed: int | None = None  # None where the splits were given
    repairs: tuple[Repair, ...] = ()
    repair_scores: tuple[Score, ...] = ()  # a linear model fitted and scored on validation before and after the repairs
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts(Record):
    """How the texts of one split became tokens, special tokens included."""

    split: str
    num_texts: int
    num_tokens: int  # kept
    num_cut_texts: int  # texts longer than ``max_length``
    num_cut_tokens: int  # tokens lost to the cut
    num_unknown: int  # tokens the vocabulary does not have
    max_length: int
