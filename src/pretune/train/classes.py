"""Classes as an objective: shuffled, length-grouped batches of texts; classes weighted or drawn evenly where that is asked."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from pretune.configs import FinetuneConfig
from pretune.models import Batch, Network
from pretune.tokens import MAX_TOKENS_A_PART, plan_batches, split_batch
from pretune.train.epochs import EpochObjective
from pretune.train.loop import Update
from pretune.train.plans import Figures, Plan, TrainingSet
from pretune.train.sampling import class_weights, draw_rows
from pretune.train.sharding import Shards

# The target of a text that is computed without learning from it, so that every process takes part in every update.
NO_TARGET = -100


class ClassRows:
    """Texts and their classes.

    Args:
        network: What learns from them.
        training: The training rows.
        config: How.
        plan: Where, and from what the first stage trains.
    """

    def __init__(self, network: Network, training: TrainingSet, config: FinetuneConfig, plan: Plan) -> None:
        self._network, self._training, self._config, self._plan = network, training, config, plan
        weighed = config.class_weights if config.sampling == "all" else bool(config.class_weights)
        self._weights = class_weights(training.targets, training.num_classes, weighed)
        self._targets = torch.from_numpy(training.targets)
        self.num_hits = torch.zeros((), dtype=torch.int64, device=plan.device.kind)
        self._inputs, self._boundary = training.inputs, network.boundary_of(plan.stages(len(network.layers))[0].freeze)

    def __len__(self) -> int:
        return len(self._training.targets)

    def begin(self, boundary: int) -> None:
        """Read what the frozen layers make of the texts, where others are frozen than before.

        Below the boundary every stage begins with the best weights so far, and none changes them: the states stay right.
        """
        if boundary != self._boundary and self._training.prepare is not None:
            self._inputs = self._training.inputs  # let go of what the stage before has kept
            self._inputs = self._training.prepare(boundary)
        self._boundary = boundary

    def order(self, generator: np.random.Generator) -> list[npt.NDArray[np.int64]]:
        """Return the row numbers of an epoch, update by update."""
        drawn = draw_rows(self._training.targets, self._config.sampling, generator=generator)
        plan = plan_batches(self._inputs.lengths[drawn], self._config.rows_per_update, generator=generator)
        return [drawn[places] for places in plan]

    def update(self, rows: npt.NDArray[np.int64], shards: Shards | None) -> Update:
        """Return what an update learns from; of several processes, what this one does."""
        inputs, kind, world, targets = self._inputs, self._plan.device.kind, self._plan.world, self._targets
        own, most = world.share_rows(rows, inputs.lengths), MAX_TOKENS_A_PART[kind]
        parts = split_batch(own, inputs.lengths, max_tokens=most, max_rows=self._config.batch_size)
        empty = int(not parts) if shards is None else world.most(len(parts)) - len(parts)
        fillers = [(inputs.batch(rows[:1], kind), torch.full((1,), NO_TARGET, device=kind))] * empty
        return Update(
            parts=(*((inputs.batch(part, kind), targets[part].to(kind)) for part in parts), *fillers),
            rows=tuple(self._training.ids[row] for row in rows),
            weight=float(len(rows) if self._weights is None else self._weights[targets[rows]].sum()),
        )

    def loss(self, batch: Batch, targets: Tensor) -> Tensor:
        """Return the cross-entropy summed over the texts: targets (batch,), index of the class; nats."""
        with self._plan.device.autocast():
            logits = self._network(batch)
        self.num_hits += (logits.detach().argmax(dim=1) == targets).sum()
        weights = None if self._weights is None else self._weights.to(logits.device)
        smoothing = self._config.label_smoothing
        return cross_entropy(
            logits, targets, weight=weights, label_smoothing=smoothing, reduction="sum", ignore_index=NO_TARGET
        )


class ClassObjective(EpochObjective):
    """What fine-tuning learns of texts and their classes: see ``EpochObjective``.

    Args:
        network: Trained in place, and holding the best epoch's weights at the end.
        training: The training rows.
        config: How.
        plan: How long, where, from which seed.
        validate: Scores the network as it stands.
    """

    def __init__(
        self, network: Network, training: TrainingSet, config: FinetuneConfig, plan: Plan, validate: Callable[[], Figures]
    ) -> None:
        super().__init__(network, ClassRows(network, training, config, plan), config, plan, validate)
