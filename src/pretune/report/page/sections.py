"""The contents of each section of the report, as plain values; the templates lay them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pretune.records import Mistake, ProbabilityView, Receipt, RunRecord, Slice, Step
from pretune.report.figures import events_of
from pretune.report.page.checks import Checks, group_findings
from pretune.report.page.learning import learning_plots, timeline_plots
from pretune.report.page.plot import Plot
from pretune.report.page.probabilities import Probabilities, draw_probabilities, plot_lengths
from pretune.report.page.settings import Setting, list_settings
from pretune.report.page.tables import FigureSection, Matrix, make_figures, make_matrices
from pretune.report.receipts import describe_receipt
from pretune.report.rows import common_file, is_row_number, list_rows, short_row
from pretune.report.threshold import describe_decision
from pretune.report.timeline import Timeline, make_timeline

MAX_REJECTIONS = 50  # kinds of rejections
MAX_ROWS = 8  # rows named for each kind
MAX_SLICES = 20


@dataclass(frozen=True, slots=True)
class RejectionKind:
    """Rows of a file that were not used for one and the same reason."""

    file: str
    column: str | None
    reason: str
    num_rows: int
    rows: str  # the first of them


@dataclass(frozen=True, slots=True)
class ShownMistake:
    """A mistake, its row named without the file where all are of one."""

    mistake: Mistake
    row: str


@dataclass(frozen=True, slots=True)
class Sections:
    """All that the report shows beside the record itself."""

    figures: tuple[FigureSection, ...]
    matrices: tuple[Matrix, ...]
    plots: tuple[Plot, ...]
    decision: tuple[tuple[str, str], ...]
    probabilities: Probabilities
    slices: tuple[Slice, ...]
    slices_file: str  # that all of their rows are of; empty where there are several
    num_slices_by_row: int  # left out: their column numbers the rows
    lengths: Plot | None
    mistakes: tuple[ShownMistake, ...]
    mistakes_file: str
    stages: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    checks: Checks
    receipt: tuple[tuple[str, list[str]], ...]
    rejections: tuple[RejectionKind, ...]
    num_more_rejections: int
    settings: tuple[Setting, ...]
    timeline: Timeline | None
    timeline_plots: tuple[Plot, ...]


def build_sections(record: RunRecord, events: Sequence[Mapping[str, Any]], view: ProbabilityView | None = None) -> Sections:
    """Collect what the report shows from the record, the lines of ``trace.jsonl`` and the predictions on validation."""
    rejections = group_rejections(record.receipt)
    slices = [item for item in record.slices if item.is_worse or not is_row_number(item.column)]
    file = common_file([item.id for item in record.mistakes])
    steps = _steps_of(record, events)
    timeline = make_timeline(record.pretraining, record.history)
    return Sections(
        figures=make_figures(record),
        matrices=make_matrices(record),
        plots=learning_plots(record.history) if record.history else (),
        decision=tuple(describe_decision(record.threshold, record.calibration)),
        probabilities=draw_probabilities(record, view),
        slices=tuple(slices[:MAX_SLICES]),
        slices_file=common_file([row for item in slices[:MAX_SLICES] for row in item.examples]),
        num_slices_by_row=len(record.slices) - len(slices),
        lengths=plot_lengths(record),
        mistakes=tuple(ShownMistake(item, short_row(item.id, file)) for item in record.mistakes),
        mistakes_file=file,
        stages=tuple(events_of(events, "stage")),
        notes=tuple(dict.fromkeys(str(event["text"]) for event in events_of(events, "note"))),
        checks=group_findings(record.findings),
        receipt=tuple(item for item in describe_receipt(record.receipt) if item[0] != "rejected") if record.receipt else (),
        rejections=rejections[:MAX_REJECTIONS],
        num_more_rejections=sum(item.num_rows for item in rejections[MAX_REJECTIONS:]),
        settings=list_settings(record),
        timeline=timeline,
        timeline_plots=timeline_plots(record.pretraining, record.history, steps) if timeline is not None else (),
    )


def group_rejections(receipt: Receipt | None) -> tuple[RejectionKind, ...]:
    """Tell equal rejections once, with the rows that they happened to."""
    kinds: dict[tuple[str, str | None, str], list[str]] = {}
    for file in receipt.files if receipt else ():
        for item in file.rejected:
            kinds.setdefault((item.file, item.column, item.reason), []).append("—" if item.row is None else str(item.row))
    return tuple(
        RejectionKind(file, column, reason, len(rows), list_rows(rows, MAX_ROWS))
        for (file, column, reason), rows in kinds.items()
    )


def _steps_of(record: RunRecord, events: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return every update of a pre-training from its own trace; that of a fine-tuned model is in another run's."""
    if record.pretraining is None or record.history is not None:
        return ()
    steps = (Step.from_json(event) for event in events_of(events, "step") if event.get("loss") is not None)
    return tuple({step.index: step for step in steps}.values())
