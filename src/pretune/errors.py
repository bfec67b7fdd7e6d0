"""Every error pretune raises on purpose: what it got, what it expected, how to fix it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pretune.records import FileReceipt


class PretuneError(Exception):
    """Base of all of pretune's own errors.

    Attributes:
        code: One word for programs (`--json` prints it).
        exit_code: What the command line returns, see ``docs/commands.md``.
    """

    code = "error"
    exit_code = 2

    def __init__(self, got: str, *, expected: str = "", fix: str = "") -> None:
        self.got, self.expected, self.fix = got, expected, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = (self.got, self.expected and f"Expected: {self.expected}", self.fix and f"Fix: {self.fix}")
        return "\n".join(part for part in parts if part)

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
    """Texts came without the labels that the question needs."""

    code = "missing_labels"


class ModelLoadError(PretuneError, ValueError):
    """No usable model at the place named."""

    code = "model"


class MissingPackageError(PretuneError, ImportError):
    """An optional package is not installed; the message is the install line."""

    code = "missing_package"


class CatalogError(PretuneError):
    """A catalogue entry could not be fetched, or is not what was pinned."""

    code = "catalog"


class SealedError(PretuneError):
    """The test rows were asked for outside of an opening of the seal."""

    code = "sealed"


class StorageError(PretuneError):
    """Writing, reading back or verifying something on disk failed."""

    code = "storage"
    exit_code = 4


class ProcessError(PretuneError):
    """Another process of a shared training failed, or is gone; where it said why, this has its words and exit code."""

    code = "process"
    exit_code = 6


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
    """The metric that chooses the best epoch is missing, or is no finite number.

    Attributes:
        metric: Its name.
    """

    code = "metric"

    def __init__(self, metric: str, value: float | None, *, epoch: int, step: int) -> None:
        self.metric, self.step, self.rows = metric, step, ()
        PretuneError.__init__(
            self,
            f"{metric} on validation is {'missing' if value is None else value} after epoch {epoch} (step {step})",
            expected="a finite number, by which to choose the best epoch",
            fix="lower the learning rate (--lr) where the loss is no number, or choose another --monitor",
        )
