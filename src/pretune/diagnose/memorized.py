"""Memorized rows: which training rows does the model know by heart, with nothing else to support their label?

A row counts as memorized when the model gives its label at least 0.9 and models that did not train on the row give it at most
0.1 (Feldman 2020: what is learned only because the row is there). This alone would also count rows where a good model is
rightly more certain than a simple one. So the same is counted on validation rows, which no model was trained on, with the
linear model in place of the out-of-fold models; only the excess in training counts as memorized.
"""

import numpy as np
import numpy.typing as npt

from pretune.diagnose.measures import difference_interval, given_shares, judged_source, percent
from pretune.records import Evaluation, Evidence, Finding, Predictions, Severity

# Probability of its label from which a row is fitted with confidence, and to which one that has not seen it rejects the label.
CONFIDENT = 0.90
REJECTED = 0.10
# Share of memorized rows that we warn of, with the lower end of the interval: as for conflicts, a gain worth having.
MAX_MEMORIZED_SHARE = 0.01
MIN_ROWS = 200


def check_memorized(evidence: Evidence, evaluation: Evaluation | None = None) -> Finding:
    """Measure the share of training rows that are fitted with confidence against what their text says elsewhere."""
    check, source = "training.memorized", judged_source(evaluation)
    train, unseen = evidence.find("train", source), evidence.find("train", "out_of_fold")
    if unseen is None:
        return Finding.not_applicable(check, "no predictions out of fold; --thorough makes them")
    validation, simple = evidence.find("validation", source), evidence.find("validation", "linear")
    if train is None or validation is None or simple is None:
        return Finding.unknown(check, f"needs predictions of {source} on training, and of it and linear on validation")
    known, usual = _against(train, unseen), _against(validation, simple)
    if known is None or usual is None or min(len(known), len(usual)) < MIN_ROWS:
        return Finding.unknown(check, f"needs probabilities for at least {MIN_ROWS} rows of training and of validation")
    low, high = difference_interval(int(known.sum()), len(known), int(usual.sum()), len(usual))
    share, beyond = float(known.mean() - usual.mean()), low > MAX_MEMORIZED_SHARE
    seen = set(unseen.ids)
    rows = [id for id in train.ids if id in seen]
    return Finding(
        check=check,
        severity=Severity.WARNING if beyond else Severity.OK,
        summary=f"{percent(known.mean())} of training rows are fitted with confidence against the opinion of models that "
        f"had not seen them; of validation rows {percent(usual.mean())}: about {percent(max(share, 0.0))} are known by heart "
        f"(95 % interval {percent(max(low, 0.0))} to {percent(max(high, 0.0))})",
        measured=share,
        limit=MAX_MEMORIZED_SHARE,
        examples=tuple(rows[index] for index in np.flatnonzero(known)[:5]) if beyond else (),
        fix="Look at these labels first; --set finetune.label_smoothing=0.1 --dropout 0.2 keep the model from learning such "
        "rows by heart."
        if beyond
        else "",
    )


def _against(judged: Predictions, other: Predictions) -> npt.NDArray[np.bool_] | None:
    """Return, of the rows that both have in the order of ``judged``, which it fits and the other rejects."""
    own, others = given_shares(judged), given_shares(other)
    if own is None or others is None:
        return None
    share_of = dict(zip(other.ids, others.tolist(), strict=True))
    pairs = [(share, share_of[id]) for id, share in zip(judged.ids, own.tolist(), strict=True) if id in share_of]
    return np.array([mine >= CONFIDENT and theirs <= REJECTED for mine, theirs in pairs], dtype=bool)
