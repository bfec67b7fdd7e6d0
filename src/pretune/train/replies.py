"""Replies as an objective: the next token is predicted where a reply stands, and nowhere else.

Shapes: ids (rows, time), targets (targets,), places in the flattened ids whose next token is of a reply.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pretune.configs import FinetuneConfig
from pretune.models import LanguageNetwork, Windows
from pretune.tokens import MAX_TOKENS_A_PART, Encoded, padded_width, plan_batches, plan_scoring, split_batch
from pretune.train.device import Device
from pretune.train.distributed import ALONE, World
from pretune.train.epochs import EpochObjective
from pretune.train.loop import Update
from pretune.train.plans import Figures, Plan
from pretune.train.sharding import Shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """Conversations, or other text that is mixed in.

    Args:
        tokens: Their ids, laid end to end.
        is_reply: Whether each token is learned: in a conversation those of replies, stop tokens included, (tokens,).
    """

    tokens: Encoded
    is_reply: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.tokens)

    def bounds(self, row: int) -> tuple[int, int]:
        """Return where a conversation begins and ends among the ids."""
        return int(self.tokens.offsets[row]), int(self.tokens.offsets[row + 1])

    def num_targets(self, row: int) -> int:
        """Return from how many tokens of a conversation there is something to learn; the first has nothing before it."""
        start, stop = self.bounds(row)
        return int(self.is_reply[start + 1 : stop].sum())


def windows_of(talks: Talks, rows: npt.NDArray[np.int64], *, width: int = 0) -> tuple[Windows, Tensor]:
    """Return conversations padded on the right, and the tokens of their replies in the order of ``targets``.

    A token looks back only, so what fills a row up is seen by no target. The last token of a row predicts nothing and is
    left out.

    Args:
        talks: The conversations.
        rows: Their numbers.
        width: Tokens that each row is padded to, if that is more than the longest has.
    """
    bounds = [talks.bounds(row) for row in rows]
    width = max(width, max((stop - start for start, stop in bounds), default=0) - 1, 1)
    ids = np.full((len(bounds), width), talks.tokens.padding_id, dtype=np.int64)
    is_target, labels = np.zeros(ids.shape, dtype=bool), list[npt.NDArray[np.int32]]()
    for place, (start, stop) in enumerate(bounds):
        ids[place, : stop - start - 1] = talks.tokens.ids[start : stop - 1]
        asked = talks.is_reply[start + 1 : stop]
        is_target[place, : len(asked)] = asked
        labels.append(talks.tokens.ids[start + 1 : stop][asked])
    targets = np.flatnonzero(is_target)
    found = np.concatenate(labels).astype(np.int64) if labels else np.empty(0, dtype=np.int64)
    return Windows(ids=torch.from_numpy(ids), targets=torch.from_numpy(targets), looks_back=True), torch.from_numpy(found)


class ReplyRows:
    """Conversations to learn from.

    Args:
        network: What learns.
        talks: The conversations.
        ids: Name of each.
        config: Rows per update, and at once.
        plan: Where.
    """

    def __init__(self, network: LanguageNetwork, talks: Talks, ids: Sequence[str], config: FinetuneConfig, plan: Plan) -> None:
        self._network, self._talks, self._ids, self._config, self._plan = network, talks, ids, config, plan
        self._lengths = talks.tokens.lengths
        self.num_hits = torch.zeros((), dtype=torch.int64, device=plan.device.kind)

    def __len__(self) -> int:
        return len(self._lengths)

    def begin(self, boundary: int) -> None:
        """Get ready for a stage: the layers below the boundary are run again each time."""

    def order(self, generator: np.random.Generator) -> list[npt.NDArray[np.int64]]:
        """Return the row numbers of an epoch, update by update, rows of like length together."""
        return plan_batches(self._lengths, self._config.rows_per_update, generator=generator)

    def update(self, rows: npt.NDArray[np.int64], shards: Shards | None) -> Update:
        """Return what an update learns from; of several processes, what this one does."""
        kind, world = self._plan.device.kind, self._plan.world
        own = world.share_rows(rows, self._lengths)
        parts = split_batch(own, self._lengths, max_tokens=MAX_TOKENS_A_PART[kind], max_rows=self._config.batch_size)
        empty = int(not parts) if shards is None else world.most(len(parts)) - len(parts)
        held = [self._windows(part) for part in parts]
        nothing = [(windows.to(kind), labels.to(kind)) for windows, labels in [self._nothing(rows)] * empty]
        num_targets = sum(map(self._talks.num_targets, rows))
        return Update(
            parts=(*((windows.to(kind), labels.to(kind)) for windows, labels in held), *nothing),
            rows=tuple(self._ids[row] for row in rows),
            weight=float(max(1, num_targets)),
            num_targets=num_targets,
        )

    def loss(self, batch: Windows, targets: Tensor) -> Tensor:
        """Return the cross-entropy summed over tokens of replies: targets (targets,), the token at each; nats."""
        with self._plan.device.autocast():
            loss, num_right = self._network.loss(batch, targets)
        self.num_hits += num_right
        return loss

    def _windows(self, rows: npt.NDArray[np.int64]) -> tuple[Windows, Tensor]:
        longest = int(self._lengths[rows].max())
        return windows_of(self._talks, rows, width=padded_width(longest, int(self._lengths.max())) - 1)

    def _nothing(self, rows: npt.NDArray[np.int64]) -> tuple[Windows, Tensor]:
        """Return a row that nothing is learned from, so that a process without any takes part in the update."""
        windows, labels = windows_of(self._talks, rows[:1])
        return Windows(ids=windows.ids, targets=windows.targets[:0], looks_back=True), labels[:0]


class ReplyObjective(EpochObjective):
    """What fine-tuning learns of conversations: see ``EpochObjective``.

    Args:
        network: Trained in place, and holding the best epoch's weights at the end.
        talks: The conversations to learn from.
        ids: Name of each.
        config: How.
        plan: How long, where, from which seed.
        validate: Scores the network as it stands.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        talks: Talks,
        ids: Sequence[str],
        config: FinetuneConfig,
        plan: Plan,
        *,
        validate: Callable[[], Figures],
    ) -> None:
        super().__init__(network, ReplyRows(network, talks, ids, config, plan), config, plan, validate)


class ReplyValidator:
    """Scores the replies of validation after each epoch.

    Args:
        network: As it stands.
        talks: The conversations of validation.
        device: Where to compute.
        monitor: ``loss``, or ``last`` where no epoch is chosen.
        world: The processes that share the batches; every one returns the same bits.
    """

    def __init__(
        self, network: LanguageNetwork, talks: Talks, device: Device, *, monitor: str = "loss", world: World = ALONE
    ) -> None:
        self._network, self._talks, self._device, self._monitor, self._world = network, talks, device, monitor, world

    def __call__(self) -> Figures:
        """Return loss per token and the share of tokens guessed right."""
        loss, num_right, num_targets = self._sums()
        mean = loss / max(1, num_targets)
        return Figures(loss=mean, accuracy=num_right / max(1, num_targets), metric=self._monitor, metric_value=mean)

    def _sums(self) -> tuple[float, float, float]:
        kind, world, lengths = self._device.kind, self._world, self._talks.tokens.lengths
        batches = plan_scoring(lengths, max_tokens=MAX_TOKENS_A_PART[kind])
        figures = torch.zeros(len(batches), 3, dtype=torch.float64)  # of each batch: loss, tokens guessed right, tokens
        self._network.eval()
        with torch.inference_mode(), self._device.autocast():
            for number in range(world.rank, len(batches), world.size):
                windows, labels = windows_of(self._talks, batches[number])
                found, right = self._network.loss(windows.to(kind), labels.to(kind))
                figures[number] = torch.tensor([float(found), int(right), len(labels)], dtype=torch.float64)
        world.gather(figures)
        loss, num_right, num_targets = (sum(column) for column in zip(*figures.tolist(), strict=True))
        return loss, num_right, num_targets
