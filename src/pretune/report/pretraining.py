"""What a pre-training run leaves for people: its report, and the model card of the language model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pretune.records import CorpusReceipt, PretrainHistory, RunRecord, TokenizerQuality
from pretune.report.card.card import OF_A_RUN, escape
from pretune.report.card.use import MODEL, Place
from pretune.report.corpus import describe_corpus
from pretune.report.page.html import render_page
from pretune.report.page.parts import list_parts
from pretune.report.page.sections import build_sections
from pretune.report.timeline import OBJECTIVES, describe_change, guess_rows, thin, timeline_rows
from pretune.report.words import duration, number, percent

CARD_ROWS = 10  # milestones in the card's table


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands at the top of the report."""

    what: str
    outcome: str
    change: str
    rows: tuple[tuple[str, str], ...]


def render_pretraining(record: RunRecord, events: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the report of a pre-training run as one HTML document: ``report.html``.

    Args:
        record: The run; ``pretraining`` holds its milestones, ``tokenizer`` how the vocabulary fits, ``corpus`` what it read.
        events: The lines of ``trace.jsonl``, decoded.
    """
    sections = build_sections(record, events)
    parts = list_parts(record, sections)
    return render_page("pretraining.html.jinja", record, sections, parts, summary=summarize(record))


def render_pretraining_card(record: RunRecord, place: Place = OF_A_RUN) -> str:
    """Return the model card of a pre-training run as Markdown, ``README.md``; arguments as for ``render_card``."""
    sections = (
        ("", _introduce(record)),
        ("How it learned", _tell_learning(record.pretraining)),
        ("Guesses over time", _tell_guesses(record.pretraining)),
        ("Vocabulary", _tell_vocabulary(record.tokenizer)),
        ("Corpus", _tell_corpus(record.corpus)),
        ("How to use it", _tell_use(record, place)),
        ("Limits", _tell_limits()),
        ("Licence and source", _tell_licences(record)),
    )
    parts = [f"# {escape(record.run)}"]
    for title, lines in sections:
        text = "\n".join(lines)
        if text:
            parts.append(f"## {title}\n\n{text}" if title else text)
    return "\n\n".join(parts) + "\n"


def summarize(record: RunRecord) -> Summary:
    """Say what was trained, what it came to, and where the model is."""
    history = record.pretraining or PretrainHistory(objective="")
    rows = [("the model", f"{MODEL} in this folder; it loads in plain transformers")]
    rows += [("next", "pretune run DATA --model FOLDER, with this folder, fine-tunes it")]
    if history.num_weights:
        rows += [("weights", f"{history.num_weights:,}")]
    if history.milestones:
        seconds = history.milestones[-1].seconds
        rate = f", {history.num_tokens / seconds:,.0f} tokens per second" if seconds > 0 else ""
        rows += [("training", f"{history.num_tokens:,} tokens in {duration(seconds)}{rate}")]
        rows += [("last observation", history.milestones[-1].observation)]
    return Summary(
        what=describe_model(record),
        outcome="Diverged" if record.status == "diverged" else "Pre-trained" if history.milestones else "Not trained yet",
        change=record.failure or describe_change(history),
        rows=tuple((name, words) for name, words in rows if words),
    )


def describe_model(record: RunRecord) -> str:
    """Say in a phrase what was pre-trained, and from where."""
    history = record.pretraining
    guesses = (
        f"a language model that guesses {OBJECTIVES.get(history.objective, history.objective)}"
        if history
        else "a language model"
    )
    start = history.started_from if history is not None else ""
    return f"{guesses}, {f'continued from {start}' if start else 'from scratch'}"


def _introduce(record: RunRecord) -> Iterator[str]:
    said = escape(describe_model(record))
    yield f"{said[:1].upper()}{said[1:]}, made by pretune from {escape(record.data_source)}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, words in summarize(record).rows[2:]:
        yield f"| {name} | {escape(words)} |"
    yield f"| made | {escape(record.created)}, {escape(record.device)} |"


def _tell_learning(history: PretrainHistory | None) -> Iterator[str]:
    if history is None or not history.milestones:
        return
    said = describe_change(history)
    yield f"{said[:1].upper()}{said[1:]}."
    yield ""
    yield "| after | training loss | held-out loss | accuracy | perplexity | observation |"
    yield "|---|---|---|---|---|---|"
    for row in thin(timeline_rows(history, None), CARD_ROWS):
        figures = (number(row.training_loss), number(row.loss), number(row.accuracy), number(row.perplexity, 1))
        yield f"| {row.place} | {' | '.join(figures)} | {escape(row.observation)} |"
    if history.stopped_because:
        yield from ("", f"Stopped: {escape(history.stopped_because)}.")


def _tell_guesses(history: PretrainHistory | None) -> Iterator[str]:
    for prompt, rows in guess_rows(history) if history is not None else ():
        yield f"{escape(prompt)}:"
        yield ""
        for place, guesses in (rows[0], rows[-1]) if len(rows) > 1 else rows:
            yield f"- after {place}: {escape(guesses)}"
        yield ""


def _tell_vocabulary(quality: TokenizerQuality | None) -> Iterator[str]:
    if quality is None:
        return
    yield f"{escape(quality.kind)}, {quality.vocab_size:,} tokens."
    yield ""
    yield "| text | bytes per token | tokens per word | unknown tokens | words in 4 pieces or more |"
    yield "|---|---|---|---|---|"
    for fit in quality.fits:
        shares = f"{percent(fit.unknown_share)} | {percent(fit.split_share)}"
        yield f"| {escape(fit.name)} | {number(fit.bytes_per_token, 2)} | {number(fit.tokens_per_word, 2)} | {shares} |"
    if quality.warning:
        yield from ("", f"Warning: {escape(quality.warning)}.")


def _tell_corpus(receipt: CorpusReceipt | None) -> Iterator[str]:
    for name, lines in describe_corpus(receipt) if receipt is not None else ():
        if name != "licence":
            yield f"- {name}: {'; '.join(map(escape, lines))}"


def _tell_use(record: RunRecord, place: Place) -> Iterator[str]:
    is_causal = record.pretraining is not None and record.pretraining.objective == "causal"
    task, prompt = ("text-generation", "the sun rises in") if is_causal else ("fill-mask", "the sun rises in the [MASK]")
    yield "Fine-tune it on a table of labelled texts:"
    yield from place.tell_download()
    yield from ("", "```sh", f"pretune run DATA --model {place.folder}", "```", "")
    yield "It loads in plain transformers as well:"
    yield from ("", "```python", "from transformers import pipeline", "")
    yield place.fit(f'pipeline("{task}", model="{MODEL}")("{prompt}")')
    yield "```"


def _tell_limits() -> Iterator[str]:
    yield "It has learned to guess words of text like its corpus. Whether that helps a task is not shown here; fine-tuning and"
    yield "its verdict show it. What it writes or guesses may be wrong, and repeats the prejudices of its corpus."


def _tell_licences(record: RunRecord) -> Iterator[str]:
    start = record.pretraining.started_from if record.pretraining is not None else ""
    if start:
        yield f"- starting model: {escape(start)}; licence: {escape(record.model_licence or 'not stated by the source')}"
    licence = record.corpus.licence if record.corpus is not None else None
    yield f"- corpus: {escape(record.data_source)}; licence: {escape(licence or 'not stated by the source')}"
    yield f"- made with: {', '.join(f'{escape(name)} {escape(version)}' for name, version in record.versions.items())}"
