"""How good the network is on the validation rows after each epoch."""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

from pretune.configs import LAST, FinetuneConfig
from pretune.data.seal.seal import TrainingData
from pretune.evaluate import choose_positive, is_unbalanced
from pretune.evaluate.monitor import OF_POSITIVE, check_monitor, monitored
from pretune.models import ClassNetwork, Inputs
from pretune.predict import predict_logits
from pretune.train import Figures, Plan

# Validation rows below which "goal" keeps the last epoch: fewer tell epochs apart by chance (docs/decisions/0039).
LEAST_TO_CHOOSE = 200


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
        network: ClassNetwork,
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
        value = {"loss": loss, LAST: loss, "accuracy": accuracy}.get(self._monitor)
        if value is None:
            codes, num_classes = (self._truth.numpy(), predicted.numpy()), logits.shape[1]
            value = monitored(self._monitor, *codes, num_classes=num_classes, positive=self._positive)
        return Figures(loss=loss, accuracy=accuracy, metric=self._monitor, metric_value=value, logits=logits)


def monitor_of(config: FinetuneConfig, training: TrainingData, labels: npt.NDArray[np.int64]) -> tuple[str, int | None]:
    """Return the metric that chooses the epoch, and the index of the class that it is about, if it is about one."""
    names = [str(row.label) for row in training.train]
    if config.monitor == "goal":
        chooses = "macro_f1" if is_unbalanced(names) else "accuracy"
        return (chooses if len(labels) >= LEAST_TO_CHOOSE else LAST), None
    if config.monitor not in OF_POSITIVE:
        check_monitor(config.monitor, labels, training.classes, None)
        return config.monitor, None
    positive = choose_positive(names, config.positive)
    check_monitor(config.monitor, labels, training.classes, positive)
    return config.monitor, training.classes.index(str(positive))
