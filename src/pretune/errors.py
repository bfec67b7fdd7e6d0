"""Every error pretune raises on purpose: what it got, what it expected, how to fix it."""

import errno
import importlib
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pretune.wording.messages import addressed

if TYPE_CHECKING:
    from pretune.records import FileReceipt

# Characters of another library's message that are shown; the traceback has the rest.
_MAX_QUOTED = 300


class PretuneError(Exception):
    """Base of all pretune errors.

    Attributes:
        code: One word for programs (`--json` prints it).
        exit_code: The exit code of the command line, see ``docs/commands.md``.
    """

    code = "error"
    exit_code = 2

    def __init__(self, got: str, *, expected: str = "", fix: str = "") -> None:
        self.got, self.expected, self.fix = got, expected, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = (self.got, self.expected and f"Expected: {self.expected}", self.fix and f"Fix: {self.fix}")
        return addressed("\n".join(part for part in parts if part))

    def to_json(self) -> dict[str, str]:
        """Return the four fields that `--json` prints."""
        return {"code": self.code, "got": self.got, "expected": self.expected, "fix": self.fix}


class UsageError(PretuneError, ValueError):
    """An option, argument or setting that does not exist or does not fit."""

    code = "usage"


class DataError(PretuneError, ValueError):
    """The user's table cannot be used as it is.

    Attributes:
        files: Receipts of the files read so far, with every rejected row, for ``data/receipt.json``.
    """

    code = "data"

    def __init__(self, got: str, *, expected: str = "", fix: str = "", files: "tuple[FileReceipt, ...]" = ()) -> None:
        self.files = files
        super().__init__(got, expected=expected, fix=fix)


class MissingLabelsError(DataError):
    """Texts were given without the labels that are needed."""

    code = "missing_labels"


class ModelLoadError(PretuneError, ValueError):
    """There is no usable model at the given place."""

    code = "model"


class MissingPackageError(PretuneError, ImportError):
    """An optional package is not installed; the message is the install line."""

    code = "missing_package"


def require(package: str, *, extra: str) -> ModuleType:
    """Import a package that only some users need, or raise an error that is the install line.

    Raises:
        MissingPackageError: The package is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"this needs the package {package!r}, which is not installed ({error})",
            fix=f'`pip install "pretune[{extra}]"`',
        ) from error


class CatalogError(PretuneError):
    """A catalogue entry could not be fetched, or is not what was pinned."""

    code = "catalog"


class HubError(PretuneError):
    """The hub could not be asked, or refused what it was sent."""

    code = "hub"


class SealedError(PretuneError):
    """The test rows were requested without opening the seal."""

    code = "sealed"


class StorageError(PretuneError):
    """Writing, reading back or verifying something on disk failed."""

    code = "storage"
    exit_code = 4


class DamagedError(StorageError, ValueError):
    """A file that pretune wrote holds something that pretune does not write."""

    code = "damaged"


class DamagedModelError(DamagedError, ModelLoadError):
    """A model folder that pretune saved is not what was saved."""


class UnforeseenError(PretuneError):
    """Something that no part of pretune foresaw: a fault of pretune or of a library, never a verdict about a model."""

    code = "internal"
    exit_code = 70  # EX_SOFTWARE of sysexits.h


class OutOfMemoryError(UnforeseenError):
    """The process asked for more memory than it may have."""

    code = "memory"


class ProcessError(PretuneError):
    """Another process of a shared training failed, or is gone; where it said why, this has its words and exit code."""

    code = "process"
    exit_code = 6


class StoppedError(PretuneError):
    """Ctrl-C came while something was written that the same command resumes."""

    code = "interrupted"
    exit_code = 130


class LedgerError(StorageError):
    """The ledger of openings was edited, has a gap, or lost its tail."""

    code = "ledger"


class ParityError(StorageError):
    """A saved model, read back, does not give the logits of the live one."""

    code = "parity"


class DivergedError(PretuneError):
    """The loss or the gradient stopped being finite; the update was not made, and nothing is saved.

    Attributes:
        step: Index of the update that was not made.
        rows: Ids of the examples in its batch.
    """

    code = "diverged"
    exit_code = 5

    def __init__(self, *, step: int, rows: tuple[str, ...], loss: float, norm: float) -> None:
        self.step, self.rows = step, rows
        shown = ", ".join(rows[:8]) + (f" and {len(rows) - 8} more" if len(rows) > 8 else "")
        super().__init__(
            f"training diverged at step {step}: loss {loss}, gradient norm {norm}; rows {shown}",
            expected="a finite loss and gradient; the update was not made",
            fix="lower the learning rate (--lr), or look at the rows named above",
        )


class MetricError(DivergedError):
    """The metric that chooses the best epoch is missing, or is not a finite number.

    Attributes:
        metric: Its name.
    """

    code = "metric"

    def __init__(self, metric: str, value: float | None, *, epoch: int, step: int) -> None:
        self.metric, self.step, self.rows = metric, step, ()
        PretuneError.__init__(
            self,
            f"{metric} on validation is {'missing' if value is None else value} after epoch {epoch} (step {step})",
            expected="a finite number, which chooses the best epoch",
            fix="lower the learning rate (--lr) where the loss is not a number, or choose another --monitor",
        )


def explain_unforeseen(error: BaseException) -> PretuneError:
    """Return the one message for an error that nobody raised on purpose; those of pretune are returned as they are."""
    if isinstance(error, PretuneError):
        return error
    said = " ".join(str(error).split())
    said = said if len(said) <= _MAX_QUOTED else f"{said[:_MAX_QUOTED]}…"
    if _is_of_memory(error):
        return OutOfMemoryError(
            "there is not enough memory" + (f": {said}" if said else ""),
            expected="more memory than this process may use",
            fix="free memory or raise its limit; or pass fewer rows, a shorter --max-length or a smaller --batch-size",
        )
    return UnforeseenError(
        f"something unforeseen went wrong: {type(error).__name__}{f': {said}' if said else ''}{_place_of(error)}",
        expected="a result, or a message that names the cause",
        fix="run the command again with --debug for the traceback, and report it; this is a fault of pretune, not a verdict",
    )


def _is_of_memory(error: BaseException) -> bool:
    """Whether memory was short; torch says so in a ``RuntimeError``, the system with an error number."""
    is_told = isinstance(error, RuntimeError) and any(words in str(error) for words in ("allocate memory", "out of memory"))
    return isinstance(error, MemoryError) or is_told or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


def _place_of(error: BaseException) -> str:
    """Return where in pretune it happened, in words."""
    home = str(Path(__file__).parent)
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(home)]
    if not own:
        return ""
    return f" (in pretune/{Path(own[-1].filename).relative_to(home).as_posix()}, line {own[-1].lineno})"
