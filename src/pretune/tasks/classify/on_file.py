"""On file: everything that a judged run's verdict rests on, as its folder has it, for whoever judges again without a look."""

from dataclasses import dataclass, replace

from pretune.data.seal.chain import LedgerEntry
from pretune.data.seal.seal import recall_opening
from pretune.errors import UsageError
from pretune.records import RULES, Copies, CorpusSketch, Evidence, Example, Past, Predictions, RunRecord
from pretune.run import RunFolder
from pretune.tasks.classify.assess import Assessment, Kept, assess, costs_of, evidence_of
from pretune.verdict import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFile:
    """A judged run.

    Args:
        record: Its record.
        policy: That it was judged by.
        splits: Its rows, those of the test included.
        predictions: Of every source on every split.
        evidence: All that judges may read.
        copies: Which rows are copies of each other; ``None`` by the first rules.
        opening: That its figures come from.
    """

    record: RunRecord
    policy: Policy
    splits: dict[str, tuple[Example, ...]]
    predictions: tuple[Predictions, ...]
    evidence: Evidence
    copies: Copies | None
    opening: LedgerEntry

    def assess(self, *, num_models: int | None = None, instead: tuple[Predictions, ...] = ()) -> Assessment:
        """Judge again, at the look of the run's own opening.

        Args:
            num_models: Models that share the error of the opening; those that were judged in it, unless given.
            instead: Predictions that stand for those of the same source and split.
        """
        new = {(item.source, item.split): item for item in instead}
        known = tuple(new.get((item.source, item.split), item) for item in self.evidence.predictions)
        return assess(
            replace(self.evidence, predictions=known),
            self.policy,
            look=self.opening.look,
            num_models=self.opening.num_models if num_models is None else num_models,
            main=self.record.judged_source,
            costs=costs_of(self.record),
        )


def read_judged(folder: RunFolder) -> OnFile:
    """Read a judged run.

    Raises:
        UsageError: It was not judged, or by rules of a later version.
        StorageError: A file is missing or damaged.
        SealedError: The run's list of openings does not have the one that its figures come from.
    """
    record = folder.read_record()
    if record.verdict is None:
        raise UsageError(
            f"{folder.path} has no verdict: it is {record.status}",
            expected="a judged run",
            fix=f"`pretune judge {folder.path}`",
        )
    rows, opening = recall_opening(folder.sealed_files(record), folder.openings, record.ledger_head)
    splits = {"train": folder.read_examples("train"), "validation": folder.read_examples("validation"), "test": rows}
    predictions = folder.read_all_predictions()
    policy = Policy.from_json(record.verdict.policy)
    if policy.rules > RULES:
        raise UsageError(
            f"{folder.path} was judged by rules {policy.rules} and this version knows up to {RULES}",
            expected="a version of pretune that is no older than the run",
            fix="recompute with the version that run.json names",
        )
    copies = folder.read_kept(Copies) if policy.rules > 1 else None
    known = Kept(corpus=folder.read_kept(CorpusSketch), past=folder.read_kept(Past), copies=copies)
    evidence = evidence_of(record, splits, predictions, known)
    return OnFile(
        record=record,
        policy=policy,
        splits=splits,
        predictions=predictions,
        evidence=evidence,
        copies=copies,
        opening=opening,
    )
