"""Plots of records, by matplotlib: how training went, what thresholds would give."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pretune.errors import UsageError, require

if TYPE_CHECKING:
    from pretune.records.figures import ProbabilityView, ThresholdChoice
    from pretune.records.pretraining import PretrainHistory
    from pretune.records.training import History

WINDOW = 20  # steps of the running mean that is drawn of training losses: single batches jump too much to be read


def new_axes(axes: Any = None) -> Any:
    """Return the axes that were given, or new ones.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    if axes is not None:
        return axes
    return require("matplotlib.pyplot", extra="notebook").subplots(figsize=(7, 4), layout="constrained")[1]


def plot_history(history: "History", axes: Any = None) -> Any:
    """Draw losses over steps, and accuracy on validation on an axis of its own; return the axes.

    Raises:
        UsageError: There was no training.
    """
    if not history.validations and not history.steps:
        raise UsageError("there is no training to plot", expected="a history with steps or epochs", fix="fit a model first")
    axes, epochs = new_axes(axes), history.validations
    losses = _smooth([step.loss for step in history.steps])
    axes.plot([step.index for step in history.steps], losses, color="tab:blue", alpha=0.6, label="training loss")
    axes.plot([item.step for item in epochs], [item.loss for item in epochs], "o-", color="tab:orange", label="validation loss")
    axes.set(xlabel="step", ylabel="loss (nats)", title="Fine-tuning")
    beside = axes.twinx()
    beside.plot([item.step for item in epochs], [item.accuracy for item in epochs], "s--", color="tab:green", label="accuracy")
    beside.set(ylabel="accuracy on validation", ylim=(0, 1.02))
    if history.best_step is not None:
        axes.axvline(history.best_step, color="gray", linestyle=":", label="kept")
    handles = [*axes.get_legend_handles_labels()[0], *beside.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=len(handles), frameon=False)
    return axes


def plot_pretraining(history: "PretrainHistory", axes: Any = None) -> Any:
    """Draw training loss and loss on held-out text over tokens; return the axes.

    Raises:
        UsageError: There is no milestone.
    """
    if not history.milestones:
        raise UsageError("there is no pre-training to plot", expected="a history with milestones")
    axes, seen = new_axes(axes), [item.num_tokens for item in history.milestones]
    axes.plot(seen, [item.training_loss for item in history.milestones], "o-", color="tab:blue", label="training loss")
    axes.plot(seen, [item.loss for item in history.milestones], "o-", color="tab:orange", label="held-out loss")
    axes.set(xlabel="tokens seen", ylabel="loss (nats per target)", title=f"Pre-training, {history.objective}")
    axes.legend()
    return axes


def plot_threshold(choice: "ThresholdChoice", axes: Any = None) -> Any:
    """Draw precision and recall over thresholds, with the chosen one and the range that resamples choose; return the axes.

    Raises:
        UsageError: No threshold was to be chosen.
    """
    points = sorted(choice.curve or choice.table, key=lambda point: point.threshold)
    if not points:
        raise UsageError(
            f"there is no threshold to plot: {choice.note or 'the largest class decides'}",
            expected="a choice for a positive class",
            fix="name one: judge(model, data, config=JudgeConfig(positive=...))",
        )
    axes, at = new_axes(axes), [point.threshold for point in points]
    axes.step(at, [point.precision for point in points], where="pre", label=f"precision of {choice.positive}")
    axes.step(at, [point.recall for point in points], where="pre", label=f"recall of {choice.positive}")
    if choice.threshold is not None:
        axes.axvline(choice.threshold, color="gray", label=f"chosen: {choice.threshold:.3f}")
    if choice.low is not None and choice.high is not None:
        axes.axvspan(choice.low, choice.high, color="gray", alpha=0.15, label="chosen on 90 % of resamples")
    axes.set(xlabel="threshold", ylim=(0, 1.02), title=f"Thresholds on {choice.split}, {choice.num_examples:,} rows")
    axes.legend()
    return axes


def plot_calibration(view: "ProbabilityView", axes: Any = None) -> Any:
    """Draw how often came true what was claimed, with intervals, beside the line of honest probabilities; return the axes.

    Raises:
        UsageError: The predictions had no probabilities.
    """
    if not view.bins:
        raise UsageError("there are no probabilities to plot", expected="predictions with probabilities, on some rows")
    axes, claimed = new_axes(axes), [item.claimed for item in view.bins]
    true = [item.came_true for item in view.bins]
    reach = ([item.came_true - item.low for item in view.bins], [item.high - item.came_true for item in view.bins])
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":", label="as honest as can be")
    axes.errorbar(claimed, true, yerr=reach, fmt="o-", capsize=3, label=view.claimed or "the answer")
    title = f"Calibration on {view.split}, {view.num_examples:,} rows"
    axes.set(xlabel="probability given", ylabel="share that came true", ylim=(0, 1.02), title=title)
    axes.legend()
    return axes


def _smooth(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """Return running means, of the values so far at the beginning."""
    sums, means = 0.0, []
    for place, value in enumerate(values):
        sums += value - (values[place - window] if place >= window else 0.0)
        means.append(sums / min(place + 1, window))
    return means
