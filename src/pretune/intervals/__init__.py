"""How far a share or a mean can be trusted: one set of intervals, used by every judge."""

from pretune.intervals.agreement import agreement_limit
from pretune.intervals.macro import has_mean, mean_bounds, mean_f1_bounds
from pretune.intervals.means import skewed_mean_interval, unit_means
from pretune.intervals.proportions import (
    MIN_FOR_WILSON,
    MIN_RARER_CLASS,
    Bounds,
    Counts,
    Floats,
    average_bounds,
    clopper_pearson_bounds,
    confidence_at,
    f1_bounds,
    proportion_bounds,
    proportion_interval,
    uses_exact,
    wilson_bounds,
)
from pretune.intervals.quantiles import quantile, t_quantile
from pretune.intervals.sequential import Fall, find_fall, sequential_interval
from pretune.intervals.units import MIN_UNITS, Worth, intraclass_correlation, unit_freedom, widening, worth_of

__all__ = [
    "MIN_FOR_WILSON",
    "MIN_RARER_CLASS",
    "MIN_UNITS",
    "Bounds",
    "Counts",
    "Fall",
    "Floats",
    "Worth",
    "agreement_limit",
    "average_bounds",
    "clopper_pearson_bounds",
    "confidence_at",
    "f1_bounds",
    "find_fall",
    "has_mean",
    "intraclass_correlation",
    "mean_bounds",
    "mean_f1_bounds",
    "proportion_bounds",
    "proportion_interval",
    "quantile",
    "sequential_interval",
    "skewed_mean_interval",
    "t_quantile",
    "unit_freedom",
    "unit_means",
    "uses_exact",
    "widening",
    "wilson_bounds",
    "worth_of",
]
