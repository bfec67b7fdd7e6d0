"""``--prove-pretraining``: the same fine-tuning from the pre-trained weights, from random ones, and from the checkpoint before.

The random weights have the same shape; seeds and rows are the same, with 100, 1,000 and all labels. All trainings happen before
the seal is opened; then each of them answers the same test rows, in one look. Until then, finished trainings stay in
``proof/``, so that an interrupted run can resume.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

from pretune import storage
from pretune.configs import DEFAULT_MAX_LENGTH, ReadConfig, RunConfig, SplitConfig
from pretune.data.dataset import prepare
from pretune.data.seal.seal import TrainingData
from pretune.errors import UsageError
from pretune.evaluate.proof import name_of, prove
from pretune.models import find_checkpoint
from pretune.models.quiet import quiet_transformers
from pretune.records import Example, Predictions, PretrainingProof, ProofArm, RunRecord, Terms
from pretune.run import RunFolder
from pretune.run.origin import origin_of
from pretune.run.trace import Trace
from pretune.tasks.classify.encoder_linear import score_general
from pretune.tasks.classify.estimator import TextClassifier
from pretune.train import choose_device, seed_everything

SIZES = (100, 1_000)  # labels, besides all of them
# With few labels an epoch is a few steps: smaller batches and more epochs give each training about as many as it can use.
FEW = {100: {"batch_size": 8, "epochs": 12}, 1_000: {"batch_size": 16, "epochs": 6}}
# Validation rows by which a training with few labels chooses its epoch: its steps take less time than scoring all of them.
FEW_VALIDATION = 500
FOLDER = "proof"
ARM = "arm.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One training of the proof.

    Args:
        start: ``pretrained``, ``random`` or ``before``.
        model: Where its weights come from.
        num_labels: Training rows that it sees.
        seed: Of head, order and, where ``random``, of the weights.
    """

    start: str
    model: str
    num_labels: int
    seed: int

    @property
    def name(self) -> str:
        """The source of its predictions."""
        return name_of(self.start, self.num_labels, self.seed)


class Proof:
    """The trainings of one proof.

    Args:
        record: Of the run that is judged; its settings are those of every training.
        folder: Of the run.
        training: Its rows.

    Raises:
        UsageError: The model was not pre-trained by pretune, so there is nothing to prove.
    """

    def __init__(self, record: RunRecord, folder: RunFolder, training: TrainingData) -> None:
        self._record, self._folder, self._place, self._training = record, folder, folder.path / FOLDER, training
        self._config = record.settings
        origin = origin_of(self._config.model)
        if origin is None:
            raise _no_origin(self._config.model)
        self._origin = origin

    @property
    def _before(self) -> str:
        """The checkpoint that pre-training went on from; empty where it began with random weights."""
        return self._origin.pretraining.started_from if self._origin.pretraining else ""

    def train(self, trace: Trace) -> None:
        """Make every training that is not there yet."""
        arms = list(self._arms())
        for number, arm in enumerate(arms, start=1):
            place = self._place / arm.name
            if (place / ARM).is_file():
                continue
            model = None
            if not self._is_own(arm):
                trace.note(f"proof {number} of {len(arms)}: {arm.start}, {arm.num_labels:,} labels, seed {arm.seed}")
                trace.training(f"proof-{arm.name}")
                model = self._fit(arm, trace)
            rows, own = self._training.validation, self._folder.read_predictions("validation", "finetuned")
            validation = own if model is None else model.predictions(rows, "validation")
            history = self._record.history if model is None else model.history_
            known = ProofArm(
                source=arm.start,
                num_labels=arm.num_labels,
                seed=arm.seed,
                validation_accuracy=_accuracy(validation),
                best_epoch=history.best_epoch if history is not None else None,
            )
            if model is not None:
                model.save(place / "model")
            storage.replace_json(place / ARM, known.to_json())
        self._look_back(trace)

    def ask(self, rows: Sequence[Example], trace: Trace) -> list[Predictions]:
        """Return what every training says about test rows."""
        found = []
        arms = list(self._arms())
        with trace.stage("proof", f"{len(arms)} trainings, {len(rows):,} test texts") as stage:
            for arm in arms:
                model = TextClassifier.load(self._folder.model if self._is_own(arm) else self._place / arm.name / "model")
                found.append(replace(_largest(model.predictions(rows, "test")), source=arm.name))
            alike = self._rival()
            found += [replace(item, source="before") for item in found if item.source == alike]  # for checks and policy
            stage.done, stage.shape_out = "each asked about the same rows", f"{len(arms)} × {len(rows):,} decisions"
        return found

    def judge(self, predictions: Sequence[Predictions], terms: Terms) -> PretrainingProof:
        """Compare the starts on the opened rows, and remove the trained weights."""
        known = [ProofArm.from_json(storage.read_json(self._place / arm.name / ARM)) for arm in self._arms()]
        own = [item for item in predictions if item.split == "test" and item.source.startswith("proof-")]
        proof = prove(own, known, losses=self._losses(), terms=terms)
        shutil.rmtree(self._place, ignore_errors=True)
        return proof

    def _rival(self) -> str:
        """The source of the training from before that is best on validation, as the judged model is of its seeds."""
        total = len(self._training.train)
        arms = [arm for arm in self._arms() if arm.start == "before" and arm.num_labels == total]
        shares = [
            ProofArm.from_json(storage.read_json(self._place / arm.name / ARM)).validation_accuracy or 0.0 for arm in arms
        ]
        return arms[int(np.argmax(shares))].name if arms else ""

    def _is_own(self, arm: Arm) -> bool:
        """Whether this is the training of the run itself."""
        is_all = arm.num_labels == len(self._training.train)
        return arm.start == "pretrained" and is_all and arm.seed == self._config.seed and self._config.seeds == 1

    def _losses(self) -> tuple[float | None, float | None]:
        history = self._origin.pretraining
        first = history.first_fair if history is not None else None
        if history is None or first is None:
            return None, None
        return first.loss, history.milestones[-1].loss

    def _arms(self) -> Iterator[Arm]:
        total = len(self._training.train)
        for num_labels in (*(size for size in SIZES if size < total), total):
            for seed in range(self._config.seed, self._config.seed + self._config.seeds):
                yield Arm(start="pretrained", model=self._config.model, num_labels=num_labels, seed=seed)
                yield Arm(start="random", model=str(self._place / f"random-{seed}"), num_labels=num_labels, seed=seed)
                if self._before:
                    yield Arm(start="before", model=self._before, num_labels=num_labels, seed=seed)

    def _look_back(self, trace: Trace) -> None:
        """Ask the language model, before and after, about a general task."""
        source = self._config.general_task
        if source is None or self._folder.has_predictions("general", "pretrained"):
            return
        tuning = self._config.finetune
        score_general(
            source,
            {"before": self._before, "pretrained": self._config.model},
            self._folder,
            device=choose_device(tuning.device, precision=tuning.precision, threads=tuning.threads),
            max_length=tuning.max_length or DEFAULT_MAX_LENGTH,
            seed=self._config.seed,
            trace=trace,
        )

    def _fit(self, arm: Arm, trace: Trace) -> TextClassifier:
        if arm.start == "random":
            write_random(self._config.model, Path(arm.model), arm.seed)
        few = FEW.get(arm.num_labels, {}) if arm.num_labels < len(self._training.train) else {}
        settings = replace(self._config.finetune, batch_size=few.get("batch_size", self._config.finetune.batch_size), lora=None)
        model: TextClassifier = TextClassifier(
            arm.model, epochs=few.get("epochs", self._config.epochs), freeze=self._config.freeze, seed=arm.seed, config=settings
        )
        rows, held_out = choose_rows(self._training.train, arm.num_labels, arm.seed), self._training.validation
        held_out = choose_rows(held_out, FEW_VALIDATION, 0) if few else held_out
        return model.fit(replace(self._training, train=rows, validation=held_out), trace=trace)


def check_proof(config: RunConfig) -> None:
    """Say before a run is begun what its proof would lack.

    Raises:
        UsageError: The model was not pre-trained by pretune; or was made from nothing, so that it has forgotten nothing.
        DataError: The general task cannot be read.
    """
    if not config.prove:
        return
    origin = origin_of(config.model)
    if origin is None:
        raise _no_origin(config.model)
    if config.general_task is None:
        return
    if origin.pretraining is None or not origin.pretraining.started_from:
        raise UsageError(
            f"--general-task, but {config.model} was pre-trained from scratch, so there is no model before it",
            expected="a model that `pretune pretrain --model` continued",
            fix="leave --general-task out",
        )
    prepare(config.general_task, ReadConfig(), SplitConfig())


def _no_origin(model: str) -> UsageError:
    return UsageError(
        f"--prove-pretraining, but {model} was not pre-trained by pretune",
        expected="--model RUN, where RUN is what `pretune pretrain` made",
        fix="leave --prove-pretraining out, or name such a run",
    )


def choose_rows(rows: Sequence[Example], number: int, seed: int) -> tuple[Example, ...]:
    """Return so many rows, classes by their share; the same for a seed, and smaller choices lie in larger ones."""
    if number >= len(rows):
        return tuple(rows)
    order = np.random.default_rng([seed, 1]).permutation(len(rows))
    labels = [str(rows[index].label) for index in order]
    place: dict[str, int] = {}
    share = {label: labels.count(label) / len(rows) for label in set(labels)}
    keys = []
    for label in labels:  # the n-th row of a class comes where n rows of that class are due
        place[label] = place.get(label, -1) + 1
        keys.append((place[label] + 0.5 if place[label] else 0.0) / share[label])
    chosen = np.sort(order[np.argsort(keys, kind="stable")[:number]])
    return tuple(rows[index] for index in chosen)


def write_random(model: str, place: Path, seed: int) -> None:
    """Write a model of the same shape whose weights are random, with the same tokenizer."""
    if (place / "config.json").is_file():
        return
    checkpoint = find_checkpoint(model)
    seed_everything(seed)

    def fill(aside: Path) -> None:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(checkpoint.path, local_files_only=checkpoint.is_local)
            AutoModelForMaskedLM.from_config(config).save_pretrained(aside)
            AutoTokenizer.from_pretrained(checkpoint.path, local_files_only=checkpoint.is_local).save_pretrained(aside)

    storage.replace(place, fill)


def _accuracy(predictions: Predictions) -> float:
    predicted = _largest(predictions).predicted
    return float(np.mean([answer == label for answer, label in zip(predicted, predictions.labels, strict=True)]))


def _largest(predictions: Predictions) -> Predictions:
    """Let the largest class decide, whatever threshold there is."""
    shares = predictions.probabilities
    if shares is None:
        return predictions
    return replace(predictions, predicted=tuple(predictions.classes[int(np.argmax(row))] for row in shares))
