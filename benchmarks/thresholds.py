"""Is a chosen threshold better than 0.5 on rows that it was not chosen on?

TF-IDF + logistic regression scores two unbalanced sets. A third of the rows trains it, validation rows are drawn from the rest
many times, and what remains is scored. "Moved" log odds are shifted by one unit, which is what another class weight does.
"""

import argparse
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from harness import SHARED, row
from pretune import load_data
from pretune.data.dataset import Dataset
from pretune.evaluate.aims import Aim
from pretune.evaluate.threshold import choose_threshold
from pretune.records import Predictions

GATES = {"precision": 0.8, "recall": 0.8}
RULES = {"asked": True, "not asked": False}
CASES = (
    ("sms-spam", 0.0, 300), ("sms-spam", 0.0, 800), ("sms-spam", 1.0, 300), ("sms-spam", 1.0, 800),
    ("hate-tweets", 0.0, 300), ("hate-tweets", 0.0, 2000), ("hate-tweets", -1.0, 300), ("hate-tweets", -1.0, 800),
)  # fmt: skip


def main() -> None:
    """Measure every case, unless kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=60)
    draws = parser.parse_args().draws
    row("thresholds", lambda: measure(draws))


def measure(draws: int) -> dict[str, Any]:
    """Return, for each case and rule, the mean smaller one of precision and recall, its spread, and how often 0.5 was left."""
    scored = {name: score(open_data(name)) for name in ("sms-spam", "hate-tweets")}
    return {"draws": draws, "cases": [try_rules(*scored[name], name, shift, rows, draws) for name, shift, rows in CASES]}


def open_data(name: str) -> Dataset:
    """Return the data; only training and validation rows are used, the test stays sealed."""
    return (
        load_data("sms-spam") if name == "sms-spam" else load_data(SHARED / "hate_tweets.jsonl.gz", text="text", label="label")
    )


def score(data: Dataset) -> tuple[Any, Any]:
    """Return log odds of the rarer class, and which rows are of it, for rows that trained nothing."""
    rows = [*data.train, *data.validation]
    order = np.random.default_rng(0).permutation(len(rows))
    texts, labels = [rows[index].text for index in order], np.array([str(rows[index].label) for index in order])
    names, sizes = np.unique(labels, return_counts=True)
    is_positive, cut = labels == names[sizes.argmin()], len(rows) // 3
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]")
    features = vectorizer.fit_transform(texts[:cut])
    model = LogisticRegression(C=4, max_iter=1000, class_weight="balanced").fit(features, is_positive[:cut])
    return model.decision_function(vectorizer.transform(texts[cut:])), is_positive[cut:]


def try_rules(odds: Any, is_positive: Any, name: str, shift: float, num_rows: int, draws: int) -> dict[str, Any]:
    """Choose on ``num_rows`` rows drawn at random, and score the others."""
    chances, found = 1 / (1 + np.exp(-(odds + shift))), {rule: [] for rule in ("0.5", *RULES)}
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(chances))
        known, others = order[:num_rows], order[num_rows:]
        given = as_predictions(chances[known], is_positive[known])
        thresholds = {"0.5": 0.5}
        for rule, is_asked in RULES.items():
            choice = choose_threshold(given, Aim(positive="1", gates=GATES, is_asked=is_asked))
            thresholds[rule] = 0.5 if choice.threshold is None else choice.threshold
        for rule, threshold in thresholds.items():
            found[rule].append([smaller(chances[others] >= threshold, is_positive[others]), threshold != 0.5])
    figures = {
        rule: {"mean": np.mean(seen, axis=0)[0], "deviation": np.std(seen, axis=0)[0], "left": np.mean(seen, axis=0)[1]}
        for rule, seen in found.items()
    }
    return {"data": name, "shift": shift, "validation_rows": num_rows, "scored_rows": len(chances) - num_rows, **figures}


def smaller(called: Any, is_positive: Any) -> float:
    """Return the smaller one of precision and recall."""
    hits = (called & is_positive).sum()
    return float(min(hits / max(1, called.sum()), hits / is_positive.sum()))


def as_predictions(chances: Any, is_positive: Any) -> Predictions:
    """Return validation predictions of two classes."""
    return Predictions(
        source="linear", split="validation", classes=("0", "1"), ids=tuple(map(str, range(len(chances)))),
        labels=tuple("1" if item else "0" for item in is_positive),
        predicted=tuple("1" if item >= 0.5 else "0" for item in chances),
        probabilities=tuple((1 - float(item), float(item)) for item in chances),
    )  # fmt: skip


if __name__ == "__main__":
    main()
