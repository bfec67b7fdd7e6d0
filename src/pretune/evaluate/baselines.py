"""What is possible without a language model: the commonest class, a guess, and a linear model on word counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from pretune import storage
from pretune.errors import DataError, MissingLabelsError, StorageError
from pretune.evaluate.arrays import Order, read_described, write_described
from pretune.evaluate.choose import is_unbalanced
from pretune.evaluate.decide import decide_by
from pretune.evaluate.temperature import softmax
from pretune.records import Example, Predictions

Weights = npt.NDArray[np.float32]

# A word, or one sign: "!" and "$" tell much about reviews and spam.
TOKEN_PATTERN = r"(?u)\w+|[^\w\s]"
# The commonest words and pairs of words; more hardly change the figures and make the folder large.
MAX_TERMS = 100_000
# Inverse strengths of regularization that are tried on a held-out fifth of training.
STRENGTHS = (1.0, 4.0, 16.0)
# Rows of the rarest class below which nothing is held out, and the middle strength is taken.
MIN_FOR_SEARCH = 20


def majority(train_labels: Sequence[str], examples: Sequence[Example], *, split: str, classes: tuple[str, ...]) -> Predictions:
    """Predict the commonest training label for every row, with the shares in training as probabilities."""
    counts = Counter(train_labels)
    if not counts:
        raise DataError("no training labels", expected="at least one", fix="pass labelled training rows")
    commonest = max(classes, key=lambda label: counts[label])
    shares = tuple(counts[label] / len(train_labels) for label in classes)
    return make_predictions("majority", examples, split, classes, [commonest] * len(examples), [shares] * len(examples))


def prior(
    train_labels: Sequence[str], examples: Sequence[Example], *, split: str, classes: tuple[str, ...], seed: int = 0
) -> Predictions:
    """Guess every row's label at random, each class as often as it comes in training: what knowing only the shares is worth.

    The majority class has the better accuracy, this has figures for every class.

    Args:
        train_labels: Of all training rows.
        examples: Rows to guess.
        split: Which split they are.
        classes: In the order of the probabilities.
        seed: Of the guesses; the same rows and seed give the same ones.
    """
    shares = majority(train_labels, examples, split=split, classes=classes).probabilities or ()
    if not examples:
        return make_predictions("prior", examples, split, classes, [], [])
    known = np.array(shares[0])  # less than 1 together where training has further classes
    guesses = np.random.default_rng(seed).choice(len(classes), len(examples), p=known / known.sum() if known.any() else None)
    return make_predictions("prior", examples, split, classes, [classes[guess] for guess in guesses], shares)


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """TF-IDF of words and pairs of words, and a logistic regression over them.

    Args:
        classes: In the order of the probabilities.
        terms: The vocabulary; a term's position is its column.
        idf: Weight of each term, shape (num_terms,).
        weights: Shape (num_classes, num_terms), or (1, num_terms) for two classes.
        intercepts: Shape (num_classes,) or (1,).
        strength: The chosen inverse regularization.
        positive: The class that ``threshold`` is about.
        threshold: Least probability of ``positive`` that decides for it; ``None`` for the largest class.
    """

    classes: tuple[str, ...]
    terms: tuple[str, ...]
    idf: Weights
    weights: Weights
    intercepts: Weights
    strength: float
    positive: str | None = None
    threshold: float | None = None

    def predict(self, examples: Sequence[Example], *, split: str, classes: tuple[str, ...] | None = None) -> Predictions:
        """Return labels and probabilities; ``classes`` sets the order of the columns."""
        order = classes if classes is not None else self.classes
        own = self.probabilities([example.text for example in examples])  # (examples, classes)
        columns = [own[:, self.classes.index(label)] if label in self.classes else np.zeros(len(own)) for label in order]
        table = np.stack(columns, axis=1)
        predicted = [order[index] for index in table.argmax(axis=1)]
        found = make_predictions("linear", examples, split, order, predicted, table.tolist())
        return decide_by(found, self.positive, self.threshold)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return shape (num_texts, num_classes), rows summing to 1."""
        if not texts:
            return np.zeros((0, len(self.classes)))
        features = self._vectorizer().transform(texts)
        logits = features @ self.weights.T.astype(float) + self.intercepts.astype(float)
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        return softmax(logits)

    def decided_by(self, positive: str | None, threshold: float | None) -> "LinearModel":
        """Return the same model with another threshold."""
        return replace(self, positive=positive, threshold=threshold)

    def save(self, folder: Path) -> None:
        """Write ``model.json`` and ``model.safetensors``; nothing is pickled."""
        storage.replace(folder, self._fill)

    def _fill(self, folder: Path) -> None:
        described = {"classes": list(self.classes), "strength": self.strength, "terms": list(self.terms)}
        described |= {"positive": self.positive, "threshold": self.threshold}
        arrays = {"idf": self.idf, "weights": self.weights, "intercepts": self.intercepts}
        write_described(folder, "model", described, arrays)

    def _vectorizer(self) -> TfidfVectorizer:
        vectorizer = _new_vectorizer(vocabulary={term: column for column, term in enumerate(self.terms)})
        vectorizer.idf_ = self.idf.astype(float)
        return vectorizer


def fit_linear(examples: Sequence[Example], *, seed: int = 0) -> LinearModel:
    """Fit the baseline that a language model has to beat, from training rows alone.

    The strength of regularization is chosen on a fifth of the rows held out at random, by accuracy, or by macro F1 where
    one class holds over 60 %; there the classes are also weighted equally.

    Args:
        examples: Labelled rows of at least two classes.
        seed: Seed of the hold-out; the same rows and seed give the same bits.

    Raises:
        MissingLabelsError: A row has no label.
        DataError: Fewer than two classes.
    """
    labels = labels_of(examples)
    vectorizer = _new_vectorizer(max_features=MAX_TERMS)
    features = vectorizer.fit_transform([example.text for example in examples])
    strength = choose_strength(features, labels, seed)
    model = new_regression(strength, labels).fit(features, labels)
    return LinearModel(
        classes=tuple(str(label) for label in model.classes_),
        terms=tuple(str(term) for term in vectorizer.get_feature_names_out()),
        idf=vectorizer.idf_.astype(np.float32),
        weights=model.coef_.astype(np.float32),
        intercepts=model.intercept_.astype(np.float32),
        strength=strength,
    )


def load_linear(folder: Path, *, order: Order | None = None) -> LinearModel:
    """Read what ``LinearModel.save`` wrote.

    Args:
        folder: Where it lies.
        order: How the weights lie where an earlier version wrote them, which does not say so.

    Raises:
        StorageError: A file is missing or does not fit the other, or the weights may be scrambled.
    """
    storage.settle(folder)
    described, arrays = read_described(folder, "model", order)
    try:
        return _assemble(described, arrays)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StorageError(f"{folder} is damaged: {error}", fix="fit the run again") from error


def _assemble(described: dict[str, Any], arrays: dict[str, Weights]) -> LinearModel:
    model = LinearModel(
        classes=tuple(map(str, described["classes"])),
        terms=tuple(map(str, described["terms"])),
        strength=float(described["strength"]),
        positive=described.get("positive"),
        threshold=described.get("threshold"),
        **arrays,
    )
    num_terms, rows = len(model.terms), 1 if len(model.classes) == 2 else len(model.classes)
    if len(model.idf) != num_terms:
        raise ValueError(f"it has {len(model.idf)} weights for {num_terms} terms")
    if model.weights.shape != (rows, num_terms) or model.intercepts.shape != (rows,) or len(set(model.terms)) != num_terms:
        raise ValueError("weights, classes and terms do not fit each other")
    if not all(np.isfinite(part).all() for part in (model.idf, model.weights, model.intercepts)):
        raise ValueError("a weight is no finite number")
    return model


def choose_strength(
    features: npt.ArrayLike, labels: Sequence[str], seed: int, strengths: tuple[float, ...] = STRENGTHS
) -> float:
    """Return the inverse regularization that does best on a fifth held out; the middle one where rows are few."""
    if min(Counter(labels).values()) < MIN_FOR_SEARCH:
        return strengths[1]
    order = np.random.default_rng(seed).permutation(len(labels))
    held, kept = order[: len(order) // 5], order[len(order) // 5 :]
    names = np.asarray(labels)
    # rows of a sparse matrix are taken as those of an array are
    scores = []
    for strength in strengths:
        predicted = new_regression(strength, labels).fit(features[kept], names[kept]).predict(features[held])  # type: ignore
        scores.append(_quality(names[held], predicted, is_unbalanced(labels)))
    return strengths[int(np.argmax(scores))]


def _quality(labels: npt.NDArray[np.str_], predicted: npt.NDArray[np.str_], unbalanced: bool) -> float:
    return (
        float(f1_score(labels, predicted, average="macro", zero_division=0))
        if unbalanced
        else float((labels == predicted).mean())
    )


def _new_vectorizer(**settings: object) -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=TOKEN_PATTERN, **settings)


def new_regression(strength: float, labels: Sequence[str]) -> LogisticRegression:
    """Return an unfitted logistic regression; classes count alike where one holds over 60 %."""
    return LogisticRegression(C=strength, max_iter=1_000, tol=1e-3, class_weight="balanced" if is_unbalanced(labels) else None)


def labels_of(examples: Sequence[Example]) -> list[str]:
    """Return the labels of training rows.

    Raises:
        MissingLabelsError: A row has none.
        DataError: Fewer than two classes.
    """
    labels = [example.label for example in examples if example.label is not None]
    if len(labels) != len(examples):
        raise MissingLabelsError(
            f"{len(examples) - len(labels)} training rows have no label", fix="label them or leave them out"
        )
    if len(set(labels)) < 2:
        raise DataError(f"training holds {len(set(labels))} classes", expected="at least 2", fix="add rows of another class")
    return labels


def make_predictions(
    source: str,
    examples: Sequence[Example],
    split: str,
    classes: tuple[str, ...],
    predicted: Sequence[str],
    probabilities: Sequence[Sequence[float]],
) -> Predictions:
    """Put together what a baseline says about rows."""
    return Predictions(
        source=source,
        split=split,
        classes=classes,
        ids=tuple(example.id for example in examples),
        labels=tuple(example.label for example in examples),
        predicted=tuple(predicted),
        probabilities=tuple(tuple(row) for row in probabilities),
    )
