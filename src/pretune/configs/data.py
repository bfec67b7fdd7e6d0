"""Settings: how tables and corpora are read, and how rows are split."""

from dataclasses import dataclass

from pretune.configs.base import MAX_COUNT, MAX_THREADS, Config, check, check_count, check_seed, parse_size
from pretune.errors import UsageError

QUOTINGS = ("minimal", "none")
# A cell beyond this many characters is a file pasted into a table, not a text to classify.
MAX_CELL = 1_000_000
# A header beyond this many cells is a matrix, or a file without line ends.
MAX_COLUMNS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig(Config):
    """How a table is read."""

    text: tuple[str, ...] = ()  # empty: guessed, and the guess printed
    label: str | None = None
    group: str | None = None
    encoding: str | None = None  # None: UTF-8, or UTF-16 with a byte-order mark
    allow_rejects: bool = False
    require_labels: bool = True
    where: tuple[str, ...] = ()  # "COL=VALUE" or "COL!=VALUE": the other rows are left out and counted
    merge_labels: bool = False  # labels that differ only in case or spacing are one class
    quoting: str | None = None  # "minimal": quotes enclose a cell; "none": quotes are text; None: told from the lines
    escape: str | None = None  # character that escapes a quote inside a cell, such as a backslash; None: told from the lines
    max_cell: int = MAX_CELL  # characters
    max_columns: int = MAX_COLUMNS
    max_size: str | int | None = None  # bytes of one file once unpacked, such as 4GB; None: the defaults of data/read/limits.py
    max_cells: int = 200_000_000  # rows times columns, where a file may claim more of them than it has bytes
    max_files: int = 1_000_000  # of a folder of classes

    def __post_init__(self) -> None:
        self.check_kinds()
        object.__setattr__(self, "escape", check_layout(self.quoting, self.escape))
        check_count(self.max_cell, "max_cell", of="characters")
        check_count(self.max_columns, "max_columns", of="columns")
        check_count(self.max_cells, "max_cells", of="cells")
        check_count(self.max_files, "max_files", of="files")
        if self.max_size is not None:
            parse_size(self.max_size)


def check_layout(quoting: str | None, escape: str | None) -> str | None:
    """Return the escape character, once both settings are known to be valid.

    Raises:
        UsageError: One of them is not.
    """
    check(quoting is None or quoting in QUOTINGS, "quoting", quoting, "minimal or none")
    if escape == "\\\\":  # as a shell hands on '\\\\'
        escape = "\\"
    is_sign = escape is None or (len(escape) == 1 and not escape.isalnum() and not escape.isspace() and escape not in '",;|')
    if not is_sign:
        raise UsageError(
            f"escape is {escape!r:.60}",
            expected="one character, such as a backslash",
            fix="pass --escape '\\\\', or leave it out",
        )
    return escape


# Share of rejected rows above which a file is more likely misread than dirty.
MAX_REJECTED_SHARE = 0.01


# Similarity of words and word pairs from which two texts count as nearly the same.
NEAR_THRESHOLD = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig(Config):
    """How rows are split. The split depends only on the data and ``seed``."""

    validation_share: float = 0.15
    test_share: float = 0.15
    seed: int = 0
    near_duplicate_threshold: float = NEAR_THRESHOLD  # a few edits count as well, see data/alike/duplicates.py
    keep_leaks: bool = False
    repair: bool = False  # regroup, drop conflicts: see data/split/repair.py
    time: str | None = None  # column by which training is older than validation, and the test newest

    def __post_init__(self) -> None:
        self.check_kinds()
        check_seed(self.seed, "split_seed")
        check(0 < self.validation_share < 1, "validation_share", self.validation_share, "a share between 0 and 1")
        check(0 < self.test_share < 1, "test_share", self.test_share, "a share between 0 and 1")
        total = self.validation_share + self.test_share
        check(total < 1, "validation_share + test_share", total, "less than 1, so that rows are left to train on")
        threshold = self.near_duplicate_threshold
        check(0 < threshold <= 1, "near_duplicate_threshold", threshold, "a similarity above 0 and up to 1")
        if self.time is not None and self.repair:
            raise UsageError(
                "--repair and --time were both given",
                expected="one of them: --repair may move rows, --time says where they are",
                fix="leave --repair out",
            )
        if self.keep_leaks and self.repair:
            raise UsageError(
                "--repair and --keep-leaks were both given",
                expected="one of them: --repair removes leaks, --keep-leaks keeps them",
            )


DOCUMENTS = ("blank", "line", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig(Config):
    """How raw text becomes a corpus to pre-train on.

    Args:
        document: What ends a document in a text file: a ``blank`` line (or the next article, if the file has WikiText
            headings), every ``line``, or the end of the ``file``.
        text: Text columns of JSON lines and tables; if empty, they are guessed and the guess is printed.
        encoding: Encoding of text files; ``None`` means UTF-8, or UTF-16 with a byte-order mark.
        quoting: Quoting of CSV and TSV, as in ``ReadConfig``.
        escape: Escape character of CSV and TSV, as in ``ReadConfig``.
        allow_rejects: Continue even if more than ``MAX_REJECTED_SHARE`` of the documents, or any file of a folder, is
            unreadable.
        min_words: Documents with fewer words are dropped.
        boilerplate: Number of documents in which a line must occur to be dropped from all of them; ``None`` means 20, or one
            in 500 if that is more; 0 keeps every line. Lines of fewer than three words, and documents of one line, stay.
        near_duplicate_threshold: Minimum Jaccard similarity at which a text counts as a near copy of an earlier one and is
            dropped; ``None`` keeps it.
        validation: A file with the held-out documents.
        validation_share: Share of the documents to hold out otherwise, within the bounds of ``data/corpus/hold_out.py``.
        workers: Number of processes; ``None`` takes one per core if there is enough to do. The result is the same.
        max_size: Maximum size of a file once unpacked, such as ``40GB``; ``None`` applies the default limits of
            ``data/read/limits.py`` to packed files.
        max_line: Maximum characters per line of JSON or CSV; longer lines are rejected.
        max_files: Maximum files per folder.
    """

    document: str = "blank"
    text: tuple[str, ...] = ()
    encoding: str | None = None
    quoting: str | None = None
    escape: str | None = None
    allow_rejects: bool = False
    min_words: int = 5
    boilerplate: int | None = None
    near_duplicate_threshold: float | None = 0.8
    validation: str | None = None
    validation_share: float = 0.01
    workers: int | None = None
    max_size: str | int | None = None
    max_line: int = 20_000_000
    max_files: int = 1_000_000

    def __post_init__(self) -> None:
        self.check_kinds()
        object.__setattr__(self, "escape", check_layout(self.quoting, self.escape))
        if self.max_size is not None:
            parse_size(self.max_size)
        check_count(self.max_line, "max_line", of="characters")
        check_count(self.max_files, "max_files", of="files")
        check(self.document in DOCUMENTS, "document", self.document, "one of " + ", ".join(DOCUMENTS))
        check_count(self.min_words, "min_words", of="words")
        repeats, near = self.boilerplate, self.near_duplicate_threshold
        check(
            repeats is None or repeats == 0 or 2 <= repeats <= MAX_COUNT,
            "boilerplate",
            repeats,
            "0 (off), or 2 documents or more",
        )
        check(near is None or 0.5 <= near <= 1, "near_duplicate_threshold", near, "a similarity from 0.5 to 1")
        check(0 < self.validation_share < 0.5, "validation_share", self.validation_share, "a share between 0 and 0.5")
        check_count(self.workers, "workers", most=MAX_THREADS, of="processes")
