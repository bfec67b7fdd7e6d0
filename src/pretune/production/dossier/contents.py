"""Contents of a dossier: what the record of a run says under each heading, as plain values; the template lays them out."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pretune.data.seal.openings import read_openings
from pretune.production.dossier.answers import answered
from pretune.production.dossier.questions import QUESTIONS, Question
from pretune.records import Finding, RunRecord
from pretune.report.conversation import ChatPage, describe_chat
from pretune.report.figures import events_of, read_gates
from pretune.report.page.settings import Setting, list_settings
from pretune.report.page.tables import FigureSection, make_figures
from pretune.report.receipts import describe_receipt, describe_sample
from pretune.report.threshold import describe_decision
from pretune.report.words import OUTCOMES, describe_changes, duration, number, percent, sort_findings, span
from pretune.run import RunFolder
from pretune.run.exports import read_exports
from pretune.wording.counts import counted

Facts = tuple[tuple[str, str], ...]
TASKS = {"classify": "sorts texts into classes", "converse": "replies to what people write"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section.

    Args:
        number: Its own, and that of its questions.
        title: Its heading.
        point: Of Annex IV that asks for it.
        facts: Names and what the run knows of them.
        parts: Names of the blocks of the template that follow.
        questions: Each with the paragraphs of its answer; none where it is open.
    """

    number: str
    title: str
    point: str
    facts: Facts = ()
    parts: tuple[str, ...] = ()
    questions: tuple[tuple[Question, list[str]], ...] = ()

    @property
    def is_inner(self) -> bool:
        """Whether it belongs to the section before it."""
        return "." in self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that the template shows.

    Args:
        record: The run.
        sections: In order.
        figures: By split; none of a run on conversations.
        chat: Its figures where it is on conversations.
        stages: Of the trace.
        settings: Those that differ from the defaults, and the rest.
        findings: The worst first.
        looks: Openings of the seal: look, when, by which run.
        digests: File and SHA-256.
        num_open: Questions without an answer.
        fields: Of a model card, and the sections that have them.
        note: What the reader should know of the answers.
    """

    record: RunRecord
    sections: tuple[Section, ...]
    figures: tuple[FigureSection, ...]
    chat: ChatPage | None
    stages: tuple[Mapping[str, Any], ...]
    settings: tuple[Setting, ...]
    findings: tuple[Finding, ...]
    looks: tuple[tuple[str, str, str], ...]
    digests: Facts
    num_open: int
    fields: Facts
    note: str = ""


# Fields of a model card (Mitchell et al., 2019) → sections that have them.
FIELDS: Facts = (
    ("Model details", "1, 2.1, 2.3"),
    ("Intended use", "1"),
    ("Factors", "2.7, 3"),
    ("Metrics", "2.7, 4"),
    ("Evaluation data", "2.4, 2.7"),
    ("Training data", "2.1, 2.4"),
    ("Quantitative analyses", "2.7, 3"),
    ("Ethical considerations", "5, 9"),
    ("Caveats and recommendations", "3, 9"),
)


def build_dossier(
    folder: RunFolder, record: RunRecord, answers: Mapping[str, str], events: Sequence[Mapping[str, Any]], *, note: str = ""
) -> Dossier:
    """Collect a dossier.

    Args:
        folder: The run's.
        record: The run's.
        answers: By the key of their question.
        events: The lines of ``trace.jsonl``, decoded.
        note: What the reader should know of the answers.
    """
    forms = tuple(
        (f"form {item.form}", OUTCOMES[item.verdict.outcome] if item.verdict is not None else "not judged")
        for item in read_exports(folder.path)
    )
    sections = [
        Section(number=number, title=title, point=point, facts=(*facts(record), *(forms if number == "1" else ())), parts=parts)
        for number, title, point, facts, parts in OUTLINE
    ]
    return Dossier(
        record=record,
        sections=tuple(_with_questions(item, answers) for item in sections),
        figures=make_figures(record) if record.task == "classify" else (),
        chat=describe_chat(record) if record.task == "converse" else None,
        stages=tuple(events_of(events, "stage")),
        settings=tuple(sorted(list_settings(record), key=lambda item: item.is_usual)),
        findings=tuple(itertools.chain(*sort_findings(record.findings))),
        looks=tuple((str(item.look), item.time, item.run) for item in read_openings(folder.openings)),
        digests=tuple(sorted(record.digests.items())),
        num_open=sum(question.key not in answers for question in QUESTIONS),
        fields=FIELDS,
        note=note,
    )


def _with_questions(section: Section, answers: Mapping[str, str]) -> Section:
    return replace(section, questions=tuple(answered(answers, section.number)))


def _general(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "what it does", f"{TASKS[record.task]}: a language model, fine-tuned by pretune"
    if record.classes:
        yield (
            "classes",
            ", ".join(record.classes[:40]) + (f" and {len(record.classes) - 40} more" if len(record.classes) > 40 else ""),
        )
    yield "run", f"{record.run}, made {record.created}"
    yield "verdict", f"{OUTCOMES[record.verdict.outcome]}: {record.verdict.summary}" if record.verdict else "none: not judged"
    yield "forms", "a folder of transformers (model/), whose weights are safetensors"
    yield "measured on", record.device
    yield "software", ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield "instructions", "README.md of the run: how to load it, and how it decides"


def _methods(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "starting model", f"{record.model_source}; licence: {record.model_licence or 'not stated by the source'}"
    if record.pretraining is not None:
        yield "pre-training", f"{record.pretraining.num_tokens:,} tokens of text by pretune before fine-tuning"
    if record.corpus is not None:
        yield "corpus", record.corpus.name
    yield "command", record.command


def _choices(record: RunRecord) -> Iterator[tuple[str, str]]:
    history = record.history
    if history is not None:
        yield "learned", f"{len(history.steps):,} updates; the loss is the mean negative log likelihood of the target"
        yield "kept", f"epoch {history.best_epoch}, by {history.monitor.replace('_', ' ')} on validation"
        yield "ended", history.stopped_because
    yield from ((name, words) for name, words in describe_decision(record.threshold, record.calibration))
    if record.chat is not None:
        decoding = record.chat.decoding
        how = f"temperature {decoding.temperature:g}, at most {decoding.max_tokens:,} tokens"
        yield (
            "replies",
            f"{how}, repetition penalty {decoding.repetition_penalty:g}, {decoding.precision}; chosen on validation",
        )
    others = [name for name in dict.fromkeys(score.source for score in record.scores) if name != record.judged_source]
    yield "compared with", ", ".join(others)
    seeds = record.seeds
    yield "seeds", "" if seeds is None else f"{len(seeds.results)} trainings; kept seed {seeds.kept} by {seeds.rule}"


def _computing(record: RunRecord) -> Iterator[tuple[str, str]]:
    history = record.history
    if history is not None and history.num_weights:
        trained = history.num_trained_weights or history.num_weights
        yield "weights", f"{history.num_weights:,}, of which {trained:,} were trained ({percent(trained, history.num_weights)})"
    for item in record.token_counts:
        cut = f"; {percent(item.num_cut_texts, item.num_texts)} of the texts are truncated at {item.max_length} tokens"
        yield f"tokens, {item.split}", f"{item.num_tokens:,} in {counted(item.num_texts, 'text')}{cut}"
    for replies in record.chat.counts if record.chat is not None else ():
        yield f"tokens, {replies.split}", str(replies)
    for name, seconds in record.seconds.items():
        yield f"time, {name}", duration(seconds)
    yield "on", record.device


def _data(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "source", record.data_source
    for name, lines in describe_receipt(record.receipt) if record.receipt is not None else ():
        if name not in ("rejected", "conflicts"):
            yield name, "; ".join(lines)
    for split in record.receipt.splits if record.receipt is not None else ():
        yield f"digest, {split.name}", split.digest


def _oversight(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "what a person sees", "a probability for every class with each answer" if record.task == "classify" else "each reply"


def _testing(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "test", describe_sample(record.sample) or "every row counts alone"
    if record.look is not None:
        first = "" if not record.first_known_look else "; the ledger knows of no look before its own beginning"
        yield "look", f"{record.look} at these rows, counted in a ledger before any figure is shown{first}"
    sure = next((score.confidence for score in record.scores if score.split == "test"), None)
    yield "intervals", "" if sure is None else f"{percent(sure)}; with every further look they grow wider"
    yield "changes while training", describe_changes(record.changes) if record.changes else "none"


def _security(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "files", "weights are safetensors, settings are JSON; no file of the model can run code when it is loaded"
    yield "integrity", f"SHA-256 of {counted(len(record.digests), 'file')} in run.json; `pretune verify` compares them"
    yield (
        "what it learned from",
        "fingerprints of every text travel with the model, so that later tests can be checked against them",
    )


def _capabilities(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "the figures hold for", "texts like those of the test, sampled in the same way, and for no others"
    length = next((item.max_length for item in record.token_counts), record.setting("finetune", "max_length"))
    yield "input", f"text, truncated at {length} tokens" if length else "text"
    worst = record.slices[0] if record.slices else None
    if worst is not None:
        reach = span(worst.low, worst.high)
        yield (
            "weakest slice",
            f"{worst.column} {worst.value}: accuracy {number(worst.accuracy)} ({reach}), others {number(worst.rest)}",
        )
    if record.chat is not None:
        yield "not judged", "whether a reply is true, kind or safe: likeness to a reference is not truth"


def _metrics(record: RunRecord) -> Iterator[tuple[str, str]]:
    policy = record.verdict.policy if record.verdict is not None else {}
    yield "goal", str(policy.get("goal") or "")
    gates = [f"{name} at least {minimum:g}" for name, minimum in read_gates(record.verdict).items()]
    floors = {name: record.setting("judge", name) for name in ("min_class_recall", "min_slice_accuracy", "max_cost")}
    gates += [f"{name.replace('_', ' ')} {value:g}" for name, value in floors.items() if value is not None]
    yield "minimums", "; ".join(gates)
    yield "rule", "the lower end of an interval must reach the minimum; the figure alone proves nothing"


def _risks(record: RunRecord) -> Iterator[tuple[str, str]]:
    counts = {name: sum(item.severity.value == name for item in record.findings) for name in ("blocking", "warning", "unknown")}
    yield "checks", ", ".join(f"{count} {name}" for name, count in counts.items()) + f" of {len(record.findings)}"


def _nothing(record: RunRecord) -> Iterator[tuple[str, str]]:  # noqa: ARG001 - all have one signature
    yield from ()


def _monitoring(record: RunRecord) -> Iterator[tuple[str, str]]:
    if record.task == "classify":
        yield "to compare new texts with the test", f"pretune watch {record.run} NEW.csv"


OUTLINE: tuple[tuple[str, str, str, Any, tuple[str, ...]], ...] = (
    ("1", "The system and what it is for", "1", _general, ()),
    ("2", "How it was made", "2", _nothing, ()),
    ("2.1", "Steps, and what came from others", "2 (a)", _methods, ("stages",)),
    ("2.2", "Design and what was optimised", "2 (b)", _choices, ("settings",)),
    ("2.3", "Architecture and computing", "2 (c)", _computing, ()),
    ("2.4", "Data", "2 (d)", _data, ("files",)),
    ("2.5", "Human oversight", "2 (e)", _oversight, ()),
    ("2.6", "Changes planned from the start", "2 (f)", _nothing, ()),
    ("2.7", "Validation and testing", "2 (g)", _testing, ("looks", "reasons", "figures", "slices")),
    ("2.8", "Security", "2 (h)", _security, ()),
    ("3", "What it can do, and where it falls short", "3", _capabilities, ()),
    ("4", "Why these figures", "4", _metrics, ()),
    ("5", "Risks", "5", _risks, ("findings",)),
    ("6", "Changes over time", "6", _nothing, ()),
    ("7", "Standards", "7", _nothing, ()),
    ("8", "Declaration of conformity", "8", _nothing, ()),
    ("9", "After it goes live", "9", _monitoring, ()),
)
