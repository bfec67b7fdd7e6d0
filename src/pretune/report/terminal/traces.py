"""The three traces, drawn for a terminal: the pipeline, the training, and one text on its way to a decision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pretune.configs import LAST
from pretune.records import History, PredictionTrace
from pretune.report.figures import events_of
from pretune.report.terminal.drawing import NAME_LENGTH, SHORT_LENGTH, bar, columns, heading, named, plain, stack
from pretune.report.terminal.plot import Curve, make_curve, plot_losses
from pretune.report.words import describe_epoch, number, one_line
from pretune.wording.counts import counted
from pretune.wording.tokens import legend_of, show_example, show_tokens

MAX_PLOT_WIDTH = 100
MAX_TOKEN = 16  # characters of one token
MAX_TOKEN_LINES = 5  # pairs of lines; a text of 512 tokens would fill the screen
MAX_CLASSES_SHOWN = 8
BAR_WIDTH = 20


def draw_pipeline(events: Iterable[Mapping[str, Any]]) -> Group:
    """Draw one row per stage: shape in, shape out, what was done, seconds, and one real example on its way."""
    table = columns("stage", "shape in → shape out, what was done, one example", "seconds", right=("seconds",))
    table.expand = True
    table.columns[1].ratio = 1
    for stage in events_of(events, "stage"):
        table.add_row(
            named(stage["stage"], "bold", limit=SHORT_LENGTH), Group(*_stage_lines(stage)), number(stage["seconds"], 2)
        )
    return Group(heading("Pipeline"), table)


def _stage_lines(stage: Mapping[str, Any]) -> Iterator[Text]:
    shapes = " → ".join(one_line(shape) for shape in (stage["shape_in"], stage["shape_out"]) if shape)
    if shapes:
        yield plain(shapes)
    if stage["done"]:
        yield plain(stage["done"], "dim")
    for note in stage.get("notes") or ():
        yield plain(f"· {note}", "dim")
    if stage["example"]:
        shown = show_example(stage["stage"], stage["example"])
        yield plain(f"▸ {shown}", "italic", cut=True)
        if shown != stage["example"]:
            yield plain(legend_of(shown.split(" ")), "dim")


class LossPlot:
    """The loss plot, as wide as there is room for."""

    def __init__(self, curve: Curve) -> None:
        self._curve = curve

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        training = "─" if self._curve.by_step else "○"
        yield heading("Loss (nats)", f"{training} training   ● validation")
        for line in plot_losses(self._curve, width=min(options.max_width, MAX_PLOT_WIDTH)):
            yield Text(line, no_wrap=True, overflow="crop")


def draw_training(history: History) -> Group:
    """Draw the losses as a plot, then a table of the epochs with what each of them says in words."""
    curve = make_curve(history.steps, history.validations)
    plot = LossPlot(curve) if curve.training or curve.validation else None
    closing = "; ".join(filter(None, (_best_words(history), one_line(history.stopped_because))))
    return stack(plot, Group(_epoch_table(history), plain(closing, "dim")))


def _epoch_table(history: History) -> Table:
    validations = history.validations
    extra = sorted({item.metric for item in validations} - {"accuracy", "loss"})
    numbers = ("epoch", "training loss", "validation loss", "accuracy", *(name.replace("_", " ") for name in extra))
    stages = ["trained"] if any(item.stage for item in validations) else []
    table = columns(*numbers, *stages, "observation", right=numbers)
    for item in validations:
        mark = "★ " if item.epoch == history.best_epoch else ""
        losses = (number(item.training_loss), number(item.loss), number(item.accuracy))
        others = (number(item.metric_value) if item.metric == name else "" for name in extra)
        table.add_row(
            f"{mark}{item.epoch}", *losses, *others, *(plain(item.stage) for _ in stages), plain(describe_epoch(history, item))
        )
    return table


def _best_words(history: History) -> str:
    if history.best_epoch is None:
        return ""
    if history.monitor == LAST:
        return "★ the last epoch: its weights are kept; none was chosen by validation"
    return f"★ best epoch by {history.monitor.replace('_', ' ')}: its weights are kept"


class TokenLines:
    """Tokens with their ids below them, wrapped to the width there is; their markers as signs that a legend explains."""

    def __init__(self, tokens: Sequence[str], ids: Sequence[int]) -> None:
        shown = show_tokens(tokens)
        self._legend = legend_of(shown)
        self._cells = [(_fit(token), str(number)) for token, number in zip(shown, ids, strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        lines = list(self._wrap(options.max_width))
        for line in lines[:MAX_TOKEN_LINES]:
            widths = [max(cell_len(token), len(name)) + 2 for token, name in line]
            shown = "".join(set_cell_size(token, width) for (token, _), width in zip(line, widths, strict=True))
            yield Text(shown.rstrip(), "bold", no_wrap=True, overflow="crop")
            yield Text("".join(name.ljust(width) for (_, name), width in zip(line, widths, strict=True)).rstrip(), "dim")
        hidden = sum(map(len, lines[MAX_TOKEN_LINES:]))
        if hidden:
            yield Text(f"… {counted(hidden, 'further token')}", "dim")
        if self._legend:
            yield Text(self._legend, "dim")

    def _wrap(self, width: int) -> Iterator[list[tuple[str, str]]]:
        line: list[tuple[str, str]] = []
        used = 0
        for token, name in self._cells:
            needed = max(cell_len(token), len(name)) + 2
            if line and used + needed > width:
                yield line
                line, used = [], 0
            line.append((token, name))
            used += needed
        if line:
            yield line


def _fit(token: str) -> str:
    shown = one_line(token) or "␠"
    return shown if cell_len(shown) <= MAX_TOKEN else set_cell_size(shown, MAX_TOKEN - 1) + "…"


def draw_prediction(trace: PredictionTrace) -> Group:
    """Draw one text on its way: tokens and ids, every layer, logits, softmax, and the decision."""
    text = Group(heading("Text", counted(len(trace.text), "character")), plain(trace.text))
    tokens = Group(heading("Tokens and ids", counted(len(trace.tokens), "token")), TokenLines(trace.tokens, trace.ids))
    return stack(text, tokens, _draw_layers(trace), _draw_head(trace), _decision_line(trace))


def _draw_layers(trace: PredictionTrace) -> Group:
    final = trace.classes.index(trace.decision)
    chance = f"p({one_line(trace.decision, SHORT_LENGTH)})"
    table = columns("layer", "shape", "norm", "would decide", chance, "", right=("norm", chance))
    for layer in trace.layers:
        top = max(range(len(trace.classes)), key=layer.probabilities.__getitem__)
        shape = " × ".join(map(str, layer.shape))
        share = layer.probabilities[final]
        decided = named(trace.classes[top], limit=SHORT_LENGTH)
        table.add_row(named(layer.name), shape, number(layer.norm, 2), decided, number(share), bar(share, BAR_WIDTH))
    remark = "what the head would decide if it read that layer; norm: of a token, mean"
    return Group(heading("Layers", remark), table)


def _draw_head(trace: PredictionTrace) -> Group:
    table = columns("class", "logit", "softmax", "", right=("logit", "softmax"))
    ranked = sorted(range(len(trace.classes)), key=lambda index: -trace.probabilities[index])
    for index in ranked[:MAX_CLASSES_SHOWN]:
        share = trace.probabilities[index]
        table.add_row(named(trace.classes[index]), f"{trace.logits[index]:+.3f}", number(share), bar(share, BAR_WIDTH))
    hidden = len(ranked) - MAX_CLASSES_SHOWN
    more = [Text(f"… {counted(hidden, 'less likely class', 'less likely classes')}", "dim")] if hidden > 0 else []
    return Group(heading("Head"), table, *more)


def _decision_line(trace: PredictionTrace) -> Text:
    line = Text("Decision   ", "bold").append(one_line(trace.decision, NAME_LENGTH), "bold reverse")
    if trace.threshold is None or trace.positive is None:
        return line.append("   the class with the largest probability; no threshold is stored with this model")
    share = trace.probabilities[trace.classes.index(trace.positive)]
    side = "≥" if share >= trace.threshold else "<"
    return line.append(
        f"   p({one_line(trace.positive, SHORT_LENGTH)}) = {share:.3f} {side} {trace.threshold:.3f}, the stored threshold"
    )
