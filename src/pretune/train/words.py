"""Words as an objective: hidden or next words in windows of a packed stream, in shuffled order; held-out text is scored."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pretune.configs import PretrainConfig
from pretune.errors import UsageError
from pretune.models import LanguageNetwork, Windows
from pretune.records import Milestone, PretrainHistory, Step
from pretune.records.observation import observe_milestones
from pretune.train.checkpoint import Saved, named_parts
from pretune.train.device import release_memory, seed_step
from pretune.train.distributed import ALONE, World
from pretune.train.held_out import MAX_TOKENS_A_PART, score_held_out
from pretune.train.loop import Update
from pretune.train.optimizer import Optimizer, make_language_optimizer
from pretune.train.plans import PretrainPlan
from pretune.train.schedule import Schedule, make_schedule
from pretune.train.sharding import Shards, whole
from pretune.train.training import trial_steps
from pretune.train.windows import Ids, Text, WindowOrder, ask, nothing_of, own_share

# How many times larger the peak rate of a fresh head is than that of the trained layers below it.
HEAD_RATE_FACTOR = 10.0


class WordObjective:
    """What pre-training learns, from milestone to milestone.

    Args:
        network: Trained in place; on the plan's device.
        text: What it reads.
        config: Resolved: no rate, share or optimizer is left open.
        plan: How long, where.
        on_milestone: Fills in what is not measured here, such as guesses.

    Raises:
        DataError: The text is shorter than one update.
        UsageError: Weights in parts are asked for beside a head that learns alone.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        text: Text,
        config: PretrainConfig,
        plan: PretrainPlan,
        *,
        on_milestone: Callable[[Milestone], Milestone] = lambda item: item,
    ) -> None:
        self.network, self.text, self.config, self.plan = network, text, config, plan
        self._on_milestone, self.num_steps = on_milestone, plan.num_steps
        self.world, self.max_gradient_norm = plan.world, config.max_gradient_norm
        network.requires_grad_(True)
        self._num_weights = sum(weight.numel() for weight in network.parameters())
        self._shards = self._cut()
        self._order = WindowOrder(text.train, config, seed=plan.seed)
        self.optimizer = self._make_optimizer()
        self._num_first = round(plan.num_steps * config.next_word_share) if self._has_first_phase else 0
        self._num_alone = round(plan.num_steps * config.head_share) if plan.has_fresh_head else 0
        self._schedule = self._make_schedule()
        self._milestones: list[Milestone] = []
        self._due = {round(plan.num_steps * (place + 1) / config.num_milestones) for place in range(config.num_milestones)}
        self._due |= {0, self._num_first, self._num_alone}  # before the first step; and losses of two things are not averaged
        self._step, self._loss_sum, self._num_targets = 0, 0.0, 0  # steps made; loss and targets since the last milestone
        self._all_targets, self._seconds, self._seconds_then, self._rate = 0, 0.0, 0.0, 0.0

    @property
    def history(self) -> PretrainHistory:
        """How it went so far."""
        return PretrainHistory(
            objective="causal" if self.network.is_causal else "masked",
            milestones=tuple(self._milestones),
            num_tokens=self._step * self.tokens_per_update,
            num_first_steps=min(self._step, self._num_first),
            num_head_steps=self._num_alone,
            num_targets=self._all_targets,
            num_weights=self._num_weights,
            started_from=self.plan.started_from,
            has_fresh_head=self.plan.has_fresh_head,
            stopped_because=f"all {self.plan.num_steps:,} steps done" if self._step == self.plan.num_steps else "",
        )

    @property
    def _has_first_phase(self) -> bool:
        return not self.network.is_causal and not self.plan.started_from

    @property
    def is_first_phase(self) -> bool:
        """Whether the steps up to here predicted next words in place of hidden ones."""
        return 0 < self._step <= self._num_first

    @property
    def tokens_per_update(self) -> int:
        """Tokens that one update reads."""
        return self.config.windows_per_update * self.config.window

    @property
    def num_made(self) -> int:
        """Updates made so far."""
        return self._step

    @property
    def num_saved_bytes(self) -> int:
        """What a checkpoint takes: every weight and two moments in fp32."""
        return 12 * self._num_weights

    @property
    def is_done(self) -> bool:
        """Whether the milestone after the last update was reached."""
        return bool(self._milestones) and self._milestones[-1].step >= self.num_steps

    def updates(self) -> Iterator[Update]:
        """Yield the updates up to the next milestone; none before the first step, and where that is due."""
        last = self._milestones[-1].step if self._milestones else -1
        return map(self._update, range(self._step, min(place for place in self._due if place > last)))

    def took(self, step: Step, seconds: float) -> None:
        """Count an update since the last milestone."""
        self._step, self._rate, self._seconds = step.index + 1, step.learning_rate, self._seconds + seconds
        self._loss_sum += step.loss * step.num_targets
        self._num_targets += step.num_targets
        self._all_targets += step.num_targets

    def trial(self, num_steps: int, *, first: int = 0) -> Iterator[Step]:
        """Train for a few steps like those from ``first`` on, at the first rate; the caller puts the weights back."""
        factor = self._schedule(0)
        return trial_steps(self, map(self._update, range(first, first + num_steps)), lambda _: factor, num_steps, first=first)

    @property
    def opening_share(self) -> float:
        """Share of the steps that are of another kind than the rest: of next words, or of a fresh head alone."""
        return (self._num_first + self._num_alone) / self.plan.num_steps

    def score(self, *, next_words: bool = False, world: World = ALONE, text: Text | None = None) -> tuple[float, float]:
        """Return what ``score_held_out`` does of the network as it stands, on the text that is learned from or another."""
        return score_held_out(
            self.network, text or self.text, self.config, self.plan.device, next_words=next_words, world=world
        )

    def _cut(self) -> Shards | None:
        """Let every process keep a part of the weights, where that is asked for."""
        if not self.config.shard or self.plan.world.size == 1:
            return None
        if self.plan.has_fresh_head and self.config.head_share:
            raise UsageError(
                "shard is on, and a head that starts from nothing learns alone at first",
                expected="weights in parts that all learn from the first step",
                fix="pass --set pretrain.head_share=0, or leave --set pretrain.shard=true out",
            )
        return Shards(self.network, 0, self.plan.world, self.config.shard)

    def _make_optimizer(self) -> Optimizer:
        config = self.config
        rate = config.learning_rate or 0.0
        head_rate = rate * HEAD_RATE_FACTOR if self.plan.has_fresh_head else None
        with_muon = config.optimizer == "muon"
        return make_language_optimizer(
            self.network,
            rate=rate,
            decay=config.weight_decay,
            with_muon=with_muon,
            head_rate=head_rate,
            world=self.plan.world,
            shards=self._shards,
        )

    def _make_schedule(self) -> Schedule:
        """Return the factor on the rates; after a head that learned alone, all warm up again."""
        config, alone = self.config, self._num_alone
        rest = make_schedule(num_steps=self.plan.num_steps - alone, warmup_share=config.warmup_share, decay=config.decay)
        first = make_schedule(num_steps=alone, warmup_share=config.warmup_share, decay="constant")
        return lambda step: first(step) if step < alone else rest(step - alone)

    def rate_factor(self, step: int) -> float:
        """Return the factor on the peak rates."""
        return self._schedule(step)

    def loss(self, windows: Windows, labels: Tensor) -> Tensor:
        """Return the cross-entropy summed over the targets: labels (targets,), the token that belongs there; nats."""
        with self.plan.device.autocast():
            return self.network.loss(windows, labels)[0]

    def _update(self, step: int) -> Update:
        config, seed = self.config, self.plan.seed
        world = self.plan.world
        self.network.masks.begin_step(seed, step, world.rank)
        seed_step(seed, step, world.rank)
        self.network.trunk.requires_grad_(step >= self._num_alone)
        generator = np.random.default_rng([seed % 2**32, step])
        starts, next_words = self._order.starts(step), self.network.is_causal or step < self._num_first
        most = max(1, MAX_TOKENS_A_PART[self.plan.device.kind] // config.window)
        parts = [self._ask(starts[place : place + most], generator, next_words) for place in range(0, len(starts), most)]
        num_targets = sum(len(labels) for _, labels in parts)
        if world.size > 1:  # every process draws what is hidden in all windows, and learns from its own
            own = [share for share in (own_share(*part, world) for part in parts) if len(share[1])]
            nothing = nothing_of(*parts[0])
            num_missing = int(not own) if self._shards is None else world.most(len(own)) - len(own)
            parts = own + [nothing] * num_missing
        rows = tuple(f"tokens {start} to {start + config.window - 1}" for start in starts.tolist())
        return Update(parts=tuple(parts), rows=rows, weight=float(max(1, num_targets)), num_targets=num_targets)

    def _ask(self, starts: Ids, generator: np.random.Generator, next_words: bool) -> tuple[Windows, Tensor]:
        stream, window, kind = self.text.train, self.config.window, self.plan.device.kind
        windows, labels = ask(
            stream, starts, window, text=self.text, config=self.config, generator=generator, next_words=next_words
        )
        return windows.to(kind), labels.to(kind)

    def look(self) -> Milestone:
        """Score held-out text and say where training stands."""
        with whole(self._shards):
            found = self._measure()
        self._end_parts()
        return found

    def _end_parts(self) -> None:
        """Put every weight back in its place where nothing more is learned."""
        if self.is_done and self._shards is not None:
            self._shards.dissolve()
            self._shards = None

    def _measure(self) -> Milestone:
        is_first = self.is_first_phase
        loss, accuracy = self.score(next_words=is_first, world=self.plan.world)
        num_tokens, before = self._step * self.tokens_per_update, self._milestones[-1] if self._milestones else None
        spent, since = self._seconds - self._seconds_then, num_tokens - (before.num_tokens if before else 0)
        is_causal, history = self.network.is_causal, self.history
        milestone = Milestone(
            step=self._step,
            num_tokens=num_tokens,
            training_loss=self._loss_sum / self._num_targets if self._num_targets else loss,
            loss=loss,
            accuracy=accuracy,
            perplexity=math.exp(min(loss, 700.0)),
            bits_per_byte=loss / math.log(2) / self.text.validation_bytes if is_causal else None,
            learning_rate=self._rate,
            seconds=round(self._seconds, 3),
            tokens_per_second=since / spent if spent > 0 else 0.0,
            task="next words" if is_first else "",
        )
        is_compared = self._step == self.plan.num_steps or (history.is_fair(milestone) and history.first_fair is None)
        if self.plan.general is not None and is_compared and not is_first:
            of_general = self.score(text=self.plan.general)
            milestone = replace(milestone, general_loss=of_general[0], general_accuracy=of_general[1])
        self._milestones.append(milestone if is_first else self._on_milestone(milestone))
        self._milestones[-1] = replace(
            self._milestones[-1], observation=observe_milestones(self._milestones, num_alone=self._num_alone)
        )
        self._loss_sum, self._num_targets, self._seconds_then = 0.0, 0, self._seconds
        release_memory()
        return self._milestones[-1]

    def saved(self) -> Saved:
        """Return what resuming needs."""
        with whole(self._shards):
            weights = {name: weight.detach() for name, weight in self.network.model.named_parameters()}  # tied ones once
        tensors = named_parts(weights=weights, optimizer=self.optimizer.state())
        state = {
            "milestones": [item.to_json() for item in self._milestones],
            "loss_sum": self._loss_sum,
            "num_targets": self._num_targets,
            "all_targets": self._all_targets,
            "seconds": self._seconds,
            "seconds_then": self._seconds_then,
            "learning_rate": self._rate,
        }
        return Saved(step=self._step, tensors=tensors, state=state)

    @torch.no_grad()
    def take_over(self, saved: Saved) -> None:
        """Go on from a checkpoint; from its weights alone where it is of another training."""
        with whole(self._shards):
            for name, weight in self.network.model.named_parameters():
                weight.copy_(saved.tensors[f"weights.{name}"])
        if not saved.is_exact:
            return
        self.optimizer.load(saved.part("optimizer"))
        self._step, state = saved.step, saved.state
        self._milestones = [Milestone.from_json(item) for item in state["milestones"]]
        self._loss_sum, self._num_targets = float(state["loss_sum"]), int(state["num_targets"])
        self._all_targets, self._seconds = int(state["all_targets"]), float(state["seconds"])
        self._seconds_then = float(state["seconds_then"])
        self._rate = float(state.get("learning_rate", 0.0))  # earlier versions saved after a look, and needed none
        self._end_parts()
