"""Label errors: which labels are probably wrong, according to models that were not trained on them?

The share of wrong labels is estimated as a mixture. A model that has not seen a row gives its label the probability q, after
one temperature and one shift per class have corrected its confidence. If wrong labels are scattered among the rows, each label
is the truth with probability 1 - e, and one of the other classes with probability e. Doubt in q is what the model does not
know; e is what it knows better. Both are fitted at once, and e has an interval from the likelihood. With few rows, doubt and
wrong labels look alike, so the temperature is held near 1, as for roughly calibrated predictions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import chi2

from pretune.diagnose.measures import given_shares, percent
from pretune.intervals import Floats
from pretune.records import Evaluation, Evidence, Finding, Predictions, Severity

# Share of wrong labels that must at least be there before we warn: it takes twice a gain worth having
# off the accuracy that can be reached.
MAX_ERROR_SHARE = 0.02
# Rows below which a mixture cannot be told from a model that knows little.
MIN_ROWS = 200
# How far the log of the sharpness of predictions usually lies from 0 (a factor of 1.3 on the log odds). Without it, 9 of 20
# sets of 700 rows with a fifth of the labels wrong were found, with it all; no clean set was (docs/log.md).
SHARPNESS_SPREAD = 0.25
# Shares of wrong labels that are tried first.
GRID = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4)
# Confidence of the interval; as an alarm is raised at its lower end alone, the chance of a false one is half of the rest.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorShare:
    """The estimated share of wrong labels."""

    share: float
    low: float
    high: float


def check_label_errors(evidence: Evidence, _evaluation: Evaluation | None = None) -> Finding:
    """Estimate the share of wrong training labels from predictions made out of fold, and rank the rows."""
    check = "labels.errors"
    predictions = evidence.find("train", "out_of_fold")
    if predictions is None:
        return Finding.not_applicable(check, "no predictions out of fold; --thorough makes them")
    if given_shares(predictions) is None or len(predictions.ids) < MIN_ROWS:
        return Finding.unknown(check, f"needs probabilities out of fold for at least {MIN_ROWS} training rows")
    found, ranked = estimate_error_share(predictions), rank_label_errors(predictions)
    expected = round(found.share * len(predictions.ids))
    ceiling = f"no model can score over {percent(1 - found.share)} on such labels"
    beyond = found.low > MAX_ERROR_SHARE
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"about {percent(found.share)} of the labels look wrong (95 % interval {percent(found.low)} to "
        f"{percent(found.high)}, some {expected:,} of {len(predictions.ids):,} rows)" + (f": {ceiling}" if beyond else ""),
        measured=found.share,
        limit=MAX_ERROR_SHARE,
        examples=ranked[:5] if beyond else (),
        fix=f"Look at the {expected:,} rows ranked highest first (examples), and settle their labels." if beyond else "",
    )


def rank_label_errors(predictions: Predictions) -> tuple[str, ...]:
    """Return the ids of rows whose label another class beats, the likeliest wrong label first.

    Rows are ranked by how far the best other class is ahead of the given label, each class's probabilities first measured
    by what rows of that class usually get, so that a rare class is not suspected for being rare.

    Args:
        predictions: Out of fold, with probabilities.

    Source:
        Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels.
    """
    shares = np.asarray(predictions.probabilities, float)  # (rows, classes)
    given = np.array([predictions.classes.index(str(label)) for label in predictions.labels])
    present = [column for column in range(shares.shape[1]) if (given == column).any()]
    usual = np.ones(shares.shape[1])
    for column in present:
        usual[column] = max(float(shares[given == column, column].mean()), 1e-9)
    margin = _ahead(np.log(np.maximum(shares, 1e-12)) - np.log(usual), given)
    order = np.argsort(-margin, kind="stable")
    return tuple(predictions.ids[row] for row in order if margin[row] > 0)


def estimate_error_share(predictions: Predictions) -> ErrorShare:
    """Fit confidence and the share of wrong labels together to predictions made out of fold, with probabilities."""
    shares = np.asarray(predictions.probabilities, float)
    given = np.array([predictions.classes.index(str(label)) for label in predictions.labels])
    profile = _Profile(np.log(np.maximum(shares, 1e-12)), given)
    start = min(GRID, key=profile)  # the likelihood may have a peak at none and another further up
    place = GRID.index(start)
    bounds = (GRID[max(place - 1, 0)], GRID[min(place + 1, len(GRID) - 1)])
    refined = float(minimize_scalar(profile, bounds=bounds, method="bounded", options={"xatol": 1e-3}).x)
    share = min((start, refined), key=profile)
    allowed = profile(share) + float(chi2.ppf(CONFIDENCE, 1)) / 2
    low = 0.0 if profile(0.0) <= allowed else _cross(profile, 0.0, share, allowed)
    high = GRID[-1] if profile(GRID[-1]) <= allowed else _cross(profile, GRID[-1], share, allowed)
    return ErrorShare(share=share, low=low, high=high)


class _Profile:
    """The best minus log likelihood at a share of wrong labels, over how confidence is put right; remembers its answers.

    Args:
        logits: Log probabilities, shape (rows, classes).
        given: Index of each row's label.
    """

    def __init__(self, logits: Floats, given: npt.NDArray[np.int64]) -> None:
        self._logits, self._given = logits, given
        self._known: dict[float, float] = {}

    def __call__(self, wrong: float) -> float:
        if wrong not in self._known:
            start = np.zeros(1 + self._logits.shape[1])  # sharpness (its log), and a shift of each class
            found = minimize(self._cost, start, args=(wrong,), jac=True, method="L-BFGS-B")
            self._known[wrong] = float(found.fun)
        return self._known[wrong]

    def _cost(self, settings: Floats, wrong: float) -> tuple[float, Floats]:
        sharpness, rows = np.exp(settings[0]), np.arange(len(self._given))
        scores = self._logits * sharpness + settings[1:]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        kept, others = shares[rows, self._given], max(shares.shape[1] - 1, 1)
        likelihood = np.maximum((1 - wrong) * kept + wrong * (1 - kept) / others, 1e-300)
        slope = (1 - wrong - wrong / others) * kept / likelihood  # of the log likelihood, by the log of ``kept``
        pull = -shares * slope[:, None]  # (rows, classes): the same, by each score
        pull[rows, self._given] += slope
        by_sharpness = (pull * self._logits).sum() * sharpness - settings[0] / SHARPNESS_SPREAD**2
        cost = -float(np.log(likelihood).sum()) + (settings[0] / SHARPNESS_SPREAD) ** 2 / 2
        return cost, -np.concatenate(([by_sharpness], pull.sum(axis=0)))


def _ahead(scores: Floats, given: npt.NDArray[np.int64]) -> Floats:
    rows = np.arange(len(given))
    others = scores.copy()
    others[rows, given] = -np.inf
    ahead: Floats = others.max(axis=1) - scores[rows, given]
    return ahead


def _cross(profile: Callable[[float], float], outside: float, inside: float, allowed: float) -> float:
    """Return where the profile crosses ``allowed`` between a point outside of the interval and one inside, by halving."""
    for _ in range(12):
        middle = (outside + inside) / 2
        if profile(middle) > allowed:
            outside = middle
        else:
            inside = middle
    return (outside + inside) / 2
