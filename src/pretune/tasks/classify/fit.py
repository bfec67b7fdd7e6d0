"""Fitting: token ids, the frozen trunk computed once, epochs, and the predictions of the kept epoch on validation."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pretune import storage
from pretune.configs import AUTO, FinetuneConfig
from pretune.configs.stages import DEFAULT_MAX_EPOCHS, TrainingStage
from pretune.data import TrainingData
from pretune.errors import UsageError
from pretune.evaluate import choose_positive, is_unbalanced
from pretune.evaluate.monitor import OF_POSITIVE, check_monitor, monitored
from pretune.models import Inputs, Network, TrunkCache, prepare_inputs
from pretune.predict import predict_logits
from pretune.records import Change, Example, History, RangeTest, Step, TokenCounts
from pretune.run.trace import Stage, Trace
from pretune.tasks.classify.adapt import merge_adapters, set_up
from pretune.tokens import Encoded, encode
from pretune.train import Checkpoints, ClassObjective, Figures, Plan, Training, TrainingSet, World, range_test, release_memory
from pretune.train.source import digest_of_code

Method = TypeVar("Method", bound=Callable[..., Any])
# Beside the checkpoints: the range test of a training that may be cut off.
RANGE_TEST = "range-test.json"
FREEZE_WORDS = {"none": "all layers trained", "all": "trunk frozen, head trained"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What fitting leaves besides the trained weights."""

    history: History
    token_counts: tuple[TokenCounts, ...]
    validation_logits: Tensor  # (validation texts, classes), of the kept epoch, in the order of the rows
    changes: tuple[Change, ...] = ()  # where it was resumed after a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What fitting reads, by split; all that starts from the same checkpoint with the same boundary can share it."""

    training: TrainingData
    encoded: dict[str, Encoded]
    inputs: dict[str, Inputs]  # ids, or the states below the boundary
    tokenizer: str = ""  # digest


Prepare = Callable[[Network, Any, TrainingData, FinetuneConfig, Plan, int, Trace], Prepared]


def prepare_rows(
    network: Network,
    tokenizer: Any,
    training: TrainingData,
    config: FinetuneConfig,
    plan: Plan,
    max_length: int,
    trace: Trace,
) -> Prepared:
    """Tokenize the rows, and compute what the frozen trunk makes of them.

    Args:
        network: On the plan's device, as it was loaded.
        tokenizer: Its fast tokenizer.
        training: Rows to train on, and rows that choose the epoch.
        config: Whether the trunk's states are kept for later runs.
        plan: What is frozen, and where to compute.
        max_length: Tokens a text.
        trace: Receives the stages.

    Raises:
        UsageError: ``plan.freeze`` does not fit this model.
        StorageError: The trunk's states fit neither into memory nor on the disk.
    """
    rows = {"train": training.train, "validation": training.validation}
    boundary = network.boundary_of(plan.stages(len(network.layers))[0].freeze)
    encoded = _tokenize(rows, tokenizer, max_length, trace)
    inputs = {
        split: _compute_trunk(network, item, split, boundary=boundary, config=config, plan=plan, trace=trace)
        for split, item in encoded.items()
    }
    known = sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()[:16]
    return Prepared(training=training, encoded=encoded, inputs=inputs, tokenizer=known)


class PreparedOnce:
    """Prepares for the first network, and gives the others the same."""

    def __init__(self) -> None:
        self._held: Prepared | None = None

    def __call__(self, *given: Any) -> Prepared:
        """Return what is held, or prepare it from what ``prepare_rows`` takes."""
        if self._held is None:
            self._held = prepare_rows(*given)
        return self._held


def fit_network(network: Network, prepared: Prepared, *, config: FinetuneConfig, plan: Plan, trace: Trace) -> Fitted:
    """Train the network in place on the training rows; it holds the best epoch's weights afterwards.

    Args:
        network: On the plan's device.
        prepared: The rows as this network reads them.
        config: How.
        plan: How long, what is frozen, where, from which seed.
        trace: Receives the stages, steps and validations.

    Raises:
        DivergedError: Loss or gradient stopped being finite.
        UsageError: The checkpoints belong to another training, or ``--lr auto`` found no rate.
    """
    training, encoded, inputs = prepared.training, prepared.encoded, prepared.inputs
    num_weights = sum(weight.numel() for weight in network.parameters())
    set_up(network, config, plan, trace)
    class_of = {label: index for index, label in enumerate(training.classes)}
    rows = {"train": training.train, "validation": training.validation}
    targets = {split: np.array([class_of[str(row.label)] for row in examples]) for split, examples in rows.items()}
    monitor = _monitor(config, training, targets["validation"])
    judge = Validator(network, inputs["validation"], targets["validation"], plan, monitor=monitor)
    ids, num_classes = [row.id for row in training.train], len(training.classes)

    def prepare(boundary: int) -> Inputs:
        judge.inputs, states = (
            _compute_trunk(network, encoded[split], split, boundary=boundary, config=config, plan=plan, trace=trace)
            for split in ("validation", "train")
        )
        return states

    learned = TrainingSet(inputs=inputs["train"], targets=targets["train"], ids=ids, num_classes=num_classes, prepare=prepare)
    tested, about = None, _describe(network, prepared, targets, config, plan)
    if config.learning_rate == AUTO:
        tested = _find_rate(network, learned, config, plan, about, trace)
        config = replace(config, learning_rate=tested.learning_rate)
    keeper = _keeper(network, prepared, targets, config, plan, trace)
    objective = ClassObjective(network, learned, config, plan, judge)
    run = Training(
        objective, checkpoints=keeper, on_step=_step_teller(trace), waits=plan.checkpoints is not None or keeper is not None
    )
    if any(item.epochs is None for item in objective.stages):
        trace.note(f"no --epochs given: at most {DEFAULT_MAX_EPOCHS}, ended by early stopping")
    run.resume()
    for number in objective.each_stage():
        words = _describe_stage(objective.stages, number) + (
            f", LoRA of rank {config.lora} in place of layers" if config.lora else ""
        )
        with trace.stage("fine-tune", f"{len(training.train):,} texts, {words}") as stage:
            for validation in run.rounds():
                trace.validation(validation)
                release_memory()
            _describe_history(stage, objective.history, num_classes)
    if config.lora:
        merge_adapters(network, judge.inputs, plan, trace)
    return Fitted(
        history=replace(
            objective.history, range_test=tested, num_weights=num_weights, num_trained_weights=objective.num_trained
        ),
        token_counts=tuple(item.counts for item in encoded.values()),
        validation_logits=cast("Tensor", objective.best_logits),  # the validator above gives them
        changes=() if keeper is None else keeper.changes,
    )


def _find_rate(
    network: Network, learned: TrainingSet, config: FinetuneConfig, plan: Plan, about: dict[str, str], trace: Trace
) -> RangeTest:
    """Return the range test that a training which was cut off began with, or make it."""
    place = None if plan.checkpoints is None else plan.checkpoints.folder / RANGE_TEST
    with trace.stage("learning rate", f"{len(learned.ids):,} texts") as stage:
        known, _ = plan.world.from_first(lambda: (_read_test(place), {}))
        if known.get("about") == about:
            found, again = RangeTest.from_json(known["range_test"]), "; found when this training was begun"
        else:
            found, again = range_test(network, learned, config, plan, on_step=_trial_teller(trace)), ""
            if place is not None and plan.world.is_first:
                storage.replace_json(place, {"about": about, "range_test": found.to_json()})
        stage.done = f"{found.rule}{again}"
        stage.shape_out = f"{len(found.points)} steps → {found.learning_rate:g}"
        stage.notes = ["the weights were put back"]
    trace.keep("range_test", found)
    return found


def _read_test(place: Path | None) -> dict[str, Any]:
    return {} if place is None or not place.is_file() else dict(storage.read_json(place))


def as_before(fit: Method) -> Method:
    """Decorate a ``fit``: where it ends with an error or Ctrl-C, the object has the attributes and weights it had."""

    @wraps(fit)
    def kept(self: Any, *arguments: Any, **options: Any) -> Any:
        attributes, network = dict(vars(self)), getattr(self, "network_", None) if options.get("resume") else None
        weights = {} if network is None else {name: value.clone() for name, value in network.state_dict().items()}
        try:
            return fit(self, *arguments, **options)
        except BaseException:
            vars(self).clear()
            vars(self).update(attributes)
            if network is not None:  # which was trained in place
                network.load_state_dict(weights)
                network.eval()
            raise

    return cast("Method", kept)


class Validator:
    """Scores the validation rows after each epoch.

    Args:
        network: As it stands.
        inputs: The validation texts.
        targets: Index of the class, shape (num_texts,).
        plan: Where to compute.
        monitor: The metric that chooses the epoch, and the index of the class that it is about, if it is about one.
    """

    def __init__(
        self,
        network: Network,
        inputs: Inputs,
        targets: npt.NDArray[np.int64],
        plan: Plan,
        *,
        monitor: tuple[str, int | None],
    ) -> None:
        self._network, self.inputs, self._truth = network, inputs, torch.from_numpy(targets)
        self._plan, (self._monitor, self._positive) = plan, monitor

    def __call__(self) -> Figures:
        """Return the figures of the network as it stands."""
        world = self._plan.world
        with self._plan.device.autocast():
            logits = predict_logits(self._network, self.inputs, part=(world.rank, world.size)).clone()
        world.gather(logits)  # the same batches as one process would make, so the same bits
        predicted = logits.argmax(dim=1)
        loss = float(cross_entropy(logits, self._truth))
        accuracy = float((predicted == self._truth).float().mean())
        value = {"loss": loss, "accuracy": accuracy}.get(self._monitor)
        if value is None:
            codes, num_classes = (self._truth.numpy(), predicted.numpy()), logits.shape[1]
            value = monitored(self._monitor, *codes, num_classes=num_classes, positive=self._positive)
        return Figures(loss=loss, accuracy=accuracy, metric=self._monitor, metric_value=value, logits=logits)


def _tokenize(rows: dict[str, tuple[Example, ...]], tokenizer: Any, max_length: int, trace: Trace) -> dict[str, Encoded]:
    num_texts = sum(map(len, rows.values()))
    with trace.stage("tokenize", f"{num_texts:,} texts") as stage:
        encoded = {
            split: encode([row.text for row in examples], tokenizer, max_length=max_length, split=split)
            for split, examples in rows.items()
        }
        counts = [item.counts for item in encoded.values()]
        num_tokens, num_cut = sum(item.num_tokens for item in counts), sum(item.num_cut_texts for item in counts)
        longest = max(int(item.lengths.max(initial=0)) for item in encoded.values())
        stage.done = f"cut at {max_length} tokens: {num_cut:,} texts ({num_cut / max(1, num_texts):.1%})"
        stage.shape_out = f"{num_texts:,} texts × up to {longest} tokens ({num_tokens:,} in all)"
        first = encoded["train"].ids[: encoded["train"].offsets[1]].tolist()
        pairs = zip(tokenizer.convert_ids_to_tokens(first), first, strict=True)
        stage.example = " ".join(f"{token}={index}" for token, index in pairs)
    return encoded


def _compute_trunk(
    network: Network, encoded: Encoded, split: str, *, boundary: int, config: FinetuneConfig, plan: Plan, trace: Trace
) -> Inputs:
    if boundary == 0 or network.family is None:
        return Inputs(encoded)
    with trace.stage("frozen trunk", f"{len(encoded):,} {split} texts × tokens") as stage, plan.device.autocast():
        told, world = tell_progress(trace, "frozen trunk"), plan.world
        cache = TrunkCache() if config.keep_trunk and world.size == 1 else None
        inputs = prepare_inputs(network, encoded, boundary, progress=told, cache=cache, part=(world.rank, world.size))
        states = inputs.pooled if inputs.pooled is not None else inputs.hidden
        if states is not None:
            world.gather(states)
        how = "as an earlier run left them" if inputs.reused else "computed once and kept"
        stage.done = f"embeddings and layers 1 to {boundary}, {how}"
        stage.shape_out = " × ".join(f"{size:,}" for size in states.shape) if states is not None else ""
    return inputs


def _keeper(
    network: Network,
    prepared: Prepared,
    targets: dict[str, npt.NDArray[np.int64]],
    config: FinetuneConfig,
    plan: Plan,
    trace: Trace,
) -> Checkpoints | None:
    """Return where to save, for the first process; processes that train together must do so on the same things."""
    if plan.checkpoints is None and plan.world.size == 1:
        return None
    about = _describe(network, prepared, targets, config, plan)
    _check_alike(about, plan.world)
    if plan.checkpoints is None or not plan.world.is_first:
        return None
    return Checkpoints(plan.checkpoints.folder, about, trace.note, continue_changed=plan.checkpoints.continue_changed)


def tell_progress(trace: Trace | None, what: str) -> Callable[[int, int], None] | None:
    """Return a function that tells the trace how many texts are done."""
    return None if trace is None else lambda done, total: trace.progress(what, done, total, "texts")


def _describe(
    network: Network,
    prepared: Prepared,
    targets: dict[str, npt.NDArray[np.int64]],
    config: FinetuneConfig,
    plan: Plan,
) -> dict[str, str]:
    """Return what the updates depend on: resuming a training is exact only where all of it is the same."""
    weights = sha256()
    for _, value in sorted(network.state_dict().items()):
        weights.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    rows = sha256(b"".join(item.ids.tobytes() + item.offsets.tobytes() for item in prepared.encoded.values()))
    rows.update(b"".join(item.tobytes() for item in targets.values()))
    return {
        "data": rows.hexdigest()[:16],
        "model": weights.hexdigest()[:16],
        "tokenizer": prepared.tokenizer,
        **{name: str(value) for name, value in config.get_params().items()},
        "epochs": str(plan.epochs),
        "freeze": plan.freeze,
        "seed": str(plan.seed),
        "device": str(plan.device),
        "processes": str(plan.world.size),
        "torch": str(torch.__version__),
        "pretune": importlib.metadata.version("pretune"),
        "code": digest_of_code("tasks/classify/fit.py", "tasks/classify/adapt.py"),
    }


def _check_alike(about: dict[str, str], world: World) -> None:
    """Refuse to train together on different things: files that differ between machines, say."""
    told = world.from_first(lambda: (about, {}))
    others = dict(told[0]) if told else {}
    differing = [name for name in about if about[name] != others.get(name)]
    if differing:
        name = differing[0]
        raise UsageError(
            f"process {world.rank} trains on something else than the first: {name} is {about[name]}, not {others.get(name)}",
            expected="the same files, settings and versions for every process",
            fix="give every machine the same files and packages",
        )


def _monitor(config: FinetuneConfig, training: TrainingData, labels: npt.NDArray[np.int64]) -> tuple[str, int | None]:
    """Return the metric that chooses the epoch, and the index of the class that it is about, if it is about one."""
    names = [str(row.label) for row in training.train]
    if config.monitor == "goal":
        return ("macro_f1" if is_unbalanced(names) else "accuracy"), None
    if config.monitor not in OF_POSITIVE:
        check_monitor(config.monitor, labels, training.classes, None)
        return config.monitor, None
    positive = choose_positive(names, config.positive)
    check_monitor(config.monitor, labels, training.classes, positive)
    return config.monitor, training.classes.index(str(positive))


def _step_teller(trace: Trace) -> Callable[[Step, int], None]:
    def tell(step: Step, planned: int) -> None:
        trace.step(step)
        trace.progress("fine-tune", step.index + 1, planned, "steps")

    return tell


def _trial_teller(trace: Trace) -> Callable[[Step, int], None]:
    return lambda step, planned: trace.progress("learning rate", step.index + 1, planned, "steps")


def _describe_stage(stages: tuple[TrainingStage, ...], number: int) -> str:
    stage = stages[number]
    words = FREEZE_WORDS.get(stage.freeze, f"{stage.freeze.replace('-', ' ')} layers and head trained")
    if stage.rate is not None:
        words += f" at {stage.rate:g}"
    return words if len(stages) == 1 else f"stage {number + 1} of {len(stages)}: {words}"


def _describe_history(stage: Stage, history: History, num_classes: int) -> None:
    epochs = "1 epoch" if len(history.validations) == 1 else f"{len(history.validations)} epochs"
    stage.done = f"{epochs}, {len(history.steps):,} steps; kept epoch {history.best_epoch}"
    stage.shape_out, stage.notes = f"{num_classes} classes", [f"stopped: {history.stopped_because}"]
