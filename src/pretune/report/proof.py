"""Did pre-training pay off? The rows of the table, shared by terminal and report."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pretune.records import Comparison, PretrainingProof, ProofArm
from pretune.report.words import UNDEFINED, number

NAMES = {"pretrained": "pre-trained", "random": "random weights", "before": "the checkpoint before"}


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One start at one number of labels: mean accuracy over the seeds, and how far they lie apart."""

    num_labels: int
    name: str
    validation: str
    test: str
    compared: Comparison | None  # the pre-trained start against this one


def proof_rows(proof: PretrainingProof) -> list[ProofRow]:
    """Return the table, by number of labels, the pre-trained start first."""
    places = dict.fromkeys((arm.num_labels, arm.source) for arm in proof.arms)
    known = {item.b: item for item in proof.comparisons}
    return [
        ProofRow(
            num_labels=number_of,
            name=NAMES.get(source, source),
            validation=_spread([arm.validation_accuracy for arm in proof.arms if _is(arm, number_of, source)]),
            test=_spread([arm.test_accuracy for arm in proof.arms if _is(arm, number_of, source)]),
            compared=known.get(f"{source}@{number_of}"),
        )
        for number_of, source in sorted(places, key=lambda item: (item[0], list(NAMES).index(item[1])))
    ]


def _is(arm: ProofArm, num_labels: int, source: str) -> bool:
    return (arm.num_labels, arm.source) == (num_labels, source)


def _spread(values: Sequence[float | None]) -> str:
    """Write the mean, and the least and the most where there are several seeds."""
    held = [value for value in values if value is not None]
    if not held:
        return UNDEFINED
    mean = number(fmean(held))
    return mean if len(held) == 1 else f"{mean} ({number(min(held))} to {number(max(held))})"
