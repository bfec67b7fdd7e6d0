"""Every figure of 100,000 predictions with 10,000 resamples, and every comparison: seconds, and memory at the peak.

``python benchmarks/bootstrap_speed.py`` prints one line a case; ``--rows`` and ``--classes`` change it, ``--write`` keeps the
result. The rival is what one would write first: resample rows and ask scikit-learn again; it is timed on a few resamples.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, roc_auc_score

from harness import row
from pretune.evaluate import compare_metrics, score_predictions
from pretune.records import Predictions, Terms

NUM_RESAMPLES, NUM_TRIED = 10_000, 5


def simulated(num_rows: int, num_classes: int, source: str, seed: int) -> Predictions:
    """A model that is right in about nine of ten rows; the labels depend on no seed."""
    labels = np.random.default_rng(0).integers(num_classes, size=num_rows)
    logits = np.random.default_rng(seed).normal(size=(num_rows, num_classes))
    logits[np.arange(num_rows), labels] += 2 + 0.4 * num_classes**0.5
    powers = np.exp(logits)
    shares = powers / powers.sum(axis=1, keepdims=True)
    classes = tuple(f"class {index:02}" for index in range(num_classes))
    return Predictions(
        source=source,
        split="test",
        classes=classes,
        ids=tuple(map(str, range(num_rows))),
        labels=tuple(classes[index] for index in labels),
        predicted=tuple(classes[index] for index in shares.argmax(axis=1)),
        probabilities=tuple(map(tuple, shares.tolist())),
    )


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock and of the processor, and the peak memory of the process so far, in MB."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    seconds = {"seconds": time.perf_counter() - clock, "processor_seconds": time.process_time() - processor}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {name: round(value, 2) for name, value in seconds.items()} | {"peak_mb": round(peak)}


def resample_rows(model: Predictions) -> dict[str, float]:
    """What 10,000 resamples of rows would take, from a few: F1, correlation, ROC and PR area, and no interval yet."""
    labels, predicted = np.array(model.labels) == model.classes[1], np.array(model.predicted) == model.classes[1]
    shares = np.array(model.probabilities)[:, 1]
    generator, start = np.random.default_rng(0), time.process_time()
    for _ in range(NUM_TRIED):
        drawn = generator.integers(len(labels), size=len(labels))
        for measure in (f1_score, matthews_corrcoef):
            measure(labels[drawn], predicted[drawn])
        for measure in (roc_auc_score, average_precision_score):
            measure(labels[drawn], shares[drawn])
    spent = time.process_time() - start
    return {"processor_seconds_of_10000": round(spent / NUM_TRIED * NUM_RESAMPLES), "resamples_timed": NUM_TRIED}


def measure(num_rows: int, num_classes: int) -> dict[str, Any]:
    """Time the figures of one model, alone and in groups of seven rows, then the comparison with another."""
    model = simulated(num_rows, num_classes, "first", 1)
    groups = {name: f"group {index // 7}" for index, name in enumerate(model.ids)}
    found: dict[str, Any] = {"figures": timed(lambda: score_predictions(model))}
    found["figures, groups"] = timed(lambda: score_predictions(model, Terms(groups=groups)))
    other = simulated(num_rows, num_classes, "second", 2)
    found["comparisons"] = timed(lambda: compare_metrics(model, other))
    found["comparisons, groups"] = timed(lambda: compare_metrics(model, other, Terms(groups=groups)))
    if num_classes == 2:
        found["rival: rows resampled"] = resample_rows(model)
    return {"num_rows": num_rows, "num_classes": num_classes, "num_resamples": NUM_RESAMPLES, **found}


def main() -> None:
    """Print, and keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results")
    arguments = parser.parse_args()
    if arguments.write:
        row(f"bootstrap-speed-{arguments.classes}", lambda: measure(arguments.rows, arguments.classes), again=True)
        return
    print(f"{arguments.rows:,} rows, {arguments.classes} classes, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name, value in measure(arguments.rows, arguments.classes).items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
