"""Every detector on planted faults of graded strength, and on clean twins.

A planter makes evidence with one fault of a given strength from clean evidence; the table says from which strength a fault is
clear. Every check of ``diagnose.CHECKS`` is run on the clean twins; a check without a planter is named on the page.
"""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from error_rates import share_of
from harness import SHARED
from pretune.diagnose.checks import CHECKS
from pretune.evaluate import evaluate_sources
from pretune.records import Columns, Evaluation, Evidence, Example, Finding, Predictions, Receipt, Severity
from worlds import CLASSES, World, predictions_of

ALARMS = (Severity.WARNING, Severity.BLOCKING)
NUM_FAULTS, NUM_TWINS = 30, 200
SIZES = {"train": 700, "validation": 150, "test": 1_000}  # so many that results.size has nothing to say

Plant = Callable[[Evidence, float, random.Random], Evidence]


@dataclass(frozen=True, kw_only=True)
class Planter:
    """One kind of fault.

    Args:
        check: The finding that has to name it.
        plant: Makes it.
        strengths: From faint to plain.
        clear_from: Strength from which it has to be found.
    """

    check: str
    plant: Plant
    strengths: tuple[float, ...]
    clear_from: float


def plant_copies(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Copy a share of the test texts into training, with other capitals."""
    chosen = generator.sample(evidence.test, round(strength * len(evidence.test)))
    copies = [replace(row, id=f"copy of {row.id}", text=row.text.upper()) for row in chosen]
    return replace(evidence, train=(*evidence.train, *copies))


def plant_near_copies(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Likewise, with a word added at the end."""
    long = [row for row in evidence.test if len(row.text.split()) >= 8]
    chosen = generator.sample(long, min(len(long), round(strength * len(evidence.test))))
    copies = [replace(row, id=f"near {row.id}", text=f"{row.text} indeed") for row in chosen]
    return replace(evidence, train=(*evidence.train, *copies))


def plant_validation_copies(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Copy a share of the validation texts into training."""
    chosen = generator.sample(evidence.validation, max(1, round(strength * len(evidence.validation))))
    return replace(evidence, train=(*evidence.train, *(replace(row, id=f"copy of {row.id}") for row in chosen)))


def plant_missed_positives(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Call this share of the positive test rows negative."""
    old = evidence.find("test", "finetuned")
    assert old is not None  # noqa: S101 - ``clean_evidence`` makes them
    positive = [place for place, label in enumerate(old.labels) if label == "pos"]
    missed = set(generator.sample(positive, round(strength * len(positive))))
    said = tuple("neg" if place in missed else answer for place, answer in enumerate(old.predicted))
    new = replace(old, predicted=said)
    return replace(evidence, predictions=tuple(new if item is old else item for item in evidence.predictions))


def plant_dead_class(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Call this share of all test rows that were called positive negative."""
    old = evidence.find("test", "finetuned")
    assert old is not None  # noqa: S101 - ``clean_evidence`` makes them
    called = [place for place, answer in enumerate(old.predicted) if answer == "pos"]
    changed = set(generator.sample(called, round(strength * len(called))))
    said = tuple("neg" if place in changed else answer for place, answer in enumerate(old.predicted))
    new = replace(old, predicted=said)
    return replace(evidence, predictions=tuple(new if item is old else item for item in evidence.predictions))


def plant_few_rows(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Leave out this share of the test rows."""
    kept = sorted(generator.sample(range(len(evidence.test)), round((1 - strength) * len(evidence.test))))

    def pick(item: Predictions) -> Predictions:
        return replace(
            item,
            ids=tuple(item.ids[place] for place in kept),
            labels=tuple(item.labels[place] for place in kept),
            predicted=tuple(item.predicted[place] for place in kept),
        )

    test = tuple(evidence.test[place] for place in kept)
    return replace(evidence, test=test, predictions=tuple(map(pick, evidence.predictions)))


def plant_unreadable(evidence: Evidence, strength: float, generator: random.Random) -> Evidence:
    """Put replacement characters into a share of the training texts."""
    chosen = set(generator.sample(range(len(evidence.train)), round(strength * len(evidence.train))))
    train = tuple(
        replace(row, text=row.text.replace("e", "\ufffd").replace("a", "\ufffd")) if place in chosen else row
        for place, row in enumerate(evidence.train)
    )
    return replace(evidence, train=train)


PLANTERS: tuple[Planter, ...] = (
    Planter(check="leakage.seen_texts", plant=plant_copies, strengths=(0.005, 0.01, 0.02, 0.05, 0.2), clear_from=0.02),
    Planter(check="leakage.near_texts", plant=plant_near_copies, strengths=(0.01, 0.03, 0.1, 0.3), clear_from=0.1),
    Planter(check="leakage.validation_texts", plant=plant_validation_copies, strengths=(0.01, 0.05, 0.2), clear_from=0.01),
    Planter(
        check="results.accuracy_paradox", plant=plant_missed_positives, strengths=(0.2, 0.4, 0.6, 0.8, 1.0), clear_from=0.8
    ),
    Planter(check="results.bad_values", plant=plant_missed_positives, strengths=(0.2, 0.4, 0.6, 0.8), clear_from=0.8),
    Planter(check="results.dead_class", plant=plant_dead_class, strengths=(0.9, 0.99, 1.0), clear_from=1.0),
    Planter(check="results.size", plant=plant_few_rows, strengths=(0.2, 0.5, 0.8, 0.9), clear_from=0.9),
    Planter(check="texts.unreadable", plant=plant_unreadable, strengths=(0.005, 0.02, 0.1, 0.3), clear_from=0.1),
)


def clean_evidence(rows: list[tuple[str, str]], generator: random.Random) -> Evidence:
    """Return evidence without a fault: other distinct texts in each split, and good predictions on the test rows.

    Labels of the test rows come with simulated predictions (30 % positive, recall and specificity 0.9), so that their truth
    is known; the texts are real.
    """
    chosen = generator.sample(rows, sum(SIZES.values()))
    splits, start = {}, 0
    for name, size in SIZES.items():
        part = chosen[start : start + size]
        splits[name] = tuple(
            Example(id=f"{name} {number}", text=text, label=label) for number, (text, label) in enumerate(part)
        )
        start += size
    world = World(prevalence=0.3, recall=0.9, specificity=0.9)
    counts = world.draw(SIZES["test"], 1, np.random.default_rng(generator.randrange(2**32)))[0]
    predictions = predictions_of(counts)
    test = tuple(
        replace(row, id=id, label=label)
        for row, id, label in zip(splits["test"], predictions[0].ids, predictions[0].labels, strict=True)
    )
    receipt = Receipt(
        source="planted", files=(), columns=Columns(text=("text",), label="label"), num_rows=sum(SIZES.values()),
        num_used=sum(SIZES.values()), num_rejected=0, near_duplicate_threshold=0.8,
    )  # fmt: skip
    return Evidence(
        classes=CLASSES, positive="pos", train=splits["train"], validation=splits["validation"], test=test,
        predictions=predictions, receipt=receipt,
    )  # fmt: skip


def read_rows() -> list[tuple[str, str]]:
    """Return real film-review sentences with labels, no text twice."""
    with gzip.open(SHARED / "mr_rt_polarity.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = {row["text"]: row["label"] for row in map(json.loads, lines)}
    return [(text, str(label)) for text, label in rows.items()]


def find(evidence: Evidence, only: str | None = None) -> dict[str, Finding]:
    """Run all checks, or the one of this name (the others only until it is known which function reports it)."""
    evaluation: Evaluation = evaluate_sources(
        [item for item in evidence.predictions if item.split == "test"], main="finetuned", positive=evidence.positive
    )
    found: dict[str, Finding] = {}
    for check in CHECKS:
        if only is None or NAMES.get(check.__name__, only) == only:
            finding = check(evidence, evaluation)
            NAMES[check.__name__] = finding.check
            found[finding.check] = finding
    return found


NAMES: dict[str, str] = {}  # function -> the check it reports, as learned from the first twin


def measure(
    num_faults: int = NUM_FAULTS, num_twins: int = NUM_TWINS, rows: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """Run every detector on clean twins and on planted faults."""
    rows, generator = rows or read_rows(), random.Random(0)
    twins = [find(clean_evidence(rows, generator)) for _ in range(num_twins)]
    alarms = {check: share_of(sum(twin[check].severity in ALARMS for twin in twins), num_twins) for check in sorted(twins[0])}
    ran = {
        check: sum(twin[check].severity not in (Severity.UNKNOWN, Severity.NOT_APPLICABLE) for twin in twins)
        for check in alarms
    }
    blocked = sum(any(item.severity is Severity.BLOCKING for item in twin.values()) for twin in twins)
    return {
        "twins": num_twins,
        "false alarms": alarms,
        "twins it ran on": ran,
        "false blocking": share_of(blocked, num_twins),
        "planted": {
            planter.check: _curve(planter, rows, num_faults, generator) for planter in PLANTERS if planter.check in alarms
        },
        "clear from": {planter.check: planter.clear_from for planter in PLANTERS},
        "without a planter": sorted(set(alarms) - {planter.check for planter in PLANTERS}),
    }


def _curve(planter: Planter, rows: list[tuple[str, str]], num_faults: int, generator: random.Random) -> dict[str, Any]:
    each = max(2, -(-num_faults // len(planter.strengths)))
    each = max(each, num_faults // max(1, sum(strength >= planter.clear_from for strength in planter.strengths)))
    curve = {}
    for strength in planter.strengths:
        hits = sum(
            find(planter.plant(clean_evidence(rows, generator), strength, generator), planter.check)[planter.check].severity
            in ALARMS
            for _ in range(each)
        )
        curve[str(strength)] = share_of(hits, each)
    return curve
