"""``TextClassifier``: fit, evaluate, predict, save — a scikit-learn classifier over a pre-trained language model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from torch.nn.functional import cross_entropy

from pretune import __version__
from pretune.configs import FinetuneConfig, SplitConfig
from pretune.data import TrainingData, clean_text, split_validation
from pretune.dataset import Dataset
from pretune.errors import DataError, MissingLabelsError, UsageError
from pretune.evaluate import choose_positive, evaluate_sources, is_unbalanced, score_predictions
from pretune.evaluate.baselines import LinearModel, fit_linear, majority
from pretune.models import (
    Checkpoint,
    Inputs,
    ModelCard,
    Network,
    build_network,
    check_parity,
    find_checkpoint,
    load_folder,
    load_tokenizer,
    max_positions,
    prepare_inputs,
    save_model,
)
from pretune.predict import decide, follow, predict_logits
from pretune.records import Evaluation, Example, History, Predictions, PredictionTrace, TokenCounts
from pretune.tokens import Encoded, encode
from pretune.trace import Trace
from pretune.train import (
    DEFAULT_MAX_EPOCHS,
    Figures,
    Finetuning,
    Plan,
    TrainingSet,
    choose_device,
    has_fast_bf16,
    seed_everything,
)

# Rows on which a saved model must give the logits of the live one.
PARITY_ROWS = 64
# What is trained where bf16 has no instructions: within the same time, the last layers only.
FREEZE_WITHOUT_BF16 = "last-2"

Texts = Sequence[str] | npt.NDArray[Any]
Labels = Sequence[Any] | npt.NDArray[Any]


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A text classifier that starts from a pre-trained model.

    Args:
        model: Catalogue name, model folder or hub id.
        epochs: At most this many; ``None`` means at most 10, ended by early stopping.
        freeze: ``none``, ``all``, ``last-K`` (train the head and the last K layers), or ``auto``: ``none`` where the
            processor has bf16 instructions, ``last-2`` elsewhere.
        seed: Of the head's first weights, dropout and the order of rows.
        config: How to fine-tune.

    Attributes:
        classes_: Labels, sorted; shape (num_classes,).
        history_: How training went.
        token_counts_: How texts became tokens.

    Example:
        >>> classifier = TextClassifier("minilm", epochs=3).set_params(config__learning_rate=1e-4)
        >>> classifier.config.learning_rate
        0.0001
    """

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
        """Set parameters; ``config__NAME`` replaces one field of the frozen config."""
        changes = {name.removeprefix("config__"): params.pop(name) for name in list(params) if name.startswith("config__")}
        super().set_params(**params)
        if changes:
            unknown = sorted(set(changes) - set(self.config.get_params()))
            if unknown:
                known = ", ".join(self.config.get_params())
                raise UsageError(f"the config has no field {unknown[0]!r}", expected=f"one of {known}", fix="check the name")
            self.config = replace(self.config, **changes)
        return self

    def fit(
        self,
        x: "Dataset | TrainingData | Texts",
        y: Labels | None = None,
        *,
        epochs: int | None = None,
        validation_data: tuple[Texts, Labels] | None = None,
        resume: bool = False,
        trace: Trace | None = None,
    ) -> Self:
        """Fine-tune from the pre-trained weights; the best epoch's weights are kept.

        Args:
            x: What ``load_data`` returned, or texts.
            y: Labels, where ``x`` is texts.
            epochs: Instead of the constructor's.
            validation_data: Texts and labels that choose the epoch; 15 % of the rows are held out where there are none.
            resume: Start from the weights this classifier already has.
            trace: Receives stages, steps and validations.

        Raises:
            MissingLabelsError: Texts came without labels.
            DataError: The rows cannot be learned from.
            DivergedError: The loss stopped being finite.
        """
        trace = trace or Trace()
        training, original = _training_data(x, y, validation_data, trace)
        device = choose_device(self.config.device, precision=self.config.precision, threads=self.config.threads)
        seed_everything(self.seed)
        freeze = resolve_freeze(self.freeze, device.kind)
        if resume and hasattr(self, "network_"):
            _check_same_classes(training.classes, self.card_.classes)
        else:
            self._load(training, trace)
        self.network_.to(device.kind)
        self.classes_ = np.array([original[label] for label in training.classes])
        self.device_, self.freeze_ = device, freeze
        self._train_labels, self._training = tuple(str(row.label) for row in training.train), training
        self._train(training, freeze, epochs if epochs is not None else self.epochs, trace)
        return self

    def train(self, *_args: object, **_options: object) -> NoReturn:
        """Point to ``fit``: scikit-learn's word for it."""
        raise UsageError("TextClassifier has no train", expected="fit(data, epochs=3)", fix="use fit")

    def predict(self, texts: Texts) -> npt.NDArray[Any]:
        """Return labels, shape (num_texts,), decided by the largest class or the stored threshold."""
        probabilities = torch.from_numpy(self.predict_proba(texts))
        chosen: npt.NDArray[Any] = self.classes_[self._decide(probabilities)]
        return chosen

    def predict_proba(self, texts: Texts) -> npt.NDArray[np.float64]:
        """Return probabilities, shape (num_texts, num_classes), columns as in ``classes_``."""
        logits = self.logits([clean_text(text) for text in _as_texts(texts)])
        shares: npt.NDArray[np.float64] = logits.double().softmax(dim=1).numpy()
        return shares

    def evaluate(self, x: "Dataset | Texts", y: Labels | None = None) -> Evaluation:
        """Score labelled rows; the result unpacks to ``loss, accuracy``.

        Of a ``Dataset`` these are the validation rows, beside the majority and linear baselines. The test stays sealed.

        Raises:
            MissingLabelsError: ``x`` is texts and there is no ``y``.
        """
        self._check_fitted()
        if isinstance(x, Dataset):
            sources = [self.predictions(x.validation, "validation"), *self.baselines(x.training, x.validation, "validation")]
            return evaluate_sources(sources, main="finetuned", positive=self.card_.positive)
        rows = _rows(x, y)
        predictions = self.predictions(rows, "given")
        scores = score_predictions(predictions, positive=self.card_.positive)
        return Evaluation(scores=scores)

    def predictions(self, rows: Sequence[Example], split: str, *, trace: Trace | None = None) -> Predictions:
        """Return labels and probabilities for examples that are already clean."""
        progress = _progress(trace, f"scoring {split}")
        shares = self.logits([row.text for row in rows], progress=progress).double().softmax(dim=1)
        classes = self.card_.classes
        return Predictions(
            source="finetuned",
            split=split,
            classes=classes,
            ids=tuple(row.id for row in rows),
            labels=tuple(row.label for row in rows),
            predicted=tuple(classes[index] for index in self._decide(shares)),
            probabilities=tuple(tuple(row) for row in shares.tolist()),
        )

    def baselines(self, training: TrainingData, rows: Sequence[Example], split: str) -> tuple[Predictions, Predictions]:
        """Return what the majority class and TF-IDF + logistic regression say about the same rows."""
        if getattr(self, "_linear_rows", training.train) != training.train or not hasattr(self, "linear_"):
            self.linear_: LinearModel = fit_linear(training.train, seed=self.seed)
        self._linear_rows = training.train
        labels = [str(row.label) for row in training.train]
        classes = self.card_.classes
        return majority(labels, rows, split=split, classes=classes), self.linear_.predict(rows, split=split, classes=classes)

    def logits(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> torch.Tensor:
        """Return float32 logits (num_texts, num_classes) of clean texts."""
        self._check_fitted()
        if not texts:
            return torch.empty(0, len(self.card_.classes))
        inputs = Inputs(encode(texts, self.tokenizer_, max_length=self.card_.max_length))
        with self.device_.autocast():
            return predict_logits(self.network_, inputs, progress=progress)

    def trace(self, text: str) -> PredictionTrace:
        """Follow one text from characters to decision."""
        self._check_fitted()
        return follow(self.network_, self.tokenizer_, self.card_, clean_text(text))

    def save(self, folder: str | Path) -> Path:
        """Write the model folder, read it back, and compare logits on up to 64 rows.

        Raises:
            StorageError: The disk refused.
            ParityError: What was read back is another model.
        """
        self._check_fitted()
        path = Path(folder)
        self.network_.to("cpu")
        save_model(path, self.network_, self.tokenizer_, self.card_)
        rows = self._parity_texts or ("The quick brown fox.", "no")
        inputs = Inputs(encode(rows, self.tokenizer_, max_length=self.card_.max_length))
        reloaded, tokenizer, card = load_folder(path)
        again = Inputs(encode(rows, tokenizer, max_length=card.max_length))
        self.parity_ = check_parity(predict_logits(self.network_, inputs), predict_logits(reloaded, again), path)
        self.network_.to(self.device_.kind)
        return path

    @classmethod
    def load(cls, folder: str | Path, *, config: FinetuneConfig | None = None) -> Self:
        """Read a model folder that ``save`` wrote.

        Raises:
            ModelLoadError: It is not one.
        """
        config = config or FinetuneConfig()
        network, tokenizer, card = load_folder(Path(folder))
        device = choose_device(config.device, precision=config.precision, threads=config.threads)
        known = replace(config, head=card.head, head_size=card.head_size, max_length=card.max_length)
        classifier = cls(str(folder), config=known)
        classifier.network_, classifier.tokenizer_, classifier.card_ = network.to(device.kind), tokenizer, card
        classifier.device_, classifier.classes_ = device, np.array(card.classes)
        classifier._parity_texts = ()
        return classifier

    def _load(self, training: TrainingData, trace: Trace) -> None:
        config = self.config
        checkpoint = find_checkpoint(self.model)
        with trace.stage("load model", checkpoint.name) as stage:
            self.tokenizer_ = load_tokenizer(checkpoint)
            self.network_: Network = build_network(
                checkpoint, training.classes, head=config.head, head_size=config.head_size, dropout=config.dropout
            )
            num_weights = sum(weight.numel() for weight in self.network_.parameters())
            stage.done = f"{checkpoint.model_type}, {len(self.network_.layers)} layers, {config.head} head" + (
                f", licence {checkpoint.licence}" if checkpoint.licence else ""
            )
            stage.shape_out = f"{num_weights / 1e6:.1f} M weights"
        positive = choose_positive([str(row.label) for row in training.train])
        self.checkpoint_: Checkpoint = checkpoint
        self.card_ = ModelCard(
            classes=training.classes, positive=positive, head=config.head, head_size=config.head_size,
            max_length=min(config.max_length, max_positions(checkpoint)), base_model=self.model,
            licence=checkpoint.licence, pretune_version=__version__,
        )  # fmt: skip

    def _encode(self, rows: Sequence[Example], split: str) -> Encoded:
        return encode([row.text for row in rows], self.tokenizer_, max_length=self.card_.max_length, split=split)

    def _train(self, training: TrainingData, freeze: str, epochs: int | None, trace: Trace) -> None:
        rows = {"train": training.train, "validation": training.validation}
        with trace.stage("tokenize", _shape(len(training.train) + len(training.validation), "texts")) as stage:
            encoded = {split: self._encode(examples, split) for split, examples in rows.items()}
            self.token_counts_: tuple[TokenCounts, ...] = tuple(item.counts for item in encoded.values())
            _describe_tokens(stage, encoded, self.tokenizer_)
        boundary = self.network_.freeze(freeze)
        inputs = {split: self._prepare(item, boundary, split, trace) for split, item in encoded.items()}
        class_of = {label: index for index, label in enumerate(training.classes)}
        targets = {split: np.array([class_of[str(row.label)] for row in examples]) for split, examples in rows.items()}
        run = Finetuning(
            self.network_,
            TrainingSet(
                inputs=inputs["train"], targets=targets["train"], ids=[row.id for row in training.train],
                num_classes=len(training.classes),
            ),
            self.config, Plan(epochs=epochs, freeze=freeze, device=self.device_, seed=self.seed),
            validate=self._validator(inputs["validation"], targets["validation"]), on_step=_step_teller(trace),
        )  # fmt: skip
        with trace.stage("fine-tune", f"{_shape(len(training.train), 'texts')}, {_describe_freeze(freeze)}") as stage:
            if epochs is None:
                trace.note(f"no --epochs given: at most {DEFAULT_MAX_EPOCHS}, ended by early stopping")
            for validation in run:
                trace.validation(validation)
            self.history_: History = run.history
            best = self.history_.best_epoch
            stage.done = f"{len(self.history_.validations)} epochs, {len(self.history_.steps)} steps; kept epoch {best}"
            stage.shape_out, stage.notes = f"{len(training.classes)} classes", [f"stopped: {self.history_.stopped_because}"]
        self._parity_texts = tuple(row.text for row in training.validation[:PARITY_ROWS])

    def _prepare(self, encoded: Encoded, boundary: int, split: str, trace: Trace) -> Inputs:
        if boundary == 0 or self.network_.family is None:
            return Inputs(encoded)
        with trace.stage("frozen trunk", f"{len(encoded):,} {split} texts × tokens") as stage, self.device_.autocast():
            inputs = prepare_inputs(self.network_, encoded, boundary, progress=_progress(trace, "frozen trunk"))
            states = inputs.pooled if inputs.pooled is not None else inputs.hidden
            stage.done = f"layers 1 to {boundary} computed once and kept" if boundary else ""
            stage.shape_out = " × ".join(f"{size:,}" for size in states.shape) if states is not None else ""
        return inputs

    def _validator(self, inputs: Inputs, targets: npt.NDArray[np.int64]) -> Callable[[], Figures]:
        metric = self.config.monitor
        if metric == "goal":
            metric = "macro_f1" if is_unbalanced(list(self._train_labels)) else "accuracy"
        truth = torch.from_numpy(targets)

        def validate() -> Figures:
            with self.device_.autocast():
                logits = predict_logits(self.network_, inputs)
            loss, hits = float(cross_entropy(logits, truth)), float((logits.argmax(dim=1) == truth).float().mean())
            value = {"loss": loss, "accuracy": hits}.get(metric)
            if value is None:
                value = _macro_f1(logits.argmax(dim=1), truth, len(self.card_.classes))
            return Figures(loss=loss, accuracy=hits, metric=metric, metric_value=value)

        return validate

    def _decide(self, shares: torch.Tensor) -> list[int]:
        positive = self.card_.classes.index(self.card_.positive) if self.card_.positive in self.card_.classes else None
        return [int(index) for index in decide(shares, positive=positive, threshold=self.card_.threshold)]

    def check_fitted_on(self, training: TrainingData) -> None:
        """Check that no other rows than these trained the model, as far as it knows (one that was loaded does not).

        Raises:
            NotFittedError: Nothing did.
            UsageError: Others did; they may be rows of the test.
        """
        self._check_fitted()
        if getattr(self, "_training", training) != training:
            raise UsageError(
                "the model was fitted on other rows than the training rows of this data, perhaps on rows of its test",
                expected="a model fitted on the same data",
                fix="model.fit(data), then judge",
            )

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError("this TextClassifier is not fitted yet: call fit(data) first, or load_model(folder)")


def resolve_freeze(freeze: str, kind: str = "cpu") -> str:
    """Return ``freeze`` with ``auto`` decided by what the processor is fast at."""
    if freeze != "auto":
        return freeze
    return "none" if has_fast_bf16(kind) or kind == "cuda" else FREEZE_WITHOUT_BF16


def _training_data(
    x: Any, y: Labels | None, validation_data: tuple[Texts, Labels] | None, trace: Trace
) -> tuple[TrainingData, dict[str, Any]]:
    """Return training and validation rows, and the user's own label for each class name."""
    if isinstance(x, Dataset):
        x = x.training
    if isinstance(x, TrainingData):
        return x, {label: label for label in x.classes}
    rows = _rows(x, y)
    original = {str(label): label for label in y} if y is not None else {}
    if validation_data is not None:
        train, validation = rows, _rows(*validation_data, prefix="validation")
    else:
        train, validation = split_validation(rows, SplitConfig())
        trace.note(f"no validation_data given: {len(validation)} of {len(rows)} rows are held out to choose the epoch")
    trained = {row.label for row in train}
    classes = tuple(label for label in map(str, np.unique(np.asarray(y))) if label in trained)  # 2 before 10
    unknown = sorted({str(row.label) for row in validation} - set(classes))
    if unknown:
        raise DataError(f"validation has the class {unknown[0]!r}, which training lacks", expected="classes of training")
    return TrainingData(train=train, validation=validation, classes=classes), original


def _rows(texts: Any, labels: Labels | None, prefix: str = "row") -> tuple[Example, ...]:
    if labels is None:
        raise MissingLabelsError(
            "texts came without labels",
            expected="one label a text: (texts, labels)",
            fix="pass y as well; predict needs no labels",
        )
    texts = _as_texts(texts)
    if len(texts) != len(labels):
        raise DataError(f"{len(texts)} texts and {len(labels)} labels", expected="one label a text", fix="check both lists")
    pairs = enumerate(zip(texts, labels, strict=True))
    return tuple(Example(id=f"{prefix} {index}", text=clean_text(text), label=str(label)) for index, (text, label) in pairs)


def _as_texts(texts: Any) -> list[str]:
    """Return the texts as a list; a number, ``None`` or a row of columns is not one, and is not made one in silence."""
    if isinstance(texts, str):
        raise UsageError(f"texts is one string, {texts[:40]!r}", expected="a list of texts", fix="pass [text]")
    found = list(texts)
    wrong = next((index for index, text in enumerate(found) if not isinstance(text, str)), None)
    if wrong is not None:
        raise DataError(
            f"text {wrong} is {found[wrong]!r:.60}, a {type(found[wrong]).__name__}",
            expected="a list, or one column, of texts",
            fix="pass the column of texts, such as frame['text'], with empty cells filled",
        )
    return found


def _check_same_classes(new: tuple[str, ...], known: tuple[str, ...]) -> None:
    if new != known:
        raise DataError(
            f"the rows have the classes {', '.join(new)}, and the model that goes on has {', '.join(known)}",
            expected="the same classes with resume=True",
            fix="leave resume out to start from the pre-trained weights",
        )


def _macro_f1(predicted: torch.Tensor, truth: torch.Tensor, num_classes: int) -> float:
    """F1 averaged over the classes that occur in ``truth``."""
    scores = []
    for index in range(num_classes):
        hits = int(((predicted == index) & (truth == index)).sum())
        involved = int((predicted == index).sum()) + int((truth == index).sum())
        if (truth == index).any():
            scores.append(2 * hits / involved)
    return sum(scores) / len(scores) if scores else float("nan")


def _step_teller(trace: Trace) -> Callable[[Any, int], None]:
    def tell(step: Any, planned: int) -> None:
        trace.step(step)
        trace.progress("fine-tune", step.index + 1, planned, "steps")

    return tell


def _progress(trace: Trace | None, what: str) -> Callable[[int, int], None] | None:
    return None if trace is None else lambda done, total: trace.progress(what, done, total, "texts")


def _shape(count: int, unit: str) -> str:
    return f"{count:,} {unit}"


def _describe_freeze(freeze: str) -> str:
    return {"none": "all layers trained", "all": "trunk frozen, head trained"}.get(
        freeze, f"{freeze.replace('-', ' ')} layers and head trained"
    )


def _describe_tokens(stage: Any, encoded: dict[str, Encoded], tokenizer: Any) -> None:
    counts = [item.counts for item in encoded.values()]
    texts, tokens = sum(item.num_texts for item in counts), sum(item.num_tokens for item in counts)
    cut = sum(item.num_cut_texts for item in counts)
    longest = max((int(item.lengths.max(initial=0)) for item in encoded.values()), default=0)
    stage.done = f"cut at {counts[0].max_length} tokens: {cut:,} texts ({cut / max(1, texts):.1%})"
    stage.shape_out = f"{texts:,} texts × up to {longest} tokens ({tokens:,} in all)"
    first = encoded["train"].ids[: encoded["train"].offsets[1]].tolist() if texts else []
    stage.example = " ".join(
        f"{token}={index}" for token, index in zip(tokenizer.convert_ids_to_tokens(first), first, strict=True)
    )
