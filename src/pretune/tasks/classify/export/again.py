"""Judges an exported form on the terms of the run's own opening: its figures, its verdict, and what that lacks.

No look is counted. The form is made without the test, nothing is chosen by its figures, and it can be refused but never
preferred; where its answers differ from the model's it is one more model of that opening, and shares its error
(docs/decisions/0047).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pretune import storage
from pretune.hashing import digest_of_lines
from pretune.records import Predictions, Reason, Score, Verdict
from pretune.run import RunFolder
from pretune.run.exports import FOLDER
from pretune.tasks.classify.on_file import OnFile

ASKED = "asked.jsonl"  # in RUN/export: a line for each set of answers that the labels were put to


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What a form is judged to be.

    Args:
        scores: Its figures, those of the test first.
        verdict: Its own.
        beside: Outcome of the model itself on the same terms.
        num_models: Models that share the error of the opening.
        lost: What the verdict lacks that the model's has, a sentence each; empty where the outcome is the same.
    """

    scores: tuple[Score, ...]
    verdict: Verdict
    beside: str
    num_models: int
    lost: tuple[str, ...]


def judge_again(folder: RunFolder, known: OnFile, form: str, found: tuple[Predictions, ...]) -> Again:
    """Judge a form by its answers on validation and test; that they were asked for is kept before any figure is there.

    Args:
        folder: The run's.
        known: The run.
        form: What is judged.
        found: Its answers.

    Raises:
        StorageError: The disk refused.
    """
    test = next(item for item in found if item.split == "test")
    own = next(item for item in known.predictions if (item.source, item.split) == ("finetuned", "test"))
    num_models = known.opening.num_models + _count_asked(folder.path, form, test.predicted, own.predicted)
    judged = known.assess(num_models=num_models, instead=found)
    is_alone = num_models == known.opening.num_models and known.record.verdict is not None
    beside = known.record.verdict if is_alone else known.assess(num_models=num_models).verdict
    outcome = str(beside.outcome) if beside is not None else ""
    return Again(
        scores=tuple(score for score in judged.scores if score.source == "finetuned"),
        verdict=judged.verdict,
        beside=outcome,
        num_models=num_models,
        lost=() if beside is None or judged.verdict.outcome == beside.outcome else tuple(_tell_lost(judged.verdict, beside)),
    )


def _count_asked(place: Path, form: str, answers: tuple[str, ...], own: tuple[str, ...]) -> int:
    """Return how many sets of answers besides the model's own the labels were put to, this one included, and keep it."""
    file, digest = place / FOLDER / ASKED, digest_of_lines(answers)
    before = {json.loads(line)["answers"] for line in storage.read_lines(file)} if file.is_file() else set()
    if answers == own:
        return 0
    if digest not in before:
        storage.append(file, json.dumps({"answers": digest, "form": form}))
    return len(before | {digest})


def _tell_lost(verdict: Verdict, beside: Verdict) -> Iterator[str]:
    """Yield the reasons that are not what they were."""
    before = {_key(reason): reason for reason in beside.reasons}
    for reason in verdict.reasons:
        earlier = before.get(_key(reason))
        if earlier is None or earlier.holds != reason.holds:
            yield f"{reason.text} (the model: {earlier.text})" if earlier is not None else reason.text


def _key(reason: Reason) -> str:
    return f"{reason.kind} {reason.name}"
