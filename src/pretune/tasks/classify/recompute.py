"""Recomputing: does a run's verdict follow from the files of its folder? No model, no torch, and no look.

The stored results and those from the files are compared byte by byte as canonical JSON (sorted keys, no spaces, every digit of
a number): the verdict, all scores, comparisons, confusion matrices and findings. The files' own digests are compared as well,
because a changed probability need not change a figure.
"""

from collections.abc import Iterator
from dataclasses import replace

from pretune.data.alike.units import units_of_rows
from pretune.errors import PretuneError
from pretune.evaluate.choose_source import CAUTIOUS, choose_source
from pretune.evaluate.threshold import aim_of, choose_threshold
from pretune.records import RULES, Example, Finding, Predictions, RunRecord
from pretune.run import RunFolder, check_run, compare_run
from pretune.tasks.classify.assess import MAIN, Assessment
from pretune.tasks.classify.baselines import describe_void
from pretune.tasks.classify.on_file import read_judged
from pretune.tasks.recomputed import Recomputed, canonical_bytes, compare, compare_opening, describe
from pretune.verdict import Policy


def recompute(folder: RunFolder) -> Recomputed[Assessment]:
    """Recompute figures, findings and verdict from the files, and compare them with ``run.json``.

    Raises:
        UsageError: The run was not judged.
        StorageError: A file is missing or damaged.
        SealedError: The run's list of openings does not have the one that its figures come from.
    """
    known = read_judged(folder)
    record, policy = known.record, known.policy
    changed = tuple(compare_run(folder, record)) if record.digests else ()  # runs of earlier versions kept none
    try:
        found = known.assess()
    except (PretuneError, ValueError, KeyError, TypeError):
        check_run(folder, record)  # files that do not fit each other: name the one that was changed
        raise
    if record.verdict is not None:
        found = replace(
            found, verdict=replace(found.verdict, policy=record.verdict.policy)
        )  # as it was written, fields and all
    if policy.rules < RULES:  # an earlier version judged it, by the checks that it had; the required ones are in its policy
        found = replace(found, findings=tuple(_as_worded(found.findings, record.findings)))
    differences = (
        *filter(None, [describe_void(folder)]),
        *changed,
        *compare_opening(record, known.opening),
        *_compare_rows(known.predictions, known.splits),
        *_compare_threshold(known.predictions, units_of_rows(known.splits["validation"], known.copies), record),
        *_compare_choice(known.predictions, record, policy),
    )
    return compare(record, found, iter(differences))


def _as_worded(found: tuple[Finding, ...], stored: tuple[Finding, ...]) -> Iterator[Finding]:
    """Yield the findings of checks that the earlier version had, in its words where it measured the same."""
    known = {finding.check: finding for finding in stored}
    for finding in found:
        earlier = known.get(finding.check)
        if earlier is not None:
            same = (earlier.severity, earlier.measured, earlier.limit) == (finding.severity, finding.measured, finding.limit)
            yield replace(finding, summary=earlier.summary, fix=earlier.fix) if same else finding


def _compare_rows(predictions: tuple[Predictions, ...], splits: dict[str, tuple[Example, ...]]) -> Iterator[str]:
    labels = {name: {row.id: row.label for row in rows} for name, rows in splits.items()}
    for item in predictions:
        if item.split == "general":  # the rows of a general task are not kept; the digest of the file stands for them
            continue
        known = labels.get(item.split, {})
        wrong = [id for id, label in zip(item.ids, item.labels, strict=True) if id not in known or known[id] != label]
        if wrong:
            where = f"predictions/{item.split}.{item.source}.csv"
            yield f"{where}: {len(wrong)} rows do not have the label of the data, such as {wrong[0]}"


def _compare_threshold(predictions: tuple[Predictions, ...], units: dict[str, str], record: RunRecord) -> Iterator[str]:
    """Choose the threshold again from the validation predictions, for what it was chosen for."""
    stored = record.threshold
    known = next((item for item in predictions if (item.split, item.source) == ("validation", MAIN)), None)
    if stored is None or known is None or stored.is_asked is None:
        return
    found = choose_threshold(known, aim_of(stored), groups=units)
    if canonical_bytes(found.to_json()) != canonical_bytes(stored.to_json()):
        yield from describe(stored.to_json(), found.to_json(), "threshold")


def _compare_choice(predictions: tuple[Predictions, ...], record: RunRecord, policy: Policy) -> Iterator[str]:
    """Choose among the sources again from the validation predictions."""
    if record.chosen is None or record.threshold is None:
        return
    known = [item for item in predictions if item.split == "validation" and item.source in record.chosen.values]
    is_cautious = record.chosen.rule.endswith(CAUTIOUS)  # earlier versions trusted few rows
    found = choose_source(known, aim_of(record.threshold), policy.prevalence, is_cautious=is_cautious)
    if canonical_bytes(found.to_json()) != canonical_bytes(record.chosen.to_json()):
        yield from describe(record.chosen.to_json(), found.to_json(), "chosen")
