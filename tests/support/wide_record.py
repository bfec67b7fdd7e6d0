"""A judged run of many classes, some of them taken for their neighbours."""

from judging import clean_findings, constant, from_pairs

from pretune.evaluate import evaluate_sources
from pretune.records import RunRecord
from pretune.verdict import decide, load_policy


def record_of(num_classes: int) -> RunRecord:
    """Return a record of so many classes, 25 rows each, of which up to six are called the next class."""
    names = [f"c{number:02}" for number in range(num_classes)]
    pairs = [
        (name, name if row >= number % 7 else names[(number + 1) % num_classes])
        for number, name in enumerate(names)
        for row in range(25)
    ]
    model = from_pairs(pairs, tuple(names))
    evaluation = evaluate_sources([model, constant(model, names[0])], main="finetuned")
    verdict = decide(evaluation, clean_findings(), load_policy())
    return RunRecord(
        run="many", status="judged", classes=tuple(names), scores=evaluation.scores, comparisons=evaluation.comparisons,
        confusions=evaluation.confusions, verdict=verdict,
    )  # fmt: skip
