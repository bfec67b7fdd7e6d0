"""``TextClassifier``: fit, evaluate, predict, save — a scikit-learn classifier over a pre-trained language model."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score

from pretune.configs import FinetuneConfig
from pretune.configs.base import MAX_EPOCHS, check_count, check_seed, plain_number
from pretune.data.alike.units import find_copies, with_units
from pretune.data.arrays import Labels, Texts, as_texts, check_alone, to_examples, to_training_data
from pretune.data.clean import clean_text
from pretune.data.dataset import Dataset
from pretune.data.labels.classes import check_known
from pretune.data.labels.types import typed
from pretune.data.seal.known import count_look, warn_of_training
from pretune.data.seal.learned import Learned
from pretune.data.seal.seal import TrainingData
from pretune.errors import UsageError
from pretune.evaluate import evaluate_sources, score_predictions
from pretune.evaluate.baselines import LinearModel, fit_linear, majority, prior
from pretune.evaluate.decide import decide_by
from pretune.evaluate.probability_view import view_probabilities
from pretune.intervals import confidence_at
from pretune.models import ModelCard, save_model
from pretune.models.parity import PARITY_ROWS
from pretune.models.past import past_in, past_of
from pretune.predict import Scorer, check_saved
from pretune.records import Evaluation, Example, Predictions, PredictionTrace, ProbabilityView, Terms
from pretune.report.fitting import watched
from pretune.run.trace import Trace
from pretune.tasks.classify.boundary import resolve_freeze
from pretune.tasks.classify.calibrate import calibrate_network
from pretune.tasks.classify.fit import as_before, check_same_classes, fit_network
from pretune.tasks.classify.opened import load_scorer
from pretune.tasks.classify.prepare import Prepare, prepare_rows, tell_progress
from pretune.tasks.classify.start import start_by_regression, start_from
from pretune.train import Plan, Resume, choose_device, current_world, seed_everything


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A text classifier that starts from a pre-trained model.

    Args:
        model: Catalogue name, model folder or hub id.
        epochs: Maximum number of epochs; ``None`` means at most 10, with early stopping.
        freeze: ``none``, ``all``, ``last-K`` (train the head and the last K layers), ``auto`` (``none`` if bf16 is fast here or
            the table is small enough, else ``last-2``), ``gradual`` (the head, then one more layer per epoch), or stages such
            as ``all:2,last-2:1@1e-6``: boundary, epochs and peak rate of each.
        seed: Seed of the head's initial weights, dropout and the order of rows.
        config: How to fine-tune.

    Attributes:
        classes_: Labels, shape (num_classes,), sorted; numbers and booleans keep their type, labels of a table are text.
        history_: How training went: epochs, steps, the best epoch; ``print``, ``to_pandas()`` and ``plot()`` show it.
        token_counts_: How texts became tokens.
        calibration_: How far probabilities were from shares on validation, and the temperature applied, if any.

    Example:
        >>> classifier = TextClassifier("minilm", epochs=3).set_params(config__learning_rate=1e-4)
        >>> classifier.config.learning_rate
        0.0001
    """

    card_: ModelCard
    _prepare: Prepare = staticmethod(prepare_rows)  # replaced where several fits share the rows

    def __init__(
        self,
        model: str = "minilm",
        *,
        epochs: int | None = None,
        freeze: str = "none",
        seed: int = 0,
        config: FinetuneConfig = FinetuneConfig(),  # noqa: B008 - frozen, so one default serves all
    ) -> None:
        self.model, self.epochs, self.freeze, self.seed, self.config = model, epochs, freeze, seed, config

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``config__NAME`` replaces one field of the frozen config.

        Raises:
            UsageError: The config has no such field, or the value does not fit.
        """
        changes = {name.removeprefix("config__"): params.pop(name) for name in list(params) if name.startswith("config__")}
        super().set_params(**params)
        self.config = self.config.with_fields(changes)
        return self

    @as_before
    def fit(
        self,
        x: "Dataset | TrainingData | Texts",
        y: Labels | None = None,
        *,
        epochs: int | None = None,
        validation_data: tuple[Texts, Labels] | None = None,
        resume: bool | Path | Resume = False,
        trace: Trace | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Fine-tune from the pre-trained weights, and keep the weights of the best epoch.

        A fit that ends with an error or Ctrl-C leaves the classifier as it was.

        Args:
            x: The result of ``load_data``, or texts.
            y: Labels, if ``x`` is texts.
            epochs: Replaces the constructor's ``epochs``.
            validation_data: Texts and labels that choose the epoch; without them, 15 % of the rows are held out.
            resume: ``True`` starts from the weights that this classifier already has. A folder is saved to from time to time,
                and an interrupted fit resumes from it, to the bit; a ``Resume`` allows that after a change, too.
            trace: Receives stages, steps and validations.
            progress: Whether a bar and a table of epochs are shown; ``None`` shows them in a notebook and on a terminal.

        Raises:
            MissingLabelsError: Texts came without labels.
            DataError: The rows cannot be learned from.
            DivergedError: The loss stopped being finite.
        """
        length, seed = plain_number(epochs if epochs is not None else self.epochs), plain_number(self.seed)
        check_count(length, "epochs", most=MAX_EPOCHS)
        check_seed(seed)
        with watched(trace, progress=progress) as told:
            if isinstance(x, (Dataset, TrainingData)):
                check_alone(x, y=y, validation_data=validation_data)
                training = x.training if isinstance(x, Dataset) else x
            else:
                training = to_training_data(x, y, validation_data, told)
            if trace is None:
                warn_of_training([row.text for row in training.train])  # a run says so itself
            self._fit(training, length, seed, resume, told)
        return self

    def _fit(self, training: TrainingData, epochs: int | None, seed: int, resume: bool | Path | Resume, trace: Trace) -> None:
        config = self.config
        self.device_ = choose_device(config.device, precision=config.precision, threads=config.threads)
        seed_everything(seed)
        if resume is True and hasattr(self, "network_"):
            check_same_classes(training.classes, self.card_.classes)
            self.past_: Learned = self.learned()
        else:
            begun, self.past_ = start_from(self.model, config, training, trace), past_of(self.model)
            start_by_regression(begun, training, config, device=self.device_, seed=seed, trace=trace)
            self.network_, self.tokenizer_, self.card_ = begun.network, begun.tokenizer, begun.card
        self.network_.to(self.device_.kind)
        place = None if isinstance(resume, bool) else Resume(folder=resume) if isinstance(resume, Path) else resume
        freeze = resolve_freeze(self.freeze, self.device_.kind, self.model, training.train, config.max_length)
        plan = Plan(epochs=epochs, freeze=freeze, device=self.device_, seed=seed, checkpoints=place, world=current_world())
        prepared = self._prepare(self.network_, self.tokenizer_, training, config, plan, self.card_.max_length, trace)
        fitted = fit_network(self.network_, prepared, config=config, plan=plan, trace=trace)
        self.classes_ = typed(training.classes, training.label_type)
        self.history_, self.token_counts_, self.changes_ = fitted.history, fitted.token_counts, fitted.changes
        columns, kind = training.text_columns, training.label_type
        self.card_ = replace(self.card_, threshold=None, goal=None, text_columns=columns, label_type=kind)
        done = calibrate_network(self.scorer, training, fitted.validation_logits, is_wanted=config.calibrate, trace=trace)
        self.calibration_, self.card_ = done.calibration, done.card
        self.remember(training, done.validation)

    def remember(self, training: TrainingData, validation: Predictions) -> None:
        """Take note of what this classifier was fitted on, and of what it says about the validation rows."""
        self._training, self.validation_ = training, validation

    @property
    def fitted_on(self) -> TrainingData | None:
        """The rows of its last fit; ``None`` where a folder was loaded."""
        self._check_fitted()
        return getattr(self, "_training", None)

    def learned(self) -> Learned:
        """Return fingerprints of all texts that this classifier, and what it was made from, has learned from."""
        training = self.fitted_on
        rows = () if training is None else (*training.train, *training.validation)
        return self.past_.with_texts(row.text for row in rows)

    def train(self, *_args: object, **_options: object) -> NoReturn:
        """Point to ``fit``: scikit-learn's word for it."""
        raise UsageError("TextClassifier has no train", expected="fit(data, epochs=3)")

    def predict(self, texts: Texts) -> npt.NDArray[Any]:
        """Return labels, shape (num_texts,), decided by the largest class or the stored threshold."""
        shares = self.predict_proba(texts)
        return np.asarray(self.classes_[self.scorer.decide(shares)])

    def predict_proba(self, texts: Texts) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (num_texts, num_classes), columns as in ``classes_``.

        The saved model gives the same ones in plain transformers. With two classes and a stored threshold, 0.5 corresponds to
        the threshold; ``predictions`` and all figures keep the probabilities on which it was chosen.
        """
        scorer, given = self.scorer, as_texts(texts, self.card_.text_columns)
        return scorer.shares([clean_text(text) for text in given])

    def evaluate(self, x: "Dataset | Texts", y: Labels | None = None) -> Evaluation:
        """Score labelled rows; the result unpacks to ``loss, accuracy``.

        A ``Dataset`` has its validation rows scored, beside the baselines; the test stays sealed. Other rows count as a look if
        any of them is a sealed test row or was opened before (``data/seal/known.py``); the figures have that look's confidence.

        Raises:
            MissingLabelsError: ``x`` is texts and there is no ``y``.
        """
        if isinstance(x, Dataset):
            sources = [self.predict_validation(x.training), *self.baselines(x.training, x.validation, "validation")]
            return evaluate_sources(sources, self._terms(x.validation), main="finetuned")
        rows = self._read_rows(x, y)
        check_known(rows, self.card_.classes, "y")
        found, look = self._look_at(rows, "evaluate")
        terms = replace(self._terms(rows), confidence=confidence_at(look), look=look)
        return Evaluation(scores=score_predictions(found, terms))

    def probabilities(self, data: Dataset) -> ProbabilityView | None:
        """Return how far its probabilities on validation can be believed, to ``print`` or ``plot()``; no look is counted."""
        return view_probabilities(self.predict_validation(data.training), self.card_.positive)

    def score(self, X: "Dataset | Texts", y: Labels | None = None, sample_weight: Any = None) -> float:  # noqa: N803
        """Return the accuracy on labelled texts, as scikit-learn's classifiers do; counts looks like ``evaluate``."""
        if isinstance(X, Dataset):
            return float(self.evaluate(X).value("accuracy"))
        found, _ = self._look_at(self._read_rows(X, y), "score")
        return float(accuracy_score(found.labels, found.predicted, sample_weight=sample_weight))

    @property
    def scorer(self) -> Scorer:
        """What answers texts that are already clean."""
        self._check_fitted()
        precisely = self.device_.autocast if self.config.precision == "bf16" else contextlib.nullcontext
        return Scorer(network=self.network_, tokenizer=self.tokenizer_, card=self.card_, precisely=precisely)

    def predictions(self, rows: Sequence[Example], split: str, *, trace: Trace | None = None) -> Predictions:
        """Return labels and probabilities for examples that are already clean; figures and thresholds are about these."""
        return self.scorer.predictions(rows, split, progress=tell_progress(trace, f"scoring {split}"))

    def predict_validation(self, training: TrainingData) -> Predictions:
        """Return predictions for the validation rows: those of the kept epoch, where training has just made them."""
        known: Predictions | None = getattr(self, "validation_", None)
        if known is not None and self.fitted_on is training and known.classes == self.card_.classes:
            return decide_by(known, self.card_.positive, self.card_.threshold)
        return self.predictions(training.validation, "validation")

    def baselines(self, training: TrainingData, rows: Sequence[Example], split: str) -> tuple[Predictions, ...]:
        """Return what the majority class, a random guess and TF-IDF + logistic regression say about the same rows."""
        if getattr(self, "_linear_rows", training.train) != training.train or not hasattr(self, "linear_"):
            self.linear_: LinearModel = fit_linear(training.train, seed=self.seed)
        self._linear_rows = training.train
        labels, classes = [str(row.label) for row in training.train], self.card_.classes
        known = (make(labels, rows, split=split, classes=classes) for make in (majority, prior))
        return *known, self.linear_.predict(rows, split=split, classes=classes)

    def trace(self, text: str) -> PredictionTrace:
        """Follow one text from characters to decision."""
        return self.scorer.follow(clean_text(text))

    def save(self, folder: str | Path, *, apart: bool = False) -> Path:
        """Write the model folder, read it back, and ask it about up to 64 rows and two texts that have to be cut.

        With the native head, transformers' ``pipeline(..., truncation=True)`` is asked about some of them as well.

        Args:
            folder: Where.
            apart: Whether another process asks transformers, which takes about five seconds of processor time.

        Raises:
            StorageError: The disk refused.
            ParityError: What was read back is another model.
        """
        path, rows = Path(folder), self.fitted_on
        texts = () if rows is None else tuple(row.text for row in (*rows.validation, *rows.train)[:PARITY_ROWS])
        self.network_.to("cpu")
        try:
            save_model(path, self.network_, self.tokenizer_, self.card_, self.learned())
            self.parity_ = check_saved(path, self.network_, self.tokenizer_, self.card_, texts, apart=apart)
        finally:
            self.network_.to(self.device_.kind)
        return path

    @classmethod
    def load(cls, folder: str | Path, *, config: FinetuneConfig | None = None) -> Self:
        """Read a model folder that ``save`` wrote.

        Raises:
            ModelLoadError: It is not one.
        """
        config = config or FinetuneConfig()
        scorer, device = load_scorer(Path(folder), config)
        card = scorer.card
        known = replace(config, head=card.head, head_size=card.head_size, max_length=card.max_length)
        classifier = cls(str(folder), config=known)
        classifier.network_, classifier.tokenizer_, classifier.card_ = scorer.network, scorer.tokenizer, card
        classifier.device_, classifier.classes_ = device, typed(card.classes, card.label_type)
        classifier.past_ = past_in(Path(folder))
        return classifier

    def _terms(self, rows: Sequence[Example]) -> Terms:
        return with_units(Terms(positive=self.card_.positive), rows, find_copies(rows))

    def _read_rows(self, x: Any, y: Any) -> tuple[Example, ...]:
        self._check_fitted()
        return to_examples(x, y, own=self.card_.text_columns, known=self.card_.classes)

    def _look_at(self, rows: Sequence[Example], door: str) -> tuple[Predictions, int]:
        """Return what is answered and which look it is; an error before it is counted costs none."""
        return self.predictions(rows, "given"), count_look([row.text for row in rows], door)

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError("this TextClassifier is not fitted yet: call fit(data) first, or load_model(folder)")
