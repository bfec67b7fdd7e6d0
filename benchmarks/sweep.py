"""Every detector on planted faults of graded strength, and on clean twins.

A planter makes evidence with one fault of a given strength from a clean twin, and names the strength from which the fault is
clear. Every check of ``diagnose.CHECKS`` is run on the clean twins.
"""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clean_twins import Rows, make_corpus, make_twin
from error_rates import share_of
from faults import FAULTS, FOREIGN, Planter
from faulty_training import OF_TRAINING, PLANTERS
from harness import SHARED
from pretune.data.alike.duplicates import find_duplicates
from pretune.diagnose.checks import CHECKS, RESULT_CHECKS
from pretune.evaluate import evaluate_sources
from pretune.records import Evaluation, Evidence, Finding, Severity, Terms

__all__ = ["FAULTS", "OF_TRAINING", "PLANTERS", "find", "measure_clean", "measure_planted"]

ALARMS = (Severity.WARNING, Severity.BLOCKING)
NUM_FAULTS, NUM_TWINS = 30, 200
LABELS = {"0": "neg", "1": "pos"}
NAMES: dict[str, str] = {}  # function -> the check it reports, as learned from the first twin


def find(twin: Evidence, only: str | None = None) -> dict[str, Finding]:
    """Run all checks, or the one of this name (the others only until it is known which function reports it)."""
    found: dict[str, Finding] = {}
    asked = [check for check in CHECKS if only is None or NAMES.get(check.__name__, only) == only]
    evaluation = _evaluate(twin) if any(check in RESULT_CHECKS for check in asked) else None
    for check in asked:
        finding = check(twin, evaluation)
        NAMES[check.__name__] = finding.check
        found[finding.check] = finding
    return found


def _evaluate(twin: Evidence) -> Evaluation:
    """Score the judged source alone: no check reads the baselines."""
    judged = twin.find("test", "finetuned")
    return evaluate_sources([judged] if judged else [], Terms(positive=twin.positive), main="finetuned")


def read_rows() -> Rows:
    """Return real film-review sentences with labels, none twice or nearly so (two pairs of 10,662)."""
    rows = list({text: LABELS.get(label, label) for text, label in _read(SHARED / "mr_rt_polarity.jsonl.gz")}.items())
    cluster = find_duplicates([text for text, _ in rows], threshold=0.8).component.tolist()
    return [rows[place] for place in {number: place for place, number in enumerate(cluster)}.values()]


def read_foreign() -> list[str]:
    """Return sentences about the news, for what is not about films."""
    return [text for text, _ in _read(SHARED / "ag_news_test.jsonl.gz")][:2_000]


def _read(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["text"], str(row["label"])


def measure_clean(num_twins: int = NUM_TWINS, rows: Rows | None = None, foreign: list[str] | None = None) -> dict[str, Any]:
    """Run every detector on clean twins."""
    rows, generator = _prepare(rows, foreign), random.Random(0)
    corpus = make_corpus(FOREIGN[:300])
    twins = [find(make_twin(rows, generator, corpus)) for _ in range(num_twins)]
    checks = sorted(twins[0])
    ran = {check: [twin[check].severity for twin in twins if twin[check].severity not in _NOT_RUN] for check in checks}
    blocked = sum(any(item.severity is Severity.BLOCKING for item in twin.values()) for twin in twins)
    return {
        "twins": num_twins,
        "false alarms": {check: share_of(sum(item in ALARMS for item in ran[check]), len(ran[check])) for check in checks},
        "ran on": {check: len(ran[check]) for check in checks},
        "false blocking": share_of(blocked, num_twins),
    }


_NOT_RUN = (Severity.UNKNOWN, Severity.NOT_APPLICABLE)


def measure_planted(
    num_faults: int = NUM_FAULTS,
    rows: Rows | None = None,
    foreign: list[str] | None = None,
    planters: tuple[Planter, ...] = PLANTERS,
) -> dict[str, Any]:
    """Run each detector on its faults: so many clear ones, and as many of each faint strength as of each clear one."""
    rows = _prepare(rows, foreign)
    find(make_twin(rows, random.Random(0), make_corpus(FOREIGN[:300])))  # learns the names
    return {
        "clear faults": num_faults,
        "planted": {planter.check: _curve(planter, rows, num_faults) for planter in planters},
        "without a planter": sorted(set(NAMES.values()) - {planter.check for planter in PLANTERS}),
    }


def _prepare(rows: Rows | None, foreign: list[str] | None) -> Rows:
    FOREIGN[:] = foreign or read_foreign()
    return rows or read_rows()


def _curve(planter: Planter, rows: Rows, num_faults: int) -> dict[str, Any]:
    generator, corpus, curve = random.Random(planter.check), make_corpus(FOREIGN[:300]), {}
    clear, num_clear = 0, 0
    each = -(-num_faults // sum(strength >= planter.clear_from for strength in planter.strengths))
    for strength in planter.strengths:
        hits = 0
        for _ in range(each):
            twin = planter.plant(make_twin(rows, generator, corpus), strength, generator)
            hits += find(twin, planter.check)[planter.check].severity in ALARMS
        curve[f"{strength:g}"] = share_of(hits, each)
        if strength >= planter.clear_from:
            clear, num_clear = clear + hits, num_clear + each
    return {
        "unit": planter.unit,
        "clear from": planter.clear_from,
        "clear ones found": share_of(clear, num_clear),
        "curve": curve,
    }
