"""Fitting: the learning rate, the stages and epochs, and the predictions of the kept epoch on validation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from torch import Tensor

from pretune import storage
from pretune.configs import AUTO, LAST, FinetuneConfig
from pretune.configs.stages import DEFAULT_MAX_EPOCHS, TrainingStage
from pretune.errors import DataError
from pretune.models import ClassNetwork, Inputs
from pretune.models.parity import PARITY_ROWS
from pretune.records import Change, History, RangeTest, Step, TokenCounts
from pretune.run.trace import Stage, Trace
from pretune.tasks.adapt import merge_adapters, set_up
from pretune.tasks.classify.prepare import PreparedRows, compute_trunk
from pretune.tasks.classify.validate import LEAST_TO_CHOOSE, Validator, monitor_of
from pretune.tasks.resumable import depends_on, keeper_of
from pretune.train import ClassObjective, Plan, Training, TrainingSet, range_test, release_memory

Method = TypeVar("Method", bound=Callable[..., Any])
# Beside the checkpoints: the range test of a training that may be cut off.
RANGE_TEST = "range-test.json"
# The files of this folder whose lines decide the bits of a training.
SOURCES = tuple(f"tasks/classify/{name}.py" for name in ("fit", "prepare", "validate"))
FREEZE_WORDS = {"none": "all layers trained", "all": "trunk frozen, head trained"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What fitting leaves besides the trained weights."""

    history: History
    token_counts: tuple[TokenCounts, ...]
    validation_logits: Tensor  # (validation texts, classes), of the kept epoch, in the order of the rows
    changes: tuple[Change, ...] = ()  # where it was resumed after a change


def fit_network(network: ClassNetwork, prepared: PreparedRows, *, config: FinetuneConfig, plan: Plan, trace: Trace) -> Fitted:
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
    targets = prepared.targets
    monitor = monitor_of(config, training, targets["validation"])
    validator = Validator(network, inputs["validation"], targets["validation"], plan, monitor=monitor)
    ids, num_classes = [row.id for row in training.train], len(training.classes)

    def prepare(boundary: int) -> Inputs:
        validator.inputs, states = (
            compute_trunk(network, encoded[split], split, boundary=boundary, config=config, plan=plan, trace=trace)
            for split in ("validation", "train")
        )
        return states

    learned = TrainingSet(inputs=inputs["train"], targets=targets["train"], ids=ids, num_classes=num_classes, prepare=prepare)
    tested, about = None, _depends_on(network, prepared, config, plan)
    if config.learning_rate == AUTO:
        tested = _find_rate(network, learned, config, plan, about, trace)
        config = replace(config, learning_rate=tested.learning_rate)
    keeper = keeper_of(_depends_on(network, prepared, config, plan), plan, trace)
    objective = ClassObjective(network, learned, config, plan, validator)
    run = Training(
        objective, checkpoints=keeper, on_step=_step_teller(trace), waits=plan.checkpoints is not None or keeper is not None
    )
    if any(item.epochs is None for item in objective.stages):
        trace.note(f"no --epochs given: at most {DEFAULT_MAX_EPOCHS}, with early stopping")
    run.resume()
    for number in objective.each_stage():
        words = _describe_stage(objective.stages, number) + (
            f", LoRA of rank {config.lora} instead of layers" if config.lora else ""
        )
        with trace.stage("fine-tune", f"{len(training.train):,} texts, {words}") as stage:
            for validation in run.rounds():
                trace.validation(validation)
                release_memory()
            _describe_history(stage, objective.history, config.monitor, num_classes)
    if config.lora:
        rows = np.arange(min(PARITY_ROWS, len(validator.inputs)))
        merge_adapters(network, validator.inputs.batch(rows, plan.device.kind), len(rows), trace)
    return Fitted(
        history=replace(
            objective.history, range_test=tested, num_weights=num_weights, num_trained_weights=objective.num_trained
        ),
        token_counts=tuple(item.counts for item in encoded.values()),
        validation_logits=cast("Tensor", objective.best_logits),  # the validator above gives them
        changes=() if keeper is None else keeper.changes,
    )


def _depends_on(network: ClassNetwork, prepared: PreparedRows, config: FinetuneConfig, plan: Plan) -> dict[str, str]:
    rows = sha256(b"".join(item.ids.tobytes() + item.offsets.tobytes() for item in prepared.encoded.values()))
    rows.update(b"".join(item.tobytes() for item in prepared.targets.values()))
    return depends_on(network, rows.hexdigest()[:16], prepared.tokenizer, config, plan, sources=SOURCES)


def _find_rate(
    network: ClassNetwork, learned: TrainingSet, config: FinetuneConfig, plan: Plan, about: dict[str, str], trace: Trace
) -> RangeTest:
    """Return the range test that a training which was cut off began with, or make it."""
    place = None if plan.checkpoints is None else plan.checkpoints.folder / RANGE_TEST
    with trace.stage("learning rate", f"{len(learned.ids):,} texts") as stage:
        known, _ = plan.world.from_first(lambda: (_read_test(place), {}))
        if known.get("about") == about:
            found, again = RangeTest.from_json(known["range_test"]), "; found when this training started"
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
        attributes, network = dict(vars(self)), getattr(self, "network_", None) if options.get("resume") is True else None
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


def check_same_classes(new: tuple[str, ...], known: tuple[str, ...]) -> None:
    """Raise a ``DataError`` unless a model that goes on is given the classes that it has."""
    if new != known:
        raise DataError(
            f"the rows have the classes {', '.join(new)}, and the model to resume has {', '.join(known)}",
            expected="the same classes with resume=True",
            fix="fit without resume, which starts from the pre-trained weights",
        )


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


def _describe_history(stage: Stage, history: History, asked: str, num_classes: int) -> None:
    epochs = "1 epoch" if len(history.validations) == 1 else f"{len(history.validations)} epochs"
    stage.done = f"{epochs}, {len(history.steps):,} steps; kept {_kept(history, asked)}"
    stage.shape_out, stage.notes = f"{num_classes} classes", [f"stopped: {history.stopped_because}"]


def _kept(history: History, asked: str) -> str:
    if history.monitor != LAST:
        return f"epoch {history.best_epoch}"
    return "the last one" if asked == LAST else f"the last one: fewer than {LEAST_TO_CHOOSE} validation rows choose by chance"
