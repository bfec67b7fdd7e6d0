"""``--thorough``: every training row judged by a model that was not trained on it, nor on a near copy of it.

The training rows are divided into three parts. Three models are trained like the run's own, each on two of the parts, and
answer for the third. That costs twice the run's training. A linear model of the same rows is included, because it errs
elsewhere. The answers are kept as predictions of the source ``out_of_fold``, for the checks of labels and of memorized rows.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from pretune.data.alike.duplicates import find_duplicates, join_components
from pretune.data.seal.seal import TrainingData
from pretune.errors import DataError
from pretune.evaluate.baselines import fit_linear
from pretune.evaluate.temperature import softmax
from pretune.records import Example, Predictions, RunRecord
from pretune.run import RunFolder
from pretune.run.trace import Trace
from pretune.tasks.classify.estimator import TextClassifier

OUT_OF_FOLD = "out_of_fold"
NUM_FOLDS = 3
# Weight of the linear model's log probabilities beside those of the language model. A fine-tuned model learns how often labels
# are wrong as well, and is never surer than that, which hides their share (docs/decisions/0023).
LINEAR_WEIGHT = 0.5
# Probability below which no model's doubt in a class counts for more.
LEAST = 1e-4


def add_out_of_fold(training: TrainingData, record: RunRecord, folder: RunFolder, trace: Trace) -> None:
    """Train what is asked about each part, and keep the answers in the run; a run that has them is left as it is.

    Args:
        training: Of the run; its validation rows choose the epochs, as they did for the run.
        record: Says how the run was trained.
        folder: Of the run.
        trace: Receives the stages of every training.
    """
    if folder.has_predictions("train", OUT_OF_FOLD):
        return
    config = record.settings
    tested = record.history.range_test if record.history is not None else None
    settings = replace(config.finetune, positive=config.finetune.positive or config.judge.positive)
    if tested is not None:  # one rate for all
        settings = replace(settings, learning_rate=tested.learning_rate)
    model = TextClassifier(config.model, epochs=config.epochs, freeze=config.freeze, seed=config.seed, config=settings)
    parts = deal(training.train, threshold=config.split.near_duplicate_threshold, seed=config.split.seed)
    found = predict_out_of_fold(model, training, parts, trace=trace)
    folder.write_predictions(found)


def predict_out_of_fold(
    model: TextClassifier, training: TrainingData, parts: npt.NDArray[np.int64], *, trace: Trace
) -> Predictions:
    """Return what models that did not see them say about the training rows, in their order.

    Args:
        model: Unfitted; its clones are fitted.
        training: Rows, and validation rows that choose the epoch.
        parts: Number of each training row's part, shape (num_rows,).
        trace: Receives the stages.
    """
    numbers, answers = np.unique(parts), dict[str, tuple[str, tuple[float, ...]]]()
    for count, number in enumerate(numbers.tolist(), start=1):
        trace.note(f"out of fold {count} of {len(numbers)}")
        trace.training(f"fold-{count}")
        kept, asked = (
            tuple(row for row, is_in in zip(training.train, chosen, strict=True) if is_in)
            for chosen in (parts != number, parts == number)
        )
        one = clone(model).fit(replace(training, train=kept), trace=trace)
        said = one.predictions(asked, "train", trace=trace)
        simple = fit_linear(kept, seed=model.seed).predict(asked, split="train", classes=training.classes)
        shares = blend(said, simple)
        best = [training.classes[column] for column in shares.argmax(axis=1)]
        answers |= dict(zip(said.ids, zip(best, map(tuple, shares.tolist()), strict=True), strict=True))
    rows = training.train
    return Predictions(
        source=OUT_OF_FOLD,
        split="train",
        classes=training.classes,
        ids=tuple(row.id for row in rows),
        labels=tuple(row.label for row in rows),
        predicted=tuple(answers[row.id][0] for row in rows),
        probabilities=tuple(answers[row.id][1] for row in rows),
    )


def blend(first: Predictions, second: Predictions) -> npt.NDArray[np.float64]:
    """Return the probabilities of the first with a say of the second, shape (num_rows, num_classes)."""
    logs = [np.log(np.maximum(np.asarray(item.probabilities, float), LEAST)) for item in (first, second)]
    return softmax(logs[0] + LINEAR_WEIGHT * logs[1])


def deal(rows: Sequence[Example], *, threshold: float, seed: int, num_folds: int = NUM_FOLDS) -> npt.NDArray[np.int64]:
    """Return the number of each row's part: clusters of near copies and groups stay together, labels are spread alike.

    Args:
        rows: Training rows.
        threshold: Similarity from which texts are near copies.
        seed: Of the dealing.
        num_folds: Parts.

    Raises:
        DataError: All rows are one cluster or group, or a class is in one part only.
    """
    found = find_duplicates([row.text for row in rows], threshold=threshold)
    cluster = join_components(found.component, [row.group for row in rows])
    sizes, first = np.bincount(cluster), np.unique(cluster, return_index=True)[1]
    label_of = [str(rows[row].label) for row in first]
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]  # large ones first, so that the small ones even the parts out
    part, filled = np.zeros(len(sizes), dtype=np.int64), dict[str, list[int]]()
    for number in order.tolist():
        held = filled.setdefault(label_of[number], [0] * num_folds)
        part[number] = held.index(min(held))
        held[int(part[number])] += int(sizes[number])
    dealt: npt.NDArray[np.int64] = part[cluster]
    alone = [
        label
        for label in sorted({str(row.label) for row in rows})
        if len({int(number) for row, number in zip(rows, dealt, strict=True) if str(row.label) == label}) < 2
    ]
    if alone:
        raise DataError(
            f"the training rows of {alone[0]} are all near copies or one group, so no model could judge them",
            expected="rows of each class in at least two parts",
            fix="leave out --thorough, or add rows of that class",
        )
    return dealt
