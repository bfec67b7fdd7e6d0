"""``run.json``: everything known about one run."""

from dataclasses import dataclass, field
from typing import Any

from pretune.configs import ConverseRunConfig, RunConfig
from pretune.records.base import SCHEMA, Record
from pretune.records.converse import ChatFacts
from pretune.records.corpus import CorpusReceipt, TokenizerQuality
from pretune.records.data import More, Receipt, Sample, TokenCounts
from pretune.records.figures import Calibration, Comparison, Confusion, Mistake, Score, Slice, SourceChoice, ThresholdChoice
from pretune.records.judgement import Finding, Verdict
from pretune.records.pretraining import PretrainHistory, PretrainingProof
from pretune.records.training import BudgetChoice, Change, History, SeedSpread


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(Record):
    """``run.json``: all that is known of one run; the report is drawn from it and ``trace.jsonl`` alone."""

    schema: int = SCHEMA
    run: str  # name of the folder
    status: str  # "started", "diverged", "trained", "judged"
    task: str = "classify"
    command: str = ""
    identity: str = ""  # digest of the inputs: what "the same command" means
    inputs: dict[str, str] = field(default_factory=dict)  # command, data, contents of its files and every setting, as text
    failure: str = ""  # why there is no model, where training diverged
    created: str = ""  # ISO 8601, UTC
    data_source: str = ""
    model_source: str = ""
    model_licence: str | None = None
    device: str = ""  # "cpu, 2 threads, bf16"
    configs: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    positive: str | None = None
    receipt: Receipt | None = None
    more: tuple[More, ...] = ()  # further rows that were sealed with the first ones (``judge --more``)
    sample: Sample | None = None  # of the judged rows; None: judged by rules under which every row counts
    pretraining: PretrainHistory | None = None  # of the model that was fine-tuned; of this run in ``pretrain``
    tokenizer: TokenizerQuality | None = None
    corpus: CorpusReceipt | None = None  # what it was pre-trained on
    language: tuple[Score, ...] = ()  # where a checkpoint was continued: its figures on text before and after
    history: History | None = None
    changes: tuple[Change, ...] = ()  # where training was resumed after a change (--continue-changed)
    token_counts: tuple[TokenCounts, ...] = ()
    scores: tuple[Score, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    slices: tuple[Slice, ...] = ()  # the worst first
    mistakes: tuple[Mistake, ...] = ()  # the most confident first
    findings: tuple[Finding, ...] = ()
    verdict: Verdict | None = None
    calibration: Calibration | None = None
    threshold: ThresholdChoice | None = None
    chosen: SourceChoice | None = None  # --choose best; None: the fine-tuned model was judged
    has_folded_threshold: bool = False  # the saved output layer holds it, and the largest class is its answer
    budget: BudgetChoice | None = None
    seeds: SeedSpread | None = None  # where several were trained
    proof: PretrainingProof | None = None  # --prove-pretraining
    chat: ChatFacts | None = None  # of a run on conversations
    look: int | None = None
    ledger_head: str | None = None  # hash of the ledger entry of this run's last opening
    first_known_look: bool | None = None  # True where the ledger began with it, so that earlier ones are not known
    digests: dict[str, str] = field(default_factory=dict)  # SHA-256 of every file of the run that lies still
    heads: dict[str, str] = field(default_factory=dict)  # of files that grow: the digest of the last line
    pending: dict[str, str] = field(default_factory=dict)  # of files that are being replaced: what they will have, if known
    seconds: dict[str, float] = field(default_factory=dict)  # by stage

    @property
    def judged_source(self) -> str:
        """Whose predictions are judged, and who answers for the run."""
        return self.chosen.source if self.chosen is not None else "finetuned"

    @property
    def settings(self) -> RunConfig:
        """The settings of a classification, typed; the defaults where the record has none.

        Raises:
            UsageError: They are of another version, or damaged.
        """
        return RunConfig.from_json(self.configs) if self.task == "classify" else RunConfig()

    @property
    def chat_settings(self) -> ConverseRunConfig:
        """The settings of a run on conversations, typed.

        Raises:
            UsageError: They are of another version, or damaged.
        """
        return ConverseRunConfig.from_json(self.configs)

    def setting(self, section: str, name: str) -> Any:
        """Return one setting as the file has it, for showing; ``None`` where it has none."""
        found = self.configs.get(section)
        return found.get(name) if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Record):
    """Whether every file of a place is what was written."""

    schema: int = SCHEMA
    place: str
    kind: str  # "classify", "pretrain", "model", "corpus", ...
    num_files: int
    differences: tuple[str, ...] = ()  # one line for each file that differs
    no_digest: tuple[str, ...] = ()  # files that nothing vouches for
    notes: tuple[str, ...] = ()
