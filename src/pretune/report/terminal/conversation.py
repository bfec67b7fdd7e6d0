"""What a run on conversations shows in the terminal: figures by source, comparisons, findings, and the verdict last."""

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pretune.records import Comparison, RunRecord, Score
from pretune.report.terminal.drawing import columns, plain, stack
from pretune.report.terminal.text import draw_findings, draw_verdict

# Figures in the order in which they are shown: what it is called, and how its values are written.
FIGURES = (
    ("chrf", "chrF", "number"),
    ("bleu", "BLEU", "number"),
    ("loss", "loss, nats per token", "loss"),
    ("bits_per_byte", "bits per byte", "loss"),
    ("exact", "exact answers", "share"),
    ("subject", "names the subject", "share"),
    ("ended", "ended by itself", "share"),
    ("loops", "loops", "share"),
    ("copied", "copies training", "share"),
    ("empty", "empty", "share"),
    ("length_ratio", "length, of the reference's", "loss"),
)
SOURCE_NAMES = {"finetuned": "fine-tuned", "before": "before", "retrieval": "retrieval", "few-shot": "few-shot"}


def draw_chat(record: RunRecord) -> list[Group]:
    """Draw the result of a run on conversations, as far as it is judged."""
    parts = [
        draw_figures([score for score in record.scores if score.split == "test"]) if record.scores else None,
        draw_gains(record.comparisons) if record.comparisons else None,
        draw_findings(record.findings) if record.findings else None,
        draw_verdict(record.verdict, record.sample, first_known_look=bool(record.first_known_look)) if record.verdict else None,
    ]
    return [stack(*parts)]


def draw_figures(scores: Sequence[Score]) -> Table:
    """Draw figures as rows and sources as columns, each value with its interval."""
    sources = [name for name in dict.fromkeys(score.source for score in scores) if name != "reference"]
    known = {(score.source, score.metric): score for score in scores}
    table = columns("test", *(SOURCE_NAMES.get(name, name) for name in sources), right=tuple(SOURCE_NAMES.get(n, n) for n in sources))
    for metric, name, kind in FIGURES:
        cells = [known.get((source, metric)) for source in sources]
        if any(cell is not None and cell.value is not None for cell in cells):
            table.add_row(name, *(Text(say_score(cell, kind)) for cell in cells))
    return table


def draw_gains(comparisons: Sequence[Comparison]) -> Table:
    """Draw by how much the model differs from each rival, with the interval of the difference."""
    kinds = {metric: (name, kind) for metric, name, kind in FIGURES}
    table = columns("fine-tuned against", "figure", "difference", "interval", "p", right=("difference", "interval", "p"))
    for item in comparisons:
        name, kind = kinds.get(item.metric, (item.metric, "loss"))
        span = "" if item.low is None or item.high is None else f"{say(item.low, kind, signed=True)} to {say(item.high, kind, signed=True)}"
        p_value = "" if item.p_value is None else f"{item.p_value:.3f}"
        table.add_row(plain(SOURCE_NAMES.get(item.b, item.b)), name, say(item.difference, kind, signed=True), span, p_value)
    return table


def say_score(score: Score | None, kind: str) -> str:
    """Return a value with its interval, or a dash."""
    if score is None or score.value is None:
        return "–"
    span = "" if score.low is None or score.high is None else f" ({say(score.low, kind)}–{say(score.high, kind)})"
    return say(score.value, kind) + span


def say(value: float, kind: str, *, signed: bool = False) -> str:
    """Return a value as its figure is written."""
    sign = "+" if signed else ""
    if kind == "share":
        return f"{100 * value:{sign}.1f}{' points' if signed else ' %'}"
    return f"{value:{sign}.1f}" if kind == "number" else f"{value:{sign}.2f}"
