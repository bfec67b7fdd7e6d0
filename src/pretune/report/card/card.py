"""The model card, ``README.md``: what a stranger must know before using the model."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pretune.records import RunRecord, Severity, SourceChoice
from pretune.report.card.use import Place, tell_use
from pretune.report.figures import MAX_CLASSES, FigureTable, arrange_scores
from pretune.report.receipts import describe_needed, describe_receipt, describe_sample
from pretune.report.timeline import describe_change
from pretune.report.words import (
    FIRST_KNOWN,
    MARKS,
    OUTCOMES,
    UNDEFINED,
    describe_changes,
    number,
    one_line,
    percent,
    sort_findings,
    span,
)
from pretune.wording.counts import counted

OF_A_RUN = Place()
MAX_TEXT = 400  # characters of any one text of the user

# Characters that mean something to Markdown in the middle of a line, or to the HTML that it may hold; and what hubs make
# a link of by itself: addresses and the names of people.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def escape(text: str, limit: int = MAX_TEXT) -> str:
    r"""Make any text fit for Markdown: one line, at most ``limit`` characters, and shown as it is.

    Example:
        >>> escape("<b>*[a](b)*")
        '\\<b\\>\\*\\[a\\](b)\\*'
    """
    return _SPECIAL.sub(r"\\\1", one_line(text, limit))


def render_card(record: RunRecord, place: Place = OF_A_RUN) -> str:
    """Return the model card of a run as Markdown.

    Args:
        record: The run.
        place: Where the model is for who reads the card.
    """
    sections = (
        ("", _introduce(record)),
        ("Verdict", tell_verdict(record)),
        ("Figures", tell_figures(record)),
        ("Data", tell_data(record)),
        ("How to use it", tell_use(record, place)),
        ("Limits", _tell_limits(record)),
        ("Licence and source", tell_licences(record)),
    )
    return joined(record, sections)


def joined(record: RunRecord, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return the sections that have lines under their titles, below the name of the run."""
    parts = [f"# {escape(record.run)}"]
    for title, lines in sections:
        text = "\n".join(lines)
        if text:
            parts.append(f"## {title}\n\n{text}" if title else text)
    return "\n\n".join(parts) + "\n"


def _introduce(record: RunRecord) -> Iterator[str]:
    """Say what it is: the front section, without YAML, so that it reads the same everywhere."""
    classes = [escape(name) for name in record.classes[:MAX_CLASSES]]
    more = len(record.classes) - MAX_CLASSES
    named = ", ".join(classes) + (f" and {more} more" if more > 0 else "")
    yield f"A text classifier made by pretune from {escape(record.model_source)} and {escape(record.data_source)}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| verdict | {OUTCOMES[record.verdict.outcome] if record.verdict else 'none yet: the test is sealed'} |"
    yield f"| classes | {named or UNDEFINED} |"
    if record.positive is not None:
        yield f"| positive class | {escape(record.positive)} |"
    if record.chosen is not None:
        yield f"| model that was judged | {escape(_say_choice(record.chosen))} |"
    choice = record.threshold if record.judged_source == "finetuned" else None
    if choice is not None and choice.threshold is not None:
        chosen = f"chosen on {escape(choice.split)} rows for {escape(choice.goal)}"
        yield f"| decided for it | from a probability of {choice.threshold:g} on, {chosen} |"
    trained = _tell_trained(record)
    if trained:
        yield f"| trained | {trained} |"
    if record.pretraining is not None:
        yield f"| pre-trained | {escape(describe_change(record.pretraining))} |"
    yield f"| made | {escape(record.created)}, {escape(record.device)} |"
    if record.changes:
        yield f"| **resumed after a change** | {escape(describe_changes(record.changes))} |"


def _say_choice(chosen: SourceChoice) -> str:
    figures = ", ".join(f"{source} {value:.3f}" for source, value in chosen.values.items())
    return f"{chosen.source}, chosen on {chosen.num_examples:,} validation rows by {chosen.metric}: {figures}"


def _tell_trained(record: RunRecord) -> str:
    """Say how many weights were trained, and with LoRA that it was so."""
    history, rank = record.history, record.setting("finetune", "lora")
    if history is None or not history.num_weights or history.num_trained_weights is None:
        return ""
    how = f"LoRA of rank {rank}, merged into the weights, and the head: " if rank else ""
    share = percent(history.num_trained_weights, history.num_weights)
    return f"{how}{history.num_trained_weights:,} weights, {share} of the model’s {history.num_weights:,}"


def tell_verdict(record: RunRecord) -> Iterator[str]:
    """Yield the verdict, its reasons, and what the figures rest on."""
    verdict = record.verdict
    if verdict is None:
        return
    yield f"**{OUTCOMES[verdict.outcome]}.** {escape(verdict.summary)}"
    yield ""
    for reason in sorted(verdict.reasons, key=lambda reason: (False, None, True).index(reason.holds)):
        yield f"- {MARKS[reason.holds]} {escape(reason.text)}"
    yield ""
    rows = escape(describe_needed(verdict))
    reading = f"Plain reading: {escape(verdict.plain_reading)}." if verdict.plain_reading else ""
    first = f" ({FIRST_KNOWN})" if record.first_known_look else ""
    sample = describe_sample(record.sample)
    yield " ".join(
        filter(
            None,
            (
                sample and f"Test: {sample}.",
                rows and f"Rows needed: {rows}.",
                reading,
                f"Look {verdict.look} at these test rows{first}.",
            ),
        )
    )


def tell_figures(record: RunRecord) -> Iterator[str]:
    """Yield a table of figures for each split."""
    for figures in arrange_scores(record.scores, positive=record.positive, max_classes=MAX_CLASSES):
        yield from _figure_table(figures)


def _figure_table(figures: FigureTable) -> Iterator[str]:
    sure = "" if figures.confidence is None else f", {percent(figures.confidence)} intervals"
    yield f"{escape(figures.split).capitalize()}, {counted(figures.num_examples, 'row')}{sure}:"
    yield ""
    yield f"| | {' | '.join(map(escape, figures.sources))} |"
    yield f"|---|{'---|' * len(figures.sources)}"
    for row in figures.rows:
        cells = (
            UNDEFINED if cell is None else f"{number(cell.value)} {span(cell.low, cell.high)}".strip() for cell in row.cells
        )
        yield f"| {escape(row.name)} | {' | '.join(cells)} |"
    yield ""


def tell_data(record: RunRecord) -> Iterator[str]:
    """Yield what became of the rows."""
    for name, lines in describe_receipt(record.receipt) if record.receipt else ():
        if name != "licence":
            yield f"- {name}: {'; '.join(map(escape, lines))}"


def _tell_limits(record: RunRecord) -> Iterator[str]:
    yield "The figures hold only for texts like the test rows, sampled in the same way."
    cuts = next((item for item in record.token_counts if item.num_cut_texts), None)
    if cuts is not None:
        share = percent(cuts.num_cut_texts, cuts.num_texts)
        yield f"Texts are truncated at {cuts.max_length} tokens: {share} of the {escape(cuts.split)} texts were."
    checked, skipped = sort_findings(record.findings)
    yield ""
    for finding in checked:
        if finding.severity in (Severity.BLOCKING, Severity.WARNING):
            yield f"- {finding.severity.value}: {escape(finding.summary)}"
    for finding in skipped:
        yield f"- not checked: {escape(finding.check)}, {escape(finding.summary)}"


def tell_licences(record: RunRecord) -> Iterator[str]:
    """Yield where model and data come from, and under which licence."""
    rows: Sequence[tuple[str, str, str | None]] = (
        ("starting model", record.model_source, record.model_licence),
        ("data", record.data_source, record.receipt.licence if record.receipt else None),
    )
    for what, source, licence in rows:
        yield f"- {what}: {escape(source)}; licence: {escape(licence or 'not stated by the source')}"
    yield f"- made with: {', '.join(f'{escape(name)} {escape(version)}' for name, version in record.versions.items())}"
