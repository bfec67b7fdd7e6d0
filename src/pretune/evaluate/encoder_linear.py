"""What the language model knew before fine-tuning: a logistic regression over the vectors of the encoder as it came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune import storage
from pretune.errors import StorageError
from pretune.evaluate.arrays import Order, read_described, write_described
from pretune.evaluate.baselines import choose_strength, labels_of, make_predictions, new_regression
from pretune.evaluate.decide import decide_by
from pretune.evaluate.temperature import softmax
from pretune.records import Example, Predictions

Features = npt.NDArray[np.float32]

SOURCE = "encoder_linear"
# Inverse strengths of regularization that are tried, for columns of variance 1.
STRENGTHS = (0.003, 0.03, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class EncoderLinear:
    """A logistic regression over vectors of texts.

    Args:
        classes: In the order of the probabilities.
        weights: Shape (num_classes, width), or (1, width) for two classes.
        intercepts: Shape (num_classes,) or (1,).
        strength: The chosen inverse regularization.
        encoder: Whose vectors: catalogue name, folder or hub id.
        max_length: Tokens a text that the encoder read.
        positive: The class that ``threshold`` is about.
        threshold: Least probability of ``positive`` that decides for it; ``None`` for the largest class.
    """

    classes: tuple[str, ...]
    weights: Features
    intercepts: Features
    strength: float
    encoder: str
    max_length: int
    positive: str | None = None
    threshold: float | None = None

    def predict(
        self, features: Features, examples: Sequence[Example], *, split: str, classes: tuple[str, ...] | None = None
    ) -> Predictions:
        """Return labels and probabilities of rows whose vectors are given; ``classes`` sets the order of the columns."""
        order = classes if classes is not None else self.classes
        logits = features.astype(float) @ self.weights.T.astype(float) + self.intercepts.astype(float)
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        own = softmax(logits) if len(logits) else logits
        columns = [own[:, self.classes.index(label)] if label in self.classes else np.zeros(len(own)) for label in order]
        table = np.stack(columns, axis=1)
        predicted = [order[index] for index in table.argmax(axis=1)]
        found = make_predictions(SOURCE, examples, split, order, predicted, table.tolist())
        return decide_by(found, self.positive, self.threshold)

    def decided_by(self, positive: str | None, threshold: float | None) -> "EncoderLinear":
        """Return the same model with another threshold."""
        return replace(self, positive=positive, threshold=threshold)

    def save(self, folder: Path) -> None:
        """Write ``features.json`` and ``features.safetensors``; nothing is pickled."""
        storage.replace(folder, self._fill)

    def _fill(self, folder: Path) -> None:
        names = ("strength", "encoder", "max_length", "positive", "threshold")
        described = {"classes": list(self.classes), **{name: getattr(self, name) for name in names}}
        write_described(folder, "features", described, {"weights": self.weights, "intercepts": self.intercepts})


def fit_encoder_linear(
    features: Features, examples: Sequence[Example], *, encoder: str, max_length: int, seed: int = 0
) -> EncoderLinear:
    """Fit the baseline that fine-tuning has to beat, from training rows alone; settings are chosen as for the linear baseline.

    Args:
        features: Vectors of the rows, shape (num_examples, width).
        examples: Labelled rows of at least two classes.
        encoder: Whose vectors they are.
        max_length: Tokens a text that it read.
        seed: Seed of the hold-out; the same rows and seed give the same bits.

    Raises:
        MissingLabelsError: A row has no label.
        DataError: Fewer than two classes.
    """
    labels, table = labels_of(examples), features.astype(float)
    centre, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
    scaled = (table - centre) / spread
    strength = choose_strength(scaled, labels, seed, STRENGTHS)
    model = new_regression(strength, labels).fit(scaled, labels)
    weights = model.coef_ / spread
    return EncoderLinear(
        classes=tuple(str(label) for label in model.classes_),
        weights=weights.astype(np.float32),
        intercepts=(model.intercept_ - weights @ centre).astype(np.float32),
        strength=strength,
        encoder=encoder,
        max_length=max_length,
    )


def load_encoder_linear(folder: Path, *, order: Order | None = None) -> EncoderLinear:
    """Read what ``EncoderLinear.save`` wrote.

    Args:
        folder: Where it lies.
        order: How the weights lie where an earlier version wrote them, which does not say so.

    Raises:
        StorageError: A file is missing or damaged, or the weights may be scrambled.
    """
    described, arrays = read_described(folder, "features", order)
    try:
        known: dict[str, Any] = {name: described.get(name) for name in ("positive", "threshold")}
        kept: dict[str, Any] = {name: described[name] for name in ("strength", "encoder", "max_length")}
        classes = tuple(map(str, described["classes"]))
        weights, intercepts = arrays["weights"], arrays["intercepts"]
        model = EncoderLinear(classes=classes, weights=weights, intercepts=intercepts, **kept, **known)
        rows = 1 if len(classes) == 2 else len(classes)
        if model.weights.ndim != 2 or len(model.weights) != rows or model.intercepts.shape != (rows,):
            raise ValueError("weights and classes do not fit each other")
        if not (np.isfinite(model.weights).all() and np.isfinite(model.intercepts).all()):
            raise ValueError("a weight is no finite number")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(f"{folder} is damaged: {error}", fix="fit the run again") from error
    return model
