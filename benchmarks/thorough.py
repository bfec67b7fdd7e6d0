"""Wrong labels found by ``--thorough``: three models trained like a run's own, each asked about rows it has not seen."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from error_rates import share_of
from planted_texts import plant_wrong_labels
from pretune import storage
from pretune.configs import FinetuneConfig
from pretune.data.clean import clean_examples
from pretune.data.read.path import read_table
from pretune.data.seal.seal import TrainingData
from pretune.diagnose.label_errors import estimate_error_share, rank_label_errors
from pretune.hashing import digest_of_lines, fingerprint
from pretune.records import Example, Predictions
from pretune.run.prediction_tables import parse_predictions, predictions_csv
from pretune.run.trace import Trace
from pretune.tasks.classify.estimator import TextClassifier
from pretune.tasks.classify.folds import deal, predict_out_of_fold

SHARE, NUM_VALIDATION = 0.05, 300
CONFIG = FinetuneConfig(learning_rate=1e-4, dropout=0.0, max_length=64)


class Kept:
    """A classifier whose answers are kept in a folder, so that a benchmark that was cut off goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seed = folder, 0

    def __sklearn_clone__(self) -> Self:
        return type(self)(self.folder)

    def fit(self, training: TrainingData, *, trace: Trace) -> Self:
        """Train, unless the answers are there."""
        self._file = self.folder / f"{digest_of_lines(f'{row.id} {row.label}' for row in training.train)[:16]}.csv"
        if not self._file.is_file():
            self._model = TextClassifier("minilm", epochs=1, freeze="none", config=CONFIG).fit(training, trace=trace)
        return self

    def predictions(self, rows: tuple[Example, ...], split: str, *, trace: Trace) -> Predictions:
        """Answer, or read the answers."""
        if not self._file.is_file():
            storage.replace(self._file, predictions_csv(self._model.predictions(rows, split, trace=trace)))
        return parse_predictions(self._file.read_text(encoding="utf-8"), split=split, source="finetuned")


def measure_thorough(name: str, *, folder: Path, max_rows: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Plant 5 % wrong labels in a data set of the catalogue, and look at as many of the likeliest as were planted.

    One row in ten is set aside, 300 of them choose the epoch. The rows' own wrong labels count as misses: nobody knows them.
    """
    rows, _ = clean_examples(read_table(name).examples)
    distinct = list({fingerprint(row.text): row for row in rows}.values())[:max_rows]
    given, wrong = plant_wrong_labels(distinct, SHARE, seed)
    order = np.random.default_rng(7).permutation(len(given))
    held = set(order[: len(given) // 10].tolist())
    train = tuple(row for place, row in enumerate(given) if place not in held)
    validation = tuple(row for place, row in enumerate(given) if place in held)[:NUM_VALIDATION]
    classes = tuple(sorted({str(row.label) for row in given}))
    training = TrainingData(train=train, validation=validation, classes=classes)
    found = predict_out_of_fold(Kept(folder), training, deal(train, threshold=0.8, seed=0), trace=Trace())  # type: ignore[arg-type]
    true = {row.id: row.label for row in distinct}
    planted = wrong & {row.id for row in train}
    estimate = estimate_error_share(found)
    return {
        "data": name,
        "rows": len(train),
        "share": SHARE,
        "seeds": 1,
        "accuracy out of fold": float(np.mean([said == true[id] for id, said in zip(found.ids, found.predicted, strict=True)])),
        "estimated share": [estimate.share, estimate.low, estimate.high],
        "precision": share_of(len(planted & set(rank_label_errors(found)[: len(planted)])), len(planted)),
    }
