"""The parts of a report below its first screen: in which order, under which heading, and each in one line."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pretune.records import Comparison, RunRecord, Score, Severity
from pretune.report.choices import describe_budget
from pretune.report.conversation import ChatPage
from pretune.report.language import language_rows
from pretune.report.page.sections import Sections
from pretune.report.page.tables import Matrix
from pretune.report.terminal.weak_spots import say_slices
from pretune.report.words import duration, number, percent, span
from pretune.wording.counts import counted

MAX_GIST = 3  # things that a line names


@dataclass(frozen=True, slots=True)
class Part:
    """One folded part of the report."""

    id: str  # where links lead, and the name of its template
    title: str
    gist: str  # what it comes to, in one line
    is_needed: bool = False  # by a reader of the verdict: printed unfolded
    template: str = ""  # where it is not named as the part


def list_parts(record: RunRecord, sections: Sections, num_exports: int = 0) -> tuple[Part, ...]:
    """Return the parts of a report that have something to show: what the verdict rests on, then how the model came about."""
    makers: tuple[Callable[[RunRecord, Sections], Iterator[Part]], ...] = (_of_results, _of_checks, _of_training, _of_run)
    found = [part for make in makers for part in make(record, sections)]
    if num_exports:
        gist = f"{counted(num_exports, 'form')}, each with a verdict of its own"
        place = next(place for place, part in enumerate(found) if part.id == "settings")
        found.insert(place, Part("exports", "Exported forms", gist))
    return tuple(found)


def _of_results(record: RunRecord, sections: Sections) -> Iterator[Part]:
    if sections.figures:
        yield Part("figures", "Figures and baselines", _gist_of_scores(record), is_needed=True)
    for matrix in sections.matrices[:1]:
        name = "Confusion matrix" if matrix.rows else "Most confused pairs"
        yield Part("confusion", name, _gist_of_matrix(matrix), is_needed=True)
    if record.mistakes:
        gist = f"{len(record.mistakes)} wrong answers that the model was surest of"
        yield Part("mistakes", "Most confident mistakes", gist, is_needed=True)
    if sections.slices:
        yield Part("slices", "Slices", say_slices(sections.slices), is_needed=True)
    if record.comparisons and record.scores:
        yield Part("comparisons", "Comparisons on the same rows", _gist_of_pairs(record.comparisons), is_needed=True)
    drawn = sections.probabilities
    if sections.decision or drawn.tradeoff or drawn.calibration:
        gist = dict(sections.decision).get("decides", "")
        yield Part("threshold", "Threshold, trade-off and calibration", f"decides: {gist}" if gist else "", is_needed=True)


def _of_checks(record: RunRecord, sections: Sections) -> Iterator[Part]:
    if record.findings:
        yield Part("findings", "Findings", _gist_of_findings(record, sections), is_needed=True)


def _of_training(record: RunRecord, sections: Sections) -> Iterator[Part]:
    timeline = sections.timeline
    if timeline is not None:
        yield Part("timeline", timeline.title, timeline.remarks[0] if timeline.remarks else "", is_needed=True)
        if language_rows(record.language or record.scores):
            yield Part("language", "The language model before and after", "")
        if timeline.guesses:
            yield Part("guesses", "Guesses over time", counted(len(timeline.guesses), "prompt"))
    if record.tokenizer is not None:
        size = f"{record.tokenizer.kind}, {record.tokenizer.vocab_size:,} tokens"
        yield Part("vocabulary", "Vocabulary", size)
    if record.proof is not None:
        yield Part("proof", "Did pre-training pay off?", record.proof.statement)
    if record.corpus is not None:
        yield Part("corpus", "Corpus", f"{record.corpus.name}: {counted(record.corpus.num_kept, 'document')} kept")
    if record.history is not None:
        yield Part("training", "Training", _gist_of_training(record), is_needed=True)
    if record.budget is not None:
        yield Part("budget", "Budget", dict(describe_budget(record.budget)).get("chosen", ""))
    if record.seeds is not None:
        yield Part("seeds", "Seeds", f"{counted(len(record.seeds.results), 'seed')}; {record.seeds.kept} was kept")
    if record.history is not None and record.history.range_test is not None:
        gist = f"chosen: {record.history.range_test.learning_rate:.2g}"
        yield Part("range-test", "Learning-rate range test", gist)


def _of_run(record: RunRecord, sections: Sections) -> Iterator[Part]:
    if sections.stages:
        seconds = sum(float(stage["seconds"] or 0.0) for stage in sections.stages)
        yield Part("pipeline", "Pipeline", f"{counted(len(sections.stages), 'stage')}, {duration(seconds)}")
    if record.receipt is not None:
        used = f"{counted(record.receipt.num_rows, 'row')}, {record.receipt.num_used:,} used"
        splits = ", ".join(f"{split.name} {split.num_rows:,}" for split in record.receipt.splits)
        yield Part("data", "Data", "; ".join(filter(None, (used, splits))))
    versions = ", ".join(f"{name} {version}" for name, version in list(record.versions.items())[:1])
    yield Part("settings", "Settings and versions", ", ".join(filter(None, (versions, record.device))))


def _gist_of_scores(record: RunRecord) -> str:
    """Name the first shares of the judged source."""
    first = record.scores[0]
    own = [item for item in record.scores if (item.split, item.source) == (first.split, first.source) and _is_share(item)]
    shown = [item for item in own if item.label in (None, record.positive, "macro")] or own
    parts = [f"{item.metric.replace('_', ' ')}{_of(item)} {number(item.value)}" for item in shown[:MAX_GIST]]
    return f"{first.split}: {', '.join(parts)}" if parts else ""


def _of(score: Score) -> str:
    return "" if score.label is None else " (mean)" if score.label == "macro" else f" of {score.label}"


def _is_share(score: Score) -> bool:
    return score.metric in ("accuracy", "precision", "recall", "f1", "chrf") and score.value is not None


def _gist_of_matrix(matrix: Matrix) -> str:
    right = f"{matrix.num_right:,} of {matrix.num_rows:,} rows are right ({percent(matrix.num_right, matrix.num_rows)})"
    if not matrix.confused:
        return right
    pair = matrix.confused[0]
    return f"{pair.first} and {pair.second} most often: {counted(pair.there + pair.back, 'mistake')}"


def _gist_of_pairs(comparisons: tuple[Comparison, ...]) -> str:
    first: dict[str, Comparison] = {}
    for item in comparisons:
        first.setdefault(item.b, item)
    shown = list(first.values())[:MAX_GIST]
    parts = [f"{item.difference:+.3f} over {item.b} ({span(item.low, item.high, signed=True) or '—'})" for item in shown]
    return f"{shown[0].metric.replace('_', ' ')}: {', '.join(parts)}"


def _gist_of_findings(record: RunRecord, sections: Sections) -> str:
    counts = [(severity, sum(item.severity is severity for item in record.findings)) for severity in Severity]
    words = {Severity.BLOCKING: "blocking", Severity.WARNING: "warning", Severity.NOTE: "note", Severity.OK: "passed"}
    parts = [
        f"{count} {words[severity]}{'s' if count > 1 and severity in (Severity.WARNING, Severity.NOTE) else ''}"
        for severity, count in sorted(counts, key=lambda pair: list(words).index(pair[0]) if pair[0] in words else 9)
        if count and severity in words
    ]
    if sections.checks.unknown:
        parts.append(f"{len(sections.checks.unknown)} could not run")
    return ", ".join(parts)


def _gist_of_training(record: RunRecord) -> str:
    history = record.history
    if history is None or not history.validations:
        return ""
    kept = next((item for item in history.validations if item.epoch == history.best_epoch), history.validations[-1])
    said = f"validation loss {number(kept.loss)}, accuracy {number(kept.accuracy)}" if kept.accuracy is not None else ""
    return f"{counted(len(history.validations), 'epoch')}; epoch {kept.epoch} kept: {said}"


def list_chat_parts(record: RunRecord, sections: Sections, chat: ChatPage, num_asked: int) -> tuple[Part, ...]:
    """Return the parts of a report on conversations."""
    makers = (_of_checks, _of_training, _of_run)
    return (*_of_replies(record, chat, num_asked), *(part for make in makers for part in make(record, sections)))


def _of_replies(record: RunRecord, chat: ChatPage, num_asked: int) -> Iterator[Part]:
    if chat.figures:
        yield Part("figures", "Figures", counted(chat.num_questions, "test question"), True, "chat_figures")
    if chat.gains:
        yield Part("gains", "Against each rival, on the same questions", "", True, "chat_gains")
    if num_asked:
        yield Part("why", "Why fine-tune, and at what price", "", True, "chat_why")
    if record.chat is not None and record.chat.samples:
        yield Part("samples", "What each source replied", "", True, "chat_samples")
    if record.chat is not None and record.chat.safety:
        asked = counted(len(record.chat.safety[0].questions), "question")
        yield Part(
            "safety", "Questions that need care", f"{asked}: nobody has judged the replies, read them", template="chat_safety"
        )


def evidence_links(record: RunRecord, sections: Sections, parts: Sequence[Part]) -> dict[tuple[str, str], str]:
    """Return where the evidence of a reason stands: by its kind and the name of its record; by kind alone where it has none."""
    ids = {part.id for part in parts}
    kinds = {"score": "figures", "comparison": "gains" if "gains" in ids else "figures", "slice": "slices", "review": "samples"}
    links = {(kind, ""): place for kind, place in kinds.items() if place in ids}
    for section in reversed(sections.figures):
        rows = [(row.main, row.anchor) for row in section.rows]
        rows += [(score, row.anchor) for row in section.classes for score in row.figures]
        links |= {("score", score.name): anchor for score, anchor in rows if score is not None}
    for place, item in reversed(list(enumerate(record.comparisons))) if "comparisons" in ids else ():
        links[("comparison", item.name)] = links[("comparison", f"{item.name} {item.metric}")] = f"comparison-{place}"
    groups = (sections.checks.alarming, sections.checks.passed, sections.checks.unknown)
    for group in (*groups, *(checks for _, checks in sections.checks.not_asked)):
        links |= {("finding", placed.finding.check): placed.anchor for placed in group}
    return links
