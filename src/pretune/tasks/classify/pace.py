"""Pacing: how long steps, scoring and tokenizing take here and now, measured on a copy of the model in a few seconds."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pretune.configs import FinetuneConfig
from pretune.data.seal.seal import TrainingData
from pretune.models import ClassNetwork, Inputs, build_network, find_checkpoint, load_tokenizer, max_positions, prepare_inputs
from pretune.predict import predict_logits
from pretune.records import StepTiming
from pretune.tokens import encode
from pretune.tokens.batch import MAX_TOKENS
from pretune.train import ClassObjective, Device, Plan, TrainingSet

Lengths = npt.NDArray[np.int64]

# Tokens a text at most, unless the user names more.
MAX_LENGTH = 512
# Texts whose lengths stand for those of all.
SAMPLE = 2_000
# Where in the order of lengths the two groups of texts lie that are timed: typical short ones, and long ones.
QUANTILES = (0.25, 0.9)
# How often each group is timed, after one time that does not count: the first of a shape prepares buffers that later ones use.
# The median is taken: on a busy machine some are easily ten times too long.
NUM_TIMED = 5
# A rate for steps that only their clock is read of.
ANY_RATE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds = ``fixed`` + ``rate`` × work, where work is what ``work_of`` returns."""

    fixed: float
    rate: float

    def seconds(self, work: float, times: float = 1.0) -> float:
        """Return how long so much work takes, begun so many times."""
        return self.fixed * times + self.rate * work


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was measured.

    Args:
        num_layers: Of the model; 0 where its layers cannot be told apart.
        width: Of its hidden states.
        lengths: Tokens of sampled training texts, uncut up to ``longest``.
        longest: The longest that the model, or the user, allows.
        load_seconds: Reading the model from disk.
        tokenize_seconds: A text.
        rate: Seconds for a unit of work in a pass through the whole model without learning.
        steps: By boundary, what one update takes; a boundary that would not fit is not in it.
        timings: What ``steps`` was made from.
        precise_rate: The same as ``rate`` in the precision that answers are computed in; ``None`` where that is the same.
    """

    num_layers: int
    width: int
    lengths: Lengths
    longest: int
    load_seconds: float
    tokenize_seconds: float
    rate: float
    steps: dict[str, Speed]
    timings: tuple[StepTiming, ...]
    precise_rate: float | None = None


def work_of(lengths: Lengths, width: int) -> float:
    """Return the work in texts of these lengths, in a unit of its own: attention grows with the square of the length.

    A layer takes 12 × width² products a token for its matrices and 2 × length × width for attention.
    """
    return float((lengths * (6.0 * width + lengths)).sum())


def boundaries_of(num_layers: int) -> tuple[str, ...]:
    """Return the boundaries worth choosing among, the cheapest first.

    Example:
        >>> boundaries_of(6)
        ('all', 'last-1', 'last-2', 'last-3', 'none')
    """
    counts = sorted({count for count in (1, 2, num_layers // 2) if 0 < count < num_layers})
    return ("all", *(f"last-{count}" for count in counts), "none")


class Stopwatch:
    """Loads a copy of the model and times it; one use.

    Args:
        model: Catalogue name, folder or hub id.
        training: The training rows; a fixed sample of them is read.
        config: How to train.
        device: Where.
        seed: Of the sample.
    """

    def __init__(self, model: str, training: TrainingData, config: FinetuneConfig, device: Device, seed: int) -> None:
        start = time.perf_counter()
        checkpoint = find_checkpoint(model)
        with torch.random.fork_rng():  # the head that nobody will use draws its first weights
            self.network: ClassNetwork = build_network(
                checkpoint,
                training.classes,
                head=config.head,
                head_size=config.head_size,
                dropout=config.dropout,
                mean=config.pooling == "auto",
            )
        self.network.to(device.kind)
        self._tokenizer: Any = load_tokenizer(checkpoint)
        self._load_seconds = time.perf_counter() - start
        self._training, self._device, self._seed = training, device, seed
        rate = config.learning_rate
        self._config = replace(config, learning_rate=ANY_RATE if isinstance(rate, str) else rate)
        self.longest = min(config.max_length or MAX_LENGTH, max_positions(checkpoint))
        order = np.random.default_rng(seed).permutation(len(training.train))[:SAMPLE]
        self._texts = [training.train[row].text for row in order]

    def measure(self, boundaries: Sequence[str], *, seconds: float) -> Iterator[Pace]:
        """Yield what is known after each boundary, the cheapest first, until about ``seconds`` are spent."""
        start = time.perf_counter()
        lengths = encode(self._texts, self._tokenizer, max_length=self.longest).lengths
        tokenize = (time.perf_counter() - start) / len(self._texts)
        width = int(getattr(self.network.model.config, "hidden_size", 0) or self.network.model.config.dim)
        groups = self._groups(lengths)
        pace = Pace(
            num_layers=len(self.network.layers),
            width=width,
            lengths=lengths,
            longest=self.longest,
            load_seconds=self._load_seconds,
            tokenize_seconds=tokenize,
            rate=self._time_forward(lengths, width),
            steps={},
            timings=(),
            precise_rate=self._time_forward(lengths, width, precisely=True) if self._is_coarse else None,
        )
        for freeze in boundaries:
            if time.perf_counter() - start > seconds and pace.steps:
                return
            points: list[tuple[float, float]] = []
            timings: list[StepTiming] = []
            for group in groups:
                expected = points[0][1] * work_of(group.lengths, width) / points[0][0] if points else 0.0
                if points and time.perf_counter() - start + (NUM_TIMED + 1) * expected > seconds:
                    break  # the short texts must do; a rate from them alone is rather too slow than too fast
                taken = self._time_steps(group, freeze)
                points.append((work_of(group.lengths, width), taken))
                timings.append(StepTiming(freeze=freeze, num_tokens=int(group.lengths.max()), seconds=round(taken, 5)))
            pace = replace(pace, steps={**pace.steps, freeze: _fit(points)}, timings=(*pace.timings, *timings))
            yield pace

    def _groups(self, lengths: Lengths) -> list[Inputs]:
        """Return batches of typical short texts and of long ones."""
        order, size = np.argsort(lengths, kind="stable"), min(self._config.batch_size, len(lengths))
        starts = dict.fromkeys(int(share * (len(order) - size)) for share in QUANTILES)
        picked = [[self._texts[row] for row in order[start : start + size]] for start in starts]
        return [Inputs(encode(texts, self._tokenizer, max_length=self.longest)) for texts in picked]

    @property
    def _is_coarse(self) -> bool:
        return self._device.precision == "bf16" and self._config.precision != "bf16"

    def _time_forward(self, lengths: Lengths, width: int, *, precisely: bool = False) -> float:
        """Return the seconds for a unit of work, in a batch filled as scoring fills them: texts alike in length."""
        order, middle = np.argsort(lengths, kind="stable"), len(lengths) // 2
        count = max(1, MAX_TOKENS // int(lengths[order[middle]]))
        texts = [self._texts[row] for row in order[max(0, middle - count + 1) : middle + 1]]
        batch, clock = Inputs(encode(texts, self._tokenizer, max_length=self.longest)), []
        with contextlib.nullcontext() if precisely else self._device.autocast():
            for _ in range(NUM_TIMED + 1):
                predict_logits(self.network, batch)
                clock.append(time.perf_counter())
        return _typical(clock) / work_of(batch.lengths, width)

    def _time_steps(self, group: Inputs, freeze: str) -> float:
        boundary, inputs = self.network.freeze(freeze), group
        if boundary and self.network.family is not None:
            with self._device.autocast():
                inputs = prepare_inputs(self.network, group.encoded, boundary)
        count = len(group)
        rows = TrainingSet(
            inputs=inputs,
            targets=np.arange(count) % len(self._training.classes),
            ids=[str(row) for row in range(count)],
            num_classes=len(self._training.classes),
        )
        plan = Plan(epochs=1, freeze=freeze, device=self._device, seed=self._seed)
        objective = ClassObjective(self.network, rows, self._config, plan, _never)
        clock = [time.perf_counter() for _ in objective.trial(lambda _: 1.0, NUM_TIMED + 1)]  # loss.item() waits for a GPU
        return _typical(clock)


def _typical(clock: Sequence[float]) -> float:
    """Return the median time between two strokes of the clock."""
    return float(np.median([after - before for before, after in pairwise(clock)]))


def _fit(points: Sequence[tuple[float, float]]) -> Speed:
    """Draw a line through one or two (work, seconds); neither part may be negative."""
    (least, first), (most, last) = points[0], points[-1]
    if most <= least:
        return Speed(fixed=0.0, rate=max(first, last) / max(least, 1.0))
    rate = max(0.0, (last - first) / (most - least))
    fixed = max(0.0, first - rate * least)
    return Speed(fixed=fixed, rate=rate) if fixed else Speed(fixed=0.0, rate=max(first / least, last / most))


def _never() -> Any:
    raise AssertionError("timing reads no validation rows")
