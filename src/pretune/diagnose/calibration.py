"""Calibration: when the model says 0.9, is it right nine times out of ten?

The calibration error is measured in groups of equal size, by confidence, less what chance alone adds. To tell whether it is
more than chance, the check draws right and wrong answers with the stated probabilities, many times; the measured error must
be larger than nearly all of those draws.
"""

import numpy as np

from pretune.diagnose.measures import judged_source, right_answers
from pretune.intervals import Floats
from pretune.records import Evaluation, Evidence, Finding, Predictions, Severity

# Mean distance between confidence and share of right answers from which stated probabilities mislead. Ours: at 0.05, one answer
# in twenty is not what it says; fine-tuned encoders without temperature scaling commonly show 0.05 to 0.10.
MAX_ERROR = 0.05
NUM_BINS = 15
NUM_DRAWS = 500
MAX_P_VALUE = 0.01
MIN_ROWS = 200

FIX = (
    "Do not read its probabilities as chances. Scale them by one temperature chosen on validation, or train with "
    "--set finetune.label_smoothing=0.1 and fewer --epochs."
)


def check_calibration(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the expected calibration error of the answers on the test, or on validation where there is none."""
    check, source = "results.calibration", judged_source(evaluation)
    found = evidence.find("test", source) or evidence.find("validation", source)
    if found is None:
        return Finding.not_applicable(check, "nothing was predicted")
    if found.probabilities is None:
        return Finding.not_applicable(check, "the predictions come without probabilities")
    if len(found.ids) < MIN_ROWS:
        return Finding.not_applicable(check, f"needs at least {MIN_ROWS} rows; there are {len(found.ids)}")
    error, p_value, over = measure_calibration(found)
    beyond = error > MAX_ERROR and p_value < MAX_P_VALUE
    manner = "surer than right" if over > 0 else "less sure than right"
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"confidence and share of right answers lie {error:.3f} apart on {found.split} (chance would show as much with "
        f"p = {p_value:.2g}); on the whole the model is {abs(over):.3f} {manner}",
        measured=error,
        limit=MAX_ERROR,
        fix=FIX if beyond else "",
    )


def measure_calibration(predictions: Predictions, *, seed: int = 0) -> tuple[float, float, float]:
    """Return the debiased calibration error, how often chance shows as much, and by how much the model is too sure.

    Source:
        Bröcker and Smith (2007), Increasing the reliability of reliability diagrams; Kumar, Liang and Ma (2019).
    """
    shares = np.asarray(predictions.probabilities, float)
    column = {label: index for index, label in enumerate(predictions.classes)}
    stated = shares[np.arange(len(shares)), [column[label] for label in predictions.predicted]]
    order = np.argsort(stated, kind="stable")
    stated, right = stated[order], right_answers(predictions).astype(float)[order]
    edges = np.linspace(0, len(stated), NUM_BINS + 1).astype(int)
    generator = np.random.default_rng(seed)  # one draw at a time: all of them would take 400 MB for 100,000 rows
    draws = (generator.random(len(stated)) < stated for _ in range(NUM_DRAWS))
    by_chance = np.array([_error(stated, draw.astype(float), edges) for draw in draws])
    raw = _error(stated, right, edges)
    p_value = (1 + float((by_chance >= raw).sum())) / (1 + NUM_DRAWS)
    return max(0.0, raw - float(by_chance.mean())), p_value, float(stated.mean() - right.mean())


def _error(stated: Floats, right: Floats, edges: np.ndarray[tuple[int], np.dtype[np.int_]]) -> float:
    gaps = np.add.reduceat(stated - right, edges[:-1])
    return float(np.abs(gaps).sum() / len(stated))
