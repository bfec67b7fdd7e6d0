"""Alerts: the share of rows that are decided for the positive class, which somebody has to look at."""

from functools import partial

import numpy as np

from pretune.errors import UsageError
from pretune.evaluate.codes import rows_of
from pretune.evaluate.shares import proportion
from pretune.records import Predictions, Score, Terms


def score_alerts(predictions: Predictions, terms: Terms) -> Score:
    """Return the share of rows that are called positive, with its interval; a budget of 5 per 1,000 rows is 0.005.

    Args:
        predictions: With labels.
        terms: With the class that is looked for.

    Raises:
        UsageError: No class is the positive one.
        MissingLabelsError, DataError: What ``rows_of`` raises.
    """
    if terms.positive is None:
        raise UsageError(
            "a budget of alerts without a positive class", expected="a class that is looked for", fix="name it with --positive"
        )
    rows = rows_of(predictions, terms)
    make = partial(Score, split=predictions.split, source=predictions.source, confidence=terms.confidence, look=terms.look)
    called = rows.predicted == rows.classes.index(terms.positive)
    return proportion(make, ("alerts", None), rows, called, np.ones(len(called), bool), "there are no rows")
