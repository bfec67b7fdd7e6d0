"""Training stages: one freeze boundary throughout, or several stages, each with its boundary, epochs and rate."""

import re
from dataclasses import dataclass, replace

from pretune.errors import UsageError

GRADUAL = "gradual"
# Epochs of a stage for which the user names none: early stopping ends most of them sooner.
DEFAULT_MAX_EPOCHS = 10

_STAGE = re.compile(
    r"(?P<freeze>none|all|last-[1-9][0-9]{0,5})(:(?P<epochs>[1-9][0-9]{0,4}))?(@(?P<rate>[0-9.]+(e[-+]?[0-9]+)?))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStage:
    """One part of a training.

    Args:
        freeze: ``none``, ``all`` or ``last-K``: the layers below the boundary do not learn.
        epochs: At most this many; ``None`` leaves it to the plan.
        rate: Peak rate; ``None`` takes that of the config, or the default of this boundary.
    """

    freeze: str
    epochs: int | None = None
    rate: float | None = None

    @property
    def max_epochs(self) -> int:
        """The most epochs that this stage trains."""
        return DEFAULT_MAX_EPOCHS if self.epochs is None else self.epochs


def parse_stages(freeze: str) -> tuple[TrainingStage, ...]:
    """Return the stages that ``--freeze`` spells out: ``FREEZE[:EPOCHS][@RATE]``, separated by commas.

    Empty for ``gradual``, whose stages depend on the model.

    Raises:
        UsageError: ``freeze`` has another form.

    Example:
        >>> [(stage.freeze, stage.epochs, stage.rate) for stage in parse_stages("all:2,last-2@1e-6")]
        [('all', 2, None), ('last-2', None, 1e-06)]
    """
    if freeze == GRADUAL:
        return ()
    return tuple(_parse(item.strip(), freeze) for item in freeze.split(","))


def plan_stages(freeze: str, *, epochs: int | None, num_layers: int) -> tuple[TrainingStage, ...]:
    """Return the stages of a training.

    ``gradual`` trains the head for one epoch, then the last layer as well, then the last two, and so on until it trains
    all layers, each for one epoch; the last stage takes the remaining epochs.

    Args:
        freeze: As ``parse_stages`` reads it, or ``gradual``.
        epochs: Epochs of each stage that names none; with ``gradual``, of all stages together (``DEFAULT_MAX_EPOCHS`` if
            ``None``).
        num_layers: Layers of the model; 0 if unknown.

    Raises:
        UsageError: ``freeze`` is not known, or ``epochs`` is given although every stage names its own.

    Source:
        Howard and Ruder (2018), Universal language model fine-tuning for text classification (gradual unfreezing).
    """
    check_epochs(freeze, epochs)
    if freeze != GRADUAL:
        return tuple(replace(stage, epochs=stage.epochs or epochs) for stage in parse_stages(freeze))
    boundaries = ["all", *(f"last-{count}" for count in range(1, num_layers + 1)), "none"]
    total = DEFAULT_MAX_EPOCHS if epochs is None else epochs
    used = boundaries[:total]
    rest = total - len(used) + 1
    return tuple(TrainingStage(freeze=item, epochs=rest if item == used[-1] else 1) for item in used)


def check_epochs(freeze: str, epochs: int | None) -> None:
    """Check that a given number of epochs applies to some stage.

    Raises:
        UsageError: Every stage names its own, or ``freeze`` is not known.
    """
    stages = parse_stages(freeze)
    if epochs is not None and stages and all(stage.epochs is not None for stage in stages):
        raise UsageError(
            f"epochs is {epochs}, but every stage of freeze {freeze!r} names its own",
            expected="epochs in one place",
            fix="leave --epochs out, or leave :EPOCHS out of the stages that should take it",
        )


def _parse(item: str, freeze: str) -> TrainingStage:
    found = _STAGE.fullmatch(item)
    epochs, rate = (found["epochs"], found["rate"]) if found else (None, None)
    if found is None or (rate is not None and not 0 < _number(rate) < 1):
        raise UsageError(
            f"freeze is {freeze!r:.80}" + (f", whose stage {item!r:.80} is not known" if "," in freeze else ""),
            expected="none, all, last-K such as last-2, gradual, or stages FREEZE[:EPOCHS][@RATE] such as all:2,last-2:1@1e-6",
        )
    return TrainingStage(
        freeze=found["freeze"], epochs=None if epochs is None else int(epochs), rate=None if rate is None else _number(rate)
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # such as 1.2.3
        return 0.0
