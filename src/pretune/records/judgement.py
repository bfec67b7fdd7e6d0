"""Records of the judgement: evidence, findings, reasons, verdict."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pretune.records.base import SCHEMA, Record
from pretune.records.corpus import CorpusSketch, TokenizerFit
from pretune.records.data import Copies, Example, Receipt, TokenCounts
from pretune.records.figures import Score
from pretune.records.predictions import Predictions
from pretune.records.shown import Grid, Showable, Shown, Tabular, listed
from pretune.records.terms import RULES
from pretune.records.training import Change, History


class Severity(StrEnum):
    """How much a finding weighs."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    BLOCKING = "blocking"
    UNKNOWN = "unknown"  # should have run and could not
    NOT_APPLICABLE = "not_applicable"  # the question does not arise


class Outcome(StrEnum):
    """What a verdict says."""

    SHIP = "ship"
    DO_NOT_SHIP = "do_not_ship"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past(Record):
    """What the model had learned from before this training, as far as the test is concerned (``data/seal/learned.py``)."""

    num_texts: int  # distinct texts of earlier trainings by pretune
    bases: tuple[str, ...] = ()  # general checkpoints that it began from, whose texts nobody lists
    corpora: tuple[str, ...] = ()  # of pre-trainings by pretune; their sketches are asked on their own
    unknown: tuple[str, ...] = ()  # why part of the past is not known; empty where all is
    exact: tuple[str, ...] = ()  # fingerprints of test texts that are among them
    near: tuple[str, ...] = ()  # of further test texts that are nearly one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Record):
    """All that judges may read. Each part may be absent."""

    schema: int = SCHEMA
    task: str = "classify"
    classes: tuple[str, ...] = ()
    positive: str | None = None  # None: figures are macro averages
    train: tuple[Example, ...] = ()
    validation: tuple[Example, ...] = ()
    test: tuple[Example, ...] = ()
    predictions: tuple[Predictions, ...] = ()
    history: History | None = None
    receipt: Receipt | None = None
    token_counts: tuple[TokenCounts, ...] = ()
    vocabulary: TokenizerFit | None = None  # how the one of the model that is to be trained takes the training texts
    corpus: CorpusSketch | None = None
    past: Past | None = None
    language: tuple[Score, ...] = ()  # of the language model on text, before and after pre-training: splits domain, general
    changes: tuple[Change, ...] = ()
    copies: Copies | None = None  # within test and validation
    rules: int = RULES  # by which the checks judge
    votes: tuple[str, ...] = ()  # columns with what several annotators said, as the user named them

    def find(self, split: str, source: str) -> Predictions | None:
        """Return the predictions of ``source`` on ``split``, or ``None``."""
        matches = (p for p in self.predictions if p.split == split and p.source == source)
        return next(matches, None)

    def has_texts(self, *splits: str) -> bool:
        """Whether all of these splits came with texts."""
        return all(any(example.text for example in getattr(self, split)) for split in splits)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Finding(Showable, Record):
    """What one check measured."""

    check: str  # "leakage.seen_texts"
    severity: Severity
    summary: str
    measured: float | None = None
    limit: float | None = None
    examples: tuple[str, ...] = ()  # ids of rows that show it
    fix: str = ""

    def shown(self) -> Shown:
        """Show what was measured, the limit, and the fix."""
        against = "" if self.measured is None or self.limit is None else f"measured {self.measured:.3g}, limit {self.limit:.3g}"
        rows = f"rows: {listed(self.examples)}" if self.examples else ""
        lines = tuple(filter(None, (self.summary, against, self.fix and f"fix: {self.fix}", rows)))
        return Shown(
            f"{self.check}: {self.severity.replace('_', ' ')}",
            f"{self.check}, {self.severity}: {self.summary}",
            lines,
            tone=_SEVERE.get(self.severity, ""),
        )

    @classmethod
    def unknown(cls, check: str, why: str) -> "Finding":
        """The check should have run and could not; this is never a pass."""
        return cls(check=check, severity=Severity.UNKNOWN, summary=why)

    @classmethod
    def not_applicable(cls, check: str, why: str) -> "Finding":
        """The question does not arise."""
        return cls(check=check, severity=Severity.NOT_APPLICABLE, summary=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Record):
    """One sentence of a verdict and the record it rests on."""

    kind: str  # "score", "comparison" or "finding"
    name: str  # the name of that record
    holds: bool | None  # True: passed, False: failed, None: open
    text: str
    metric: str | None = None  # of a comparison: which of those between the two sources


NOT_JUDGED = "Not judged:"  # begins what the summary of a verdict on conversations says last


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Verdict(Tabular, Record):
    """The decision, why, and what would settle it."""

    outcome: Outcome
    summary: str  # one sentence for a manager
    reasons: tuple[Reason, ...]
    rows_needed: int | None = None  # further rows; None where none are needed or no number helps
    positives_needed: int | None = None  # about so many of them of the positive class; None where there is no such class
    groups_needed: int | None = None  # about so many further groups they come in; None where no row has a group
    class_rows_needed: dict[str, int | None] = field(default_factory=dict)  # further rows of each class whose floor is open
    rows_needed_note: str = ""
    plain_reading: str = ""  # "good", "bad" or "between", with why
    look: int = 1
    better_source: str | None = None  # held by the run, and proven or plainly better than the judged one on the same rows
    policy: dict[str, Any] = field(default_factory=dict)
    run: str = field(default="", compare=False)  # its folder, where ``judge`` returned it; not kept in a record

    @property
    def report(self) -> Path | None:
        """The page of the run; ``None`` where no run is known."""
        return Path(self.run) / "report.html" if self.run else None

    def to_json(self) -> dict[str, Any]:
        """Return it without the folder: where a run lies is no part of its verdict."""
        return {name: value for name, value in super(Verdict, self).to_json().items() if name != "run"}

    def shown(self) -> Shown:
        """Show the outcome, its reasons with what each of them says, and what would settle it."""
        title = self.outcome.replace("_", " ").upper()
        lines = (
            self.summary,
            self.rows_needed_note and f"rows needed: {self.rows_needed_note}",
            self.plain_reading and f"plain reading: {self.plain_reading}",
            f"look {self.look} at these test rows",
            self.run and f"run: {self.run}; report: {self.report}",
        )
        grid = Grid(("", "reason"), tuple((_MARKS[item.holds], item.text) for item in self.reasons))
        return Shown(title, self.summary, tuple(filter(None, lines)), (grid,), _TONES[self.outcome])

    def grid(self) -> Grid:
        """Return one row for each reason."""
        return Grid.of(self.reasons, "kind", "name", "holds", "text")


_MARKS: dict[bool | None, str] = {True: "✓", False: "✗", None: "?"}
_TONES = {Outcome.SHIP: "good", Outcome.DO_NOT_SHIP: "bad", Outcome.NOT_ENOUGH_EVIDENCE: "open"}
_SEVERE = {Severity.OK: "good", Severity.WARNING: "open", Severity.BLOCKING: "bad", Severity.UNKNOWN: "open"}
