"""Overfitting and its cure, side by side: one data set, one model, and only fine-tuning settings and regularization changed.

``python benchmarks/overfitting.py movie-reviews`` or ``imdb`` trains both recipes and prints training and validation accuracy,
each measured with dropout off, on fixed rows; no test row is opened.
"""

import argparse
from dataclasses import replace
from typing import Any

from harness import SHARED, row
from pretune import FinetuneConfig, TextClassifier, load_data
from pretune.data.clean import clean_examples
from pretune.data.read.path import read_table
from pretune.data.seal.seal import TrainingData
from pretune.data.split.divide import split_validation
from pretune.evaluate import evaluate_sources

# Rows of the training part whose accuracy is shown.
SHOWN_ROWS = 1_000
IMDB_ROWS = 2_400

HARD = FinetuneConfig(learning_rate=2e-4, dropout=0.0, weight_decay=0.0, decay="constant", patience=9)
SOFT = FinetuneConfig(learning_rate=1e-4, dropout=0.1, label_smoothing=0.1, weight_decay=0.1)
RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "movie-reviews": {
        "overfits": {"epochs": 4, "freeze": "none", "config": HARD},
        "cured": {"epochs": 1, "freeze": "none", "config": SOFT},
    },
    "imdb": {
        "overfits": {"epochs": 4, "freeze": "none", "config": replace(HARD, max_length=256)},
        "cured": {"epochs": 2, "freeze": "none", "config": replace(SOFT, max_length=256)},
    },
}


def main() -> None:
    """Measure the data sets named, unless kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", default=list(RECIPES))
    for name in parser.parse_args().data:
        row(f"overfitting-{name}", lambda name=name: measure(name))


def measure(name: str) -> dict[str, Any]:
    """Train both recipes on the same rows; each keeps the epoch that its monitored metric calls best."""
    training = load_data("movie-reviews").training if name == "movie-reviews" else imdb()
    found = {}
    for recipe, settings in RECIPES[name].items():
        model = TextClassifier("minilm", **settings).fit(training)
        epochs = [[v.epoch, v.training_loss, v.training_accuracy, v.loss, v.accuracy] for v in model.history_.validations]
        seen = accuracy(model, training.train[:SHOWN_ROWS])
        validation = accuracy(model, training.validation)
        settings = {"epochs": settings["epochs"], "freeze": settings["freeze"], **changed(settings["config"])}
        found[recipe] = {
            "settings": settings,
            "epochs": epochs,
            "kept_epoch": model.history_.best_epoch,
            "training": seen,
            "validation": validation,
        }
        print(f"  {recipe}: training {seen[0]:.3f}, validation {validation[0]:.3f}", flush=True)
    return {"num_train": len(training.train), "num_validation": len(training.validation), **found}


def imdb() -> TrainingData:
    """Return a fixed sample of the official training half, a validation part held out of it by film."""
    rows, _ = clean_examples(read_table(SHARED / "imdb_train.jsonl.gz").examples)
    step = len(rows) // IMDB_ROWS
    train, validation, _ = split_validation(rows[::step][:IMDB_ROWS])
    return TrainingData(train=train, validation=validation, classes=tuple(sorted({str(row.label) for row in rows})))


def accuracy(model: TextClassifier, rows: Any) -> tuple[float, float | None, float | None]:
    """Return accuracy with its interval."""
    score = evaluate_sources([model.predictions(rows, "train")], main="finetuned").find("accuracy")
    return (score.value, score.low, score.high) if score is not None and score.value is not None else (float("nan"), None, None)


def changed(config: FinetuneConfig) -> dict[str, Any]:
    """Return the fields that differ from the defaults."""
    default = FinetuneConfig().get_params()
    return {name: value for name, value in config.get_params().items() if value != default[name]}


if __name__ == "__main__":
    main()
