"""What a run on conversations has to show, as words: figures by source, gains over rivals, what was forgotten."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pretune.records import Comparison, RunRecord, Score

# Figures in the order in which they are shown: what each is called, and how its values are written.
FIGURES = (
    ("chrf", "chrF", "points"),
    ("bleu", "BLEU", "points"),
    ("loss", "Loss of the reference, nats per token", "plain"),
    ("bits_per_byte", "Bits per byte", "plain"),
    ("exact", "Exact answers", "share"),
    ("subject", "Names the subject", "share"),
    ("ended", "Ended by itself", "share"),
    ("loops", "Loops", "share"),
    ("copied", "Copies training", "share"),
    ("empty", "Empty", "share"),
    ("length_ratio", "Length beside the reference", "plain"),
)
NAMES = {"finetuned": "fine-tuned"}
FORGETTING = "forgetting"
ASIDE = "validation"  # the split on which the judged model is asked in other forms
BITS = {"chat-int4": "4 bits", "chat-int8": "8 bits"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPage:
    """Figures of a run on conversations, in words.

    Args:
        names: What sources are called, where not as in the record.
        sources: Of the columns.
        figures: Name, and the value and interval of each source.
        gains: Rival, figure, difference, its interval, and p.
        methods: Figure, and how it is counted.
        forgetting: One sentence for each kind of text.
        forms: One sentence for each form of the judged model with fewer bits per weight.
        num_questions: Of the test.
        confidence: Of the intervals.
    """

    names: dict[str, str]
    sources: tuple[str, ...]
    figures: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    gains: tuple[tuple[str, str, str, str, float | None], ...]
    methods: tuple[tuple[str, str], ...]
    forgetting: tuple[str, ...]
    forms: tuple[str, ...]
    num_questions: int
    confidence: float


def describe_chat(record: RunRecord) -> ChatPage:
    """Return what the report, the card and the terminal show of the figures of a run."""
    gains = tuple(_gain(item) for item in record.comparisons if item.split != ASIDE)
    page = describe_scores([score for score in record.scores if score.split != ASIDE])
    return replace(page, gains=gains, forms=tuple(_describe_forms(record.comparisons)))


def describe_scores(scores: Sequence[Score]) -> ChatPage:
    """Return what there is to show of figures of replies."""
    test = [score for score in scores if score.metric != FORGETTING]
    sources = [name for name in dict.fromkeys(score.source for score in test) if name != "reference"]
    known = {(score.source, score.metric): score for score in test}
    main = sources[0] if sources else ""
    figures = []
    for metric, name, kind in FIGURES:
        cells = [known.get((source, metric)) for source in sources]
        if any(cell is not None and cell.value is not None for cell in cells):
            figures.append((name, tuple(_cell(cell, kind) for cell in cells)))
    methods = [(name, known[main, metric].method) for metric, name, _ in FIGURES if (main, metric) in known]
    return ChatPage(
        names=NAMES,
        sources=tuple(NAMES.get(name, name) for name in sources),
        figures=tuple(figures),
        gains=(),
        methods=tuple(methods),
        forgetting=tuple(_forgotten(score) for score in scores if score.metric == FORGETTING),
        forms=(),
        num_questions=test[0].num_examples if test else 0,
        confidence=test[0].confidence if test else 0.95,
    )


def _cell(score: Score | None, kind: str) -> tuple[str, str]:
    if score is None or score.value is None:
        return "–", ""
    return _say(score.value, kind), _span(score.low, score.high, kind)


def _gain(item: Comparison) -> tuple[str, str, str, str, float | None]:
    name, kind = next(((name, kind) for metric, name, kind in FIGURES if metric == item.metric), (item.metric, "plain"))
    reach = _reach(item, kind)
    return NAMES.get(item.b, item.b), name, _say(item.difference, kind, signed=True), reach, item.p_value


def _describe_forms(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield what each form with fewer bits costs, one sentence a form."""
    for form, bits in BITS.items():
        found = {item.metric: item for item in comparisons if (item.split, item.a) == (ASIDE, form)}
        if not found:
            continue
        said = [_beside(found[metric], name, kind) for metric, name, kind in FIGURES if metric in found]
        number, flag = next(iter(found.values())).num_examples, form.partition("-")[2]
        yield f"With {bits} per weight (`pretune chat --{flag}`), on {number} validation questions: {'; '.join(said)}."


def _beside(item: Comparison, name: str, kind: str) -> str:
    """Say one figure of a form, and that of the judged model."""
    reach = _reach(item, kind)
    difference = _say(item.difference, kind, signed=True) + (f", {reach}" if reach else "")
    short = name.partition(" of the")[0] if kind == "plain" else name
    return f"{short} {_say(item.value_a, kind)} in place of {_say(item.value_b, kind)} ({difference})"


def _reach(item: Comparison, kind: str) -> str:
    """Say the interval of a difference; that of two shares ends at -100 and 100 %, whatever an approximation gives."""
    low, high = item.low, item.high
    if kind == "share" and low is not None and high is not None:
        low, high = max(low, -1.0), min(high, 1.0)
    return _span(low, high, kind, signed=True)


def _forgotten(score: Score) -> str:
    if score.value is None:
        return f"What was forgotten of {score.split} is not known: {score.method}."
    reach = _span(score.low, score.high, "share", signed=True)
    said = f" ({reach})" if reach else ""
    what = "general text" if score.split == "general" else score.split
    return f"Loss on {what}: {_say(score.value, 'share', signed=True)}{said}."


def _span(low: float | None, high: float | None, kind: str, *, signed: bool = False) -> str:
    if low is None or high is None:
        return ""
    between = " to " if signed else "–"
    return _say(low, kind, signed=signed) + between + _say(high, kind, signed=signed)


def _say(value: float, kind: str, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if kind == "share":
        return f"{100 * value:{sign}.1f} %"
    return f"{value:{sign}.1f}" if kind == "points" else f"{value:{sign}.2f}"
