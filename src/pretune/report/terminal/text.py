"""The outcome of a run, drawn for a terminal: verdict, figures, findings and the data receipt."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pretune.records import (
    Comparison,
    Confusion,
    Finding,
    Outcome,
    Receipt,
    RunComparison,
    RunRecord,
    Sample,
    Score,
    SeedSpread,
    Severity,
    Verdict,
)
from pretune.report.figures import MAX_CLASSES, FigureTable, absent_classes, arrange_scores, list_mistakes
from pretune.report.receipts import describe_needed, describe_receipt, describe_sample
from pretune.report.terminal.drawing import NAME_LENGTH, SHORT_LENGTH, columns, heading, indent, named, pairs, plain, stack
from pretune.report.terminal.proof import draw_proof
from pretune.report.terminal.weak_spots import draw_mistakes, draw_slices
from pretune.report.threshold import draw_threshold
from pretune.report.words import (
    FIRST_KNOWN,
    MARKS,
    OUTCOMES,
    SEVERITY_MARKS,
    UNDEFINED,
    chance,
    number,
    one_line,
    percent,
    sort_findings,
    span,
)
from pretune.wording.counts import counted

OUTCOME_STYLES = {
    Outcome.SHIP: "green",
    Outcome.DO_NOT_SHIP: "red",
    Outcome.NOT_ENOUGH_EVIDENCE: "yellow",
}

MARK_STYLES: dict[bool | None, str] = {True: "green", False: "red", None: "yellow"}

SEVERITY_STYLES = {
    Severity.BLOCKING: "red",
    Severity.WARNING: "yellow",
    Severity.OK: "green",
    Severity.UNKNOWN: "yellow",
}

# A confusion matrix of more classes does not fit 80 columns; the commonest mistakes say more there.
MAX_MATRIX = 6

MAX_FOOTNOTES = 4

LOOKED_AT = ("test", "given")  # splits of which every opening is counted


def draw_run(record: RunRecord) -> Group:
    """Draw the result of a run: figures, comparisons and findings, and the verdict last, where a terminal leaves the eye.

    Once a run is judged the validation figures are left to the report.
    """
    judged = record.verdict is not None
    scores = [score for score in record.scores if score.split == "test" or not judged]
    main = scores[0].source if scores else ""
    shown = [item for item in record.confusions if item.source == main]
    return stack(
        draw_seeds(record.seeds) if record.seeds else None,
        draw_proof(record.proof) if record.proof else None,
        draw_scores(scores, positive=record.positive) if scores else None,
        draw_methods(scores) if record.task == "generate" else None,
        draw_threshold(record),
        *(draw_confusion(confusion) for confusion in shown[:1]),
        draw_comparisons(record.comparisons) if record.comparisons else None,
        draw_slices(record.slices) if record.slices else None,
        draw_mistakes(record.mistakes) if record.mistakes else None,
        draw_findings(record.findings) if record.findings else None,
        draw_verdict(record.verdict, record.sample, first_known_look=bool(record.first_known_look)) if record.verdict else None,
    )


def draw_seeds(spread: SeedSpread) -> Group:
    """Draw the spread over seeds, then each of them: which was kept, which collapsed."""
    metric = spread.metric.replace("_", " ")
    spreads = columns("validation", "mean", "sd", "least", "most", right=("mean", "sd", "least", "most"))
    for item in spread.spreads:
        figures = (item.mean, item.deviation, item.low, item.high)
        spreads.add_row(named(item.metric.replace("_", " ")), *map(number, figures))
    extra = () if metric in ("accuracy", "loss") else (metric,)
    numbers = ("seed", "accuracy", *extra, "loss", "best epoch")
    table = columns(*numbers, "", right=numbers)
    for result in spread.results:
        marks = ("kept" if result.seed == spread.kept else "", "collapsed" if result.has_collapsed else "")
        others = (number(result.metric_value),) if extra else ()
        words = Text(", ".join(filter(None, marks)), "bold")
        table.add_row(str(result.seed), number(result.accuracy), *others, number(result.loss), str(result.best_epoch), words)
    remarks = [f"kept: {spread.rule}"]
    if any(result.has_collapsed for result in spread.results):
        remarks.append(spread.collapse_rule)
    return Group(heading("Seeds"), spreads, Text(), table, *(plain(remark, "dim") for remark in remarks))


def draw_verdict(verdict: Verdict, sample: Sample | None = None, *, first_known_look: bool = False) -> Panel:
    """Draw the outcome, one sentence, and each reason with ✓ (holds), ✗ (fails) or ? (open).

    Args:
        verdict: What was decided.
        sample: What the figures rest on.
        first_known_look: The ledger began with this look, or lost entries, and cannot vouch for the time before.
    """
    style = OUTCOME_STYLES[verdict.outcome]
    reasons = Table.grid(padding=(0, 1))
    for reason in sorted(verdict.reasons, key=lambda reason: (False, None, True).index(reason.holds)):
        reasons.add_row(Text(MARKS[reason.holds], MARK_STYLES[reason.holds]), plain(reason.text))
    body = Group(
        plain(verdict.summary, "bold"),
        Text(),
        reasons,
        Text(),
        _closing_lines(verdict, describe_sample(sample), first_known_look),
    )
    title = Text(f" {OUTCOMES[verdict.outcome]} ", f"bold {style}")
    return Panel(body, title=title, title_align="left", box=ROUNDED, border_style=style, padding=(1, 2))


def _closing_lines(verdict: Verdict, sample: str, first_known_look: bool) -> Table:
    rows = {
        "test": sample,
        "rows needed": describe_needed(verdict),
        "plain reading": verdict.plain_reading,
        "look": f"{verdict.look} at these test rows{f', {FIRST_KNOWN}' if first_known_look else ''}",
    }
    return pairs([(name, value) for name, value in rows.items() if value])


def draw_scores(scores: Sequence[Score], *, positive: str | None = None) -> Group:
    """Draw figures with their intervals, the judged model's beside each baseline's on the same rows."""
    return stack(*map(_draw_figures, arrange_scores(scores, positive=positive, max_classes=MAX_CLASSES)))


def draw_methods(scores: Sequence[Score]) -> Group:
    """Draw how each figure was counted: without its signature a BLEU cannot be compared with another."""
    lines = dict.fromkeys((score.metric, score.method) for score in scores)
    return Group(*(plain(f"{metric}: {method}", "dim") for metric, method in lines))


def _draw_figures(figures: FigureTable) -> Group:
    table = columns(figures.split, *(one_line(source, SHORT_LENGTH) for source in figures.sources))
    for row in figures.rows:
        table.add_row(named(row.name), *map(_score_cell, row.cells))
    notes = dict.fromkeys(one_line(score.method, 2 * NAME_LENGTH) for score in figures.undefined)
    lines = [Text(f"{UNDEFINED} {note}", "dim") for note in list(notes)[:MAX_FOOTNOTES]]
    absent = absent_classes([row.cells[0] for row in figures.rows if row.cells[0] is not None])
    lines += [plain(absent, "dim")] if absent else []
    if figures.num_hidden:
        lines.append(
            Text(f"{counted(figures.num_hidden, 'better class', 'better classes')} not shown; run.json has all", "dim")
        )
    return Group(heading("Figures", _describe_figures(figures)), table, *lines)


def _describe_figures(figures: FigureTable) -> str:
    sure = "" if figures.confidence is None else f", {percent(figures.confidence)} intervals"
    look = f", look {figures.look}" if figures.split in LOOKED_AT else ""
    return f"{figures.split}, {counted(figures.num_examples, 'row')}{sure}{look}"


def _score_cell(score: Score | None) -> Text:
    if score is None:
        return Text()
    bounds = span(score.low, score.high)
    return Text(number(score.value)).append(f" {bounds}" if bounds else "", "dim")


def draw_comparisons(comparisons: Sequence[Comparison]) -> Group:
    """Draw paired differences: both sources on the same rows, and whether the difference can be chance."""
    table = columns("metric", "a", "b", "a − b", "interval", "p", right=("a − b", "p"))
    for item in comparisons:
        a, b = (
            f"{one_line(name, SHORT_LENGTH)} {number(value)}"
            for name, value in ((item.a, item.value_a), (item.b, item.value_b))
        )
        bounds = span(item.low, item.high, signed=True) or UNDEFINED
        table.add_row(
            named(item.metric.replace("_", " ")), Text(a), Text(b), f"{item.difference:+.3f}", bounds, chance(item.p_value)
        )
    methods = "; ".join(dict.fromkeys(item.method for item in comparisons))
    return Group(heading("Comparisons"), table, plain(methods, "dim"))


def draw_preference(found: RunComparison) -> Panel:
    """Draw which of two runs to prefer, and why; what was matched, and which look it was, at the end."""
    preference = found.preference
    style = "green" if preference.is_proven else "yellow"
    lines = [plain(preference.summary, "bold"), Text(), *(plain(f"· {reason}") for reason in preference.reasons)]
    matched = f"{counted(found.num_examples, f'{found.split} row')} of both runs, by id and text"
    look = "" if found.look is None else f"; look {found.look} at these rows, and two models in it"
    lines += [Text(), plain(matched + look, "dim"), *(plain(note, "dim") for note in found.notes)]
    title = Text(f" {one_line(preference.preferred or 'NEITHER', SHORT_LENGTH)} ", f"bold {style}")
    return Panel(Group(*lines), title=title, title_align="left", box=ROUNDED, border_style=style, padding=(1, 2))


def draw_confusion(confusion: Confusion) -> Group:
    """Draw which classes are taken for which; with many classes, the commonest mistakes."""
    remark = f"{confusion.split}, {confusion.source}"
    if len(confusion.classes) > MAX_MATRIX:
        return Group(heading("Commonest mistakes", remark), _mistakes_table(confusion))
    names = [one_line(name, SHORT_LENGTH) for name in confusion.classes]
    table = columns("true \\ predicted", *names, "rows", "right")
    for column in table.columns[1:]:
        column.justify = "right"
    for index, (name, counts) in enumerate(zip(names, confusion.counts, strict=True)):
        cells = [Text(f"{count:,}", "bold" if index == at else "") for at, count in enumerate(counts)]
        right = percent(counts[index], sum(counts)) if sum(counts) else UNDEFINED
        table.add_row(plain(name), *cells, f"{sum(counts):,}", right)
    return Group(heading("Confusion matrix", remark), table)


def _mistakes_table(confusion: Confusion) -> Table:
    table = columns("rows", "true", "predicted", right=("rows",))
    for count, true, predicted in list_mistakes(confusion):
        table.add_row(f"{count:,}", named(true), named(predicted))
    return table


def draw_findings(findings: Sequence[Finding]) -> Group:
    """Draw what was checked, worst first with its fix, then what was not checked and why."""
    checked, skipped = sort_findings(tuple(findings))
    grid = Table.grid(padding=(0, 1))
    for finding in checked:
        grid.add_row(_severity_mark(finding), Group(plain(finding.summary), *_finding_details(finding)))
    parts: list[RenderableType] = [heading("Findings", counted(len(checked), "check made", "checks made")), grid]
    if skipped:
        rows = [(named(finding.check), plain(finding.summary)) for finding in skipped]
        parts += [Text(), heading("Not checked"), indent(pairs(rows))]
    return Group(*parts)


def _severity_mark(finding: Finding) -> Text:
    return Text(SEVERITY_MARKS[finding.severity], SEVERITY_STYLES.get(finding.severity, ""))


def _finding_details(finding: Finding) -> list[RenderableType]:
    if finding.severity in (Severity.OK, Severity.NOTE):
        return []
    rows = f"rows {', '.join(finding.examples[:5])}" if finding.examples else ""
    return [plain(line, "dim") for line in (finding.check, rows, finding.fix and f"fix: {finding.fix}") if line]


def draw_receipt(receipt: Receipt) -> Group:
    """Draw what became of every row, from the files to the splits."""
    files = columns("file", "format", "encoding", "rows", "used", "rejected", right=("rows", "used", "rejected"))
    for file in receipt.files:
        sizes = (f"{file.num_rows:,}", f"{file.num_used:,}", f"{len(file.rejected):,}")
        files.add_row(
            named(file.file),
            named(file.format, limit=SHORT_LENGTH),
            named(file.encoding or UNDEFINED, limit=SHORT_LENGTH),
            *sizes,
        )
    rows = [(name, Group(*map(plain, lines))) for name, lines in describe_receipt(receipt)]
    return Group(heading("Data", receipt.source), files, Text(), pairs(rows))


def draw_list(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Draw a plain table, such as the models and data sets that can be had by name; the last column takes the room."""
    table = columns(*names, wide=names[-1])
    for row in rows:
        table.add_row(*map(plain, row))
    return table
