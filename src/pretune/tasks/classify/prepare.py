"""What fitting reads: token ids by split, and the output of the frozen trunk, computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from pretune.configs import FinetuneConfig
from pretune.data.seal.seal import TrainingData
from pretune.models import ClassNetwork, Inputs, TrunkCache, prepare_inputs
from pretune.records import Example
from pretune.run.trace import Trace
from pretune.tokens import Encoded, encode
from pretune.train import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRows:
    """What fitting reads, by split; all that starts from the same checkpoint with the same boundary can share it."""

    training: TrainingData
    encoded: dict[str, Encoded]
    inputs: dict[str, Inputs]  # ids, or the states below the boundary
    targets: dict[str, npt.NDArray[np.int64]]  # index of the class, shape (num_texts,)
    tokenizer: str = ""  # digest


Prepare = Callable[[ClassNetwork, Any, TrainingData, FinetuneConfig, Plan, int, Trace], PreparedRows]


def prepare_rows(
    network: ClassNetwork,
    tokenizer: Any,
    training: TrainingData,
    config: FinetuneConfig,
    plan: Plan,
    max_length: int,
    trace: Trace,
) -> PreparedRows:
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
        split: compute_trunk(network, item, split, boundary=boundary, config=config, plan=plan, trace=trace)
        for split, item in encoded.items()
    }
    class_of = {label: index for index, label in enumerate(training.classes)}
    targets = {split: np.array([class_of[str(row.label)] for row in examples]) for split, examples in rows.items()}
    known = sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()[:16]
    return PreparedRows(training=training, encoded=encoded, inputs=inputs, targets=targets, tokenizer=known)


class PreparedOnce:
    """Prepares for the first network, and gives the others the same."""

    def __init__(self) -> None:
        self._held: PreparedRows | None = None

    def __call__(self, *given: Any) -> PreparedRows:
        """Return what is held, or prepare it from what ``prepare_rows`` takes."""
        if self._held is None:
            self._held = prepare_rows(*given)
        return self._held


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
        stage.done = f"truncated at {max_length} tokens: {num_cut:,} texts ({num_cut / max(1, num_texts):.1%})"
        stage.shape_out = f"{num_texts:,} texts × up to {longest} tokens ({num_tokens:,} in all)"
        first = encoded["train"].ids[: encoded["train"].offsets[1]].tolist()
        pairs = zip(tokenizer.convert_ids_to_tokens(first), first, strict=True)
        stage.example = " ".join(f"{token}={index}" for token, index in pairs)
    return encoded


def compute_trunk(
    network: ClassNetwork, encoded: Encoded, split: str, *, boundary: int, config: FinetuneConfig, plan: Plan, trace: Trace
) -> Inputs:
    """Return the states of the frozen layers below the boundary for all texts, or their ids where nothing is frozen."""
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


def tell_progress(trace: Trace | None, what: str) -> Callable[[int, int], None] | None:
    """Return a function that tells the trace how many texts are done."""
    return None if trace is None else lambda done, total: trace.progress(what, done, total, "texts")
