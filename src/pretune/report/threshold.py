"""The decision in words, tables and one curve: which threshold, by which rule, how certain, and what others would give."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.records import Calibration, RunRecord, ThresholdChoice, TradeoffPoint
from pretune.report.figures import METRIC_NAMES
from pretune.report.terminal.drawing import columns, heading, named, pairs, plain
from pretune.report.words import UNDEFINED, number, percent, span
from pretune.wording.counts import counted


def is_told(choice: ThresholdChoice | None) -> bool:
    """Whether there is something to tell: a choice was made, or would have been possible."""
    return choice is not None and choice.positive is not None


def describe_decision(choice: ThresholdChoice | None, calibration: Calibration | None) -> list[tuple[str, str]]:
    """Return names and sentences: what decides, by what rule, how sure that is, and how good the probabilities are."""
    lines: list[tuple[str, str]] = []
    if choice is not None:
        decides = "the largest class"
        if choice.threshold is not None:
            decides = f"{choice.positive} from a probability of {choice.threshold:g} on; else the largest other class"
        lines.append(("decides", decides))
        if choice.positive is not None:
            rows = f"{counted(choice.num_examples, f'{choice.split} row')}, {choice.num_positives:,} of them {choice.positive}"
            lines.append(("rule", f"{choice.rule}; the median of what resamples choose ({rows})"))
        if choice.low is not None and choice.high is not None:
            resamples = f"5 to 95 % of {counted(choice.num_resamples, 'resample')}"
            lines.append(("range", f"{choice.low:g} to {choice.high:g} ({resamples})"))
        if choice.kept_share is not None:
            lines.append(("constraint", f"held by {percent(choice.kept_share)} of the resamples' thresholds"))
        if choice.note:
            lines.append(("note", choice.note))
    if calibration is not None:
        lines.append(("calibration temperature", calibration.why))
    return lines


def draw_threshold(record: RunRecord) -> Group | None:
    """Draw the decision of a run for the terminal; ``None`` where only the largest class could decide."""
    choice = record.threshold
    if choice is None or not is_told(choice):
        return None
    lines = pairs([(name, value) for name, value in describe_decision(choice, record.calibration)])
    parts: list[RenderableType] = [heading("Threshold", f"goal {choice.goal}, chosen on {choice.split}"), lines]
    if choice.reached:
        parts += [Text(), _reached_table(choice)]
    if choice.table:
        parts += [Text(), heading("Trade-off", f"{choice.split}; other thresholds"), _tradeoff_table(choice)]
    return Group(*parts)


def _reached_table(choice: ThresholdChoice) -> Table:
    table = columns(
        "figure", "reached", "on new rows", "largest class", "5–95 %", right=("reached", "on new rows", "largest class")
    )
    for item in choice.reached:
        figures = (number(item.value), number(item.expected), number(item.before), span(item.low, item.high) or UNDEFINED)
        table.add_row(named(METRIC_NAMES.get(item.metric, item.metric)), *figures)
    return table


def _tradeoff_table(choice: ThresholdChoice) -> Table:
    names = ("threshold", "precision", "recall", "rows called")
    table = columns(*names, "", right=names)
    for point in choice.table:
        mark = "★ chosen" if is_chosen(point, choice) else ""
        shown = (f"{point.threshold:g}", number(point.precision), number(point.recall), f"{point.num_called:,}")
        table.add_row(*shown, plain(mark))
    return table


def is_chosen(point: TradeoffPoint, choice: ThresholdChoice) -> bool:
    """Whether this row of the table is the threshold that decides."""
    return choice.threshold is not None and point.threshold == choice.threshold
