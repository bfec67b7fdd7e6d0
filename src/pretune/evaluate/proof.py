"""Did pre-training pay off? The same fine-tuning from other weights, paired row by row, averaged over seeds.

For either start, each test row has the share of seeds that get it right; the gain is the mean difference of these shares. Its
interval is over the rows, or over units of rows that belong together; the spread of the seeds is shown beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pretune.evaluate.codes import Counts, units_of
from pretune.evaluate.compare import holm
from pretune.evaluate.pairs import sign_flip_p_value
from pretune.intervals import t_quantile, unit_means
from pretune.records import USUAL, Comparison, Predictions, PretrainingProof, ProofArm, Terms

PREFIX = "proof-"
STARTS = ("pretrained", "random", "before")
MAX_P_VALUE = 0.05
DRAWS = 10_000


def name_of(start: str, num_labels: int, seed: int) -> str:
    """Return the source under which an arm's predictions are kept, ``proof-random-1000-0``."""
    return f"{PREFIX}{start}-{num_labels}-{seed}"


def parse_name(source: str) -> tuple[str, int, int]:
    """Return start, labels and seed of such a source."""
    start, num_labels, seed = source.removeprefix(PREFIX).rsplit("-", 2)
    return start, int(num_labels), int(seed)


def prove(
    predictions: Sequence[Predictions],
    arms: Sequence[ProofArm],
    *,
    losses: tuple[float | None, float | None],
    terms: Terms = USUAL,
) -> PretrainingProof:
    """Compare the starts at every number of labels.

    Args:
        predictions: Of the arms on the test rows, sources as ``name_of`` gives them.
        arms: What is known of each from training.
        losses: Of language modelling before and after pre-training, where they are known.
        terms: By which the intervals are computed.
    """
    right: dict[tuple[str, int], dict[int, npt.NDArray[np.bool_]]] = {}
    for item in predictions:
        start, num_labels, seed = parse_name(item.source)
        hits = np.array(item.predicted) == np.array(item.labels)
        right.setdefault((start, num_labels), {})[seed] = hits
    units = units_of(predictions[0].ids, terms.groups) if predictions and terms.rules > 1 else None
    scored = tuple(_scored(arm, right) for arm in arms)
    compared = [
        _compare(right, (other, num_labels), terms, units)
        for num_labels in sorted({size for _, size in right})
        for other in STARTS[1:]
        if (other, num_labels) in right and ("pretrained", num_labels) in right
    ]
    adjusted = holm([item.p_value for item in compared])
    compared = [replace(item, p_value=p_value) for item, p_value in zip(compared, adjusted, strict=True)]
    return PretrainingProof(
        arms=scored,
        comparisons=tuple(compared),
        loss_before=losses[0],
        loss_after=losses[1],
        statement=describe(compared, losses),
    )


def describe(compared: Sequence[Comparison], losses: tuple[float | None, float | None]) -> str:
    """Say in words whether pre-training paid, and where its own yardstick says something else."""
    if not compared:
        return "nothing was compared"
    parts = [_say(item) for item in compared]
    before, after = losses
    fell = before is not None and after is not None and after < before
    last = {item.b.partition("@")[0]: item for item in compared}  # at all labels, the last of each
    judged = last.get("before") or last["random"]
    if fell and not (judged.low is not None and judged.low > 0 and judged.p_value < MAX_P_VALUE):
        parts.append(
            f"the language-model loss fell ({before:.3f} to {after:.3f}), but the task did not gain over "
            f"{_NAMES[judged.b.partition('@')[0]]} with {int(judged.a.partition('@')[2]):,} labels: judge by the task"
        )
    return "; ".join(parts)


_NAMES = {"random": "random weights", "before": "the checkpoint before"}


def _say(item: Comparison) -> str:
    other, _, labels = item.b.partition("@")
    gain = f"{100 * item.difference:+.1f} points of accuracy over {_NAMES[other]} with {int(labels):,} labels"
    if item.low is None or item.high is None:
        return gain
    interval = f"({100 * item.low:+.1f} to {100 * item.high:+.1f})"
    is_shown = item.p_value < MAX_P_VALUE and (item.low > 0 or item.high < 0)
    return f"{gain} {interval}" + ("" if is_shown else ", no effect shown")


def _scored(arm: ProofArm, right: Mapping[tuple[str, int], Mapping[int, npt.NDArray[np.bool_]]]) -> ProofArm:
    hits = right.get((arm.source, arm.num_labels), {}).get(arm.seed)
    if hits is None:
        return arm
    return replace(arm, test_accuracy=float(hits.mean()))


def _compare(
    right: Mapping[tuple[str, int], Mapping[int, npt.NDArray[np.bool_]]],
    against: tuple[str, int],
    terms: Terms,
    units: Counts | None,
) -> Comparison:
    """Return the gain of the pre-trained start, over the seeds that both have."""
    other, num_labels = against
    first, second = right["pretrained", num_labels], right[other, num_labels]
    seeds = sorted(first.keys() & second.keys())
    a, b = (np.mean([held[seed] for seed in seeds], axis=0) for held in (first, second))
    gains = a - b
    each = unit_means(gains, units)
    number = len(each)
    error = float(each.std(ddof=1)) / number**0.5 if number > 1 else 0.0
    half = t_quantile(terms.confidence, number - 1) * max(error, 1 / (number * len(seeds))) if number > 1 else None
    gain = float(gains.mean())
    return Comparison(
        metric="accuracy",
        split="test",
        a=f"pretrained@{num_labels}",
        b=f"{other}@{num_labels}",
        value_a=float(a.mean()),
        value_b=float(b.mean()),
        difference=gain,
        low=None if half is None else gain - half,
        high=None if half is None else gain + half,
        confidence=terms.confidence,
        p_value=_sign_flip(gains) if units is None else sign_flip_p_value(gains, units, DRAWS, 0),
        method=f"signs of the paired differences flipped at random, {DRAWS:,} draws, {len(seeds)} seed(s) averaged; t interval"
        + ("" if units is None else f" over {terms.unit}"),
        num_examples=len(gains),
    )


def _sign_flip(gains: npt.NDArray[np.float64]) -> float:
    """Return how often chance signs give a mean as far from 0: on a row, two starts are exchangeable if neither is better."""
    gains = gains[gains != 0]
    if not len(gains):
        return 1.0
    generator, observed, extreme = np.random.default_rng(0), abs(float(gains.sum())), 0
    for _ in range(0, DRAWS, 1_000):
        signs = generator.integers(0, 2, size=(1_000, len(gains)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ gains) >= observed - 1e-12).sum())
    return (extreme + 1) / (DRAWS + 1)
