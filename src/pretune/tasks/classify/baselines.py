"""The simple baselines that a run keeps: opened, and proved to be those that were scored on validation.

Files of schema 1 do not state their layout: weights of three or more classes were written by columns and read by rows.
Validation was scored before that, the test after. The stored validation predictions show which order is right, so such weights
can be restored; their predictions on the test are void.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pretune import storage
from pretune.errors import StorageError
from pretune.evaluate.arrays import Order
from pretune.evaluate.baselines import LinearModel, load_linear
from pretune.evaluate.encoder_linear import SOURCE, load_encoder_linear
from pretune.records import Finding, Predictions, Severity
from pretune.run import RunFolder
from pretune.run.trace import Trace

# Largest difference of two probabilities that is still the same model: sums of a sparse product differ by about 1e-15.
MAX_DIFFERENCE = 1e-6
LINEAR = "linear"
RESTORED = (
    "an earlier version saved the linear baseline scrambled; its weights were restored, and give the validation predictions "
    "that the run has"
)
VOID = (
    "an earlier version saved the linear baselines of this run scrambled: what {sources} predicted on the test is void, and "
    "so is the comparison with it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLinear:
    """A linear baseline of a run.

    Args:
        model: It gives the validation predictions that the run has.
        order: How its file lies: by columns (``"F"``) where an earlier version scrambled it.
    """

    model: LinearModel
    order: Order = "C"

    @property
    def is_restored(self) -> bool:
        """Whether the file was scrambled; opening it leaves the run's folder as it was."""
        return self.order == "F"


def open_linear(folder: RunFolder) -> OpenedLinear:
    """Load the linear baseline of a run, restored where an earlier version scrambled it.

    Raises:
        StorageError: It does not give the validation predictions that the run has.
    """
    if not folder.has_predictions("validation", LINEAR):
        raise StorageError(
            f"{folder.path}/predictions/validation.linear.csv is missing: nothing shows that linear/ is what was fitted",
            fix="restore the file, or fit the run again",
        )
    known, rows = folder.read_predictions("validation", LINEAR), folder.read_examples("validation")
    for order in orders_of(folder.linear / "model.json"):
        model = load_linear(folder.linear, order=order)
        if _gives(model.predict(rows, split="validation", classes=known.classes), known):
            return OpenedLinear(model=model, order=order)
    raise StorageError(
        f"{folder.linear} is not the model that was scored on validation: it gives other predictions",
        expected="those of predictions/validation.linear.csv",
        fix="restore linear/, or fit the run again",
    )


def orders_of(described: Path) -> tuple[Order, ...]:
    """Return the orders in which the weights beside ``model.json`` or ``features.json`` may lie."""
    value = storage.read_json(described)
    is_known = not isinstance(value, dict) or value.get("schema") != 1 or len(value.get("classes") or ()) < 3
    return ("C",) if is_known else ("C", "F")


def restore(folder: RunFolder, opened: OpenedLinear, trace: Trace) -> None:
    """Put restored weights in place of scrambled ones; what those predicted on the test goes first.

    Both baselines were fitted by one library in one process, so the order of the first is that of the second as well, which
    is proved when its encoder is opened.
    """
    places = (folder.linear / "model.json", folder.encoder_linear / "features.json")
    if all(not place.is_file() or len(orders_of(place)) == 1 for place in places):
        return
    if opened.is_restored:
        trace.note(RESTORED)
        for source in (LINEAR, SOURCE):
            folder.drop_predictions("test", source)
    if places[1].is_file():
        load_encoder_linear(folder.encoder_linear, order=opened.order).save(folder.encoder_linear)
    opened.model.save(folder.linear)


def void_sources(folder: RunFolder) -> tuple[str, ...]:
    """Return the baselines whose stored test predictions come from scrambled weights; see ``restore`` for the second."""
    described = {LINEAR: folder.linear / "model.json", SOURCE: folder.encoder_linear / "features.json"}
    doubted = [
        source
        for source, place in described.items()
        if folder.has_predictions("test", source) and place.is_file() and len(orders_of(place)) > 1
    ]
    if not doubted or (LINEAR in doubted and not open_linear(folder).is_restored):
        return ()
    return tuple(doubted)


def describe_void(folder: RunFolder) -> str | None:
    """Return the sentence that says which stored figures are void, or ``None``."""
    sources = void_sources(folder)
    return f"{VOID.format(sources=' and '.join(sources))}; `pretune judge {folder.path}` restores them" if sources else None


def void_finding(folder: RunFolder) -> tuple[Finding, ...]:
    """Return what the report has to show above everything else, where figures are void."""
    summary = describe_void(folder)
    if summary is None:
        return ()
    fix = f"`pretune judge {folder.path}`: the weights are restored, and all figures are made again"
    return (Finding(check="baselines", severity=Severity.BLOCKING, summary=summary, fix=fix),)


def _gives(found: Predictions, known: Predictions) -> bool:
    if found.ids != known.ids or found.probabilities is None or known.probabilities is None:
        return False
    a, b = np.asarray(found.probabilities), np.asarray(known.probabilities)
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= MAX_DIFFERENCE)
