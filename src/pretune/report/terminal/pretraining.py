"""Pre-training, drawn for a terminal: the timeline up to fine-tuning, guesses over time, and how the vocabulary fits."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.records import History, PretrainHistory, Score, Step, TokenizerQuality
from pretune.report.language import language_rows
from pretune.report.terminal.drawing import MAX_WIDTH, columns, heading, named, plain, stack
from pretune.report.terminal.plot import Curve, plot_losses
from pretune.report.terminal.traces import MAX_PLOT_WIDTH
from pretune.report.timeline import (
    MAX_LINES,
    TimelineRow,
    describe_change,
    describe_end,
    describe_thinning,
    guess_rows,
    short_count,
    timeline_curves,
    timeline_rows,
)
from pretune.report.words import number, one_line, percent
from pretune.wording.tokens import show_pieces

GAP = 2  # columns between two plots
MIN_PANEL = 34  # columns below which two plots stand under each other


class TimelinePlot:
    """The loss of one training, or of both beside each other, each on its own scale."""

    def __init__(self, curves: list[tuple[str, Curve, int | None]]) -> None:
        self._curves = curves

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        room = min(options.max_width, MAX_WIDTH if len(self._curves) > 1 else MAX_PLOT_WIDTH)
        yield heading("Loss (nats)", "─ or ○ training   ● held out")
        width = (room - GAP * (len(self._curves) - 1)) // max(1, len(self._curves))
        panels = [
            [one_line(name, min(width, room)), *plot_losses(curve, width=width if width >= MIN_PANEL else room)]
            for name, curve, _ in self._curves
        ]
        if width < MIN_PANEL:
            lines = [line for panel in panels for line in panel]
        else:
            lines = [(" " * GAP).join(part.ljust(width) for part in row) for row in zip(*panels, strict=True)]
        for line in lines:
            yield Text(line.rstrip(), no_wrap=True, overflow="crop")


def draw_timeline(pretraining: PretrainHistory | None, history: History | None, steps: Sequence[Step] = ()) -> Group:
    """Draw pre-training and then fine-tuning in one plot and one table.

    Args:
        pretraining: Its milestones; ``None`` where the model was not pre-trained by pretune.
        history: Of fine-tuning; ``None`` where there was none.
        steps: Of pre-training, where they are known; without them its plot has a mark a milestone.
    """
    curves = timeline_curves(pretraining, history, steps)
    remarks = []
    if pretraining is not None:
        remarks = [describe_change(pretraining), describe_thinning(pretraining, MAX_LINES), describe_end(pretraining)]
    rows = timeline_rows(pretraining, history, MAX_LINES)
    closing = [plain(remark, "dim") for remark in remarks if remark]
    return stack(TimelinePlot(curves) if curves else None, Group(_timeline_table(rows), *closing) if rows else Group(*closing))


def _timeline_table(rows: list[TimelineRow]) -> Table:
    both = len({row.phase for row in rows}) > 1
    extra = [] if both or rows[0].perplexity is None else ["perplexity", "tokens/s"]
    has_bits = any(row.bits_per_byte is not None for row in rows)
    numbers = ["training loss", "held-out loss", "accuracy", *extra, *(["bits per byte"] if has_bits else [])]
    table = columns(*(["training"] if both else []), "after", *numbers, "observation", right=numbers)
    for column in table.columns[: 2 if both else 1]:
        column.no_wrap = True
    before = ""
    for row in rows:
        cells = [plain(row.phase if row.phase != before else "", "bold")] if both else []
        cells += [plain(f"{'★ ' if row.is_kept else ''}{row.place}")]
        figures = [number(row.training_loss), number(row.loss), number(row.accuracy)]
        figures += (
            [number(row.perplexity, 1), short_count(row.tokens_per_second) if row.tokens_per_second else ""] if extra else []
        )
        figures += [number(row.bits_per_byte) if row.bits_per_byte is not None else ""] if has_bits else []
        table.add_row(*cells, *figures, plain(row.observation))
        before = row.phase
    return table


def draw_guesses(pretraining: PretrainHistory) -> Group:
    """Draw how the likeliest guesses for each prompt changed as the model learned."""
    parts: list[RenderableType] = []
    for prompt, rows in guess_rows(pretraining):
        table = columns("after", "likeliest, with probabilities", wide="likeliest, with probabilities")
        for place, guesses in rows:
            table.add_row(named(place), plain(guesses))
        parts.append(Group(plain(prompt, "italic"), table))
    return Group(heading("Guesses over time"), stack(*parts)) if parts else Group()


def draw_tokenizer(quality: TokenizerQuality) -> Group:
    """Draw how a vocabulary takes each kind of text, and the warning where it does not fit."""
    numbers = ("bytes per token", "tokens per word", "unknown", "in ≥ 4 pieces")
    table = columns("text", *numbers, "such as", right=numbers)
    for fit in quality.fits:
        figures = (number(fit.bytes_per_token, 2), number(fit.tokens_per_word, 2))
        shares = (percent(fit.unknown_share), percent(fit.split_share))
        table.add_row(named(fit.name), *figures, *shares, plain("; ".join(map(show_pieces, fit.examples[:2]))))
    warning = [Text("! ", "yellow").append_text(plain(quality.warning))] if quality.warning else []
    return Group(heading("Vocabulary", f"{quality.kind}, {quality.vocab_size:,} tokens"), table, *warning)


def draw_language(scores: Sequence[Score]) -> Group | None:
    """Draw the language model before and after, on text of its domain and on general text; nothing where it was not scored."""
    rows = language_rows(scores)
    if not rows:
        return None
    table = columns("text", "figure", "before", "after", "change", right=("before", "after", "change"))
    for row in rows:
        table.add_row(row.text, named(row.metric), row.before, row.after, row.change)
    notes = "; ".join(dict.fromkeys(f"{row.text}: {row.method}" for row in rows))
    return Group(heading("The language model before and after"), table, plain(notes, "dim"))
