"""Fitting a chat model: conversations as ids, epochs by the loss of validation's replies, adapters merged at the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from pretune.configs import LAST, ConverseRunConfig, ReplyConfig
from pretune.models import Adapters, LanguageNetwork, adapters_of
from pretune.records import Change, Conversation, History, ReplyCounts, Step
from pretune.run.trace import Stage, Trace
from pretune.tasks.adapt import merge_adapters, set_up
from pretune.tasks.converse.mix import join, read_mix
from pretune.tasks.resumable import depends_on, keeper_of
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.replies import EncodedReplies, encode_replies
from pretune.train import Plan, Training, release_memory, seed_everything
from pretune.train.replies import ReplyObjective, ReplyValidator, Talks, windows_of

# The files of this folder whose lines decide the bits of a training.
SOURCES = ("tasks/converse/fit.py",)
# Share of the replies that are cut from which a note says so before training.
MANY_CUT = 0.05
# Conversations on which merged adapters must give the logits of before: each of its reply's tokens has one for every word.
NUM_MERGED = 4
# How far these may differ: those of words reach 30, and float32 sums of thirty layers differ by about 1e-4 (seen: 1.2e-4).
MAX_MERGED_DIFFERENCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSplits:
    """Conversations of training and validation as the model reads them.

    Args:
        train: To learn from.
        validation: That choose the epoch.
        ids: Names of the conversations of training, in their order.
        tokenizer: Digest of the tokenizer.
        mixed: Other text that is learned beside them.
    """

    train: EncodedReplies
    validation: EncodedReplies
    ids: tuple[str, ...]
    tokenizer: str
    mixed: Talks | None = None

    @property
    def learned(self) -> Talks:
        """All that training reads: the conversations, then what is mixed in."""
        own = talks_of(self.train)
        return own if self.mixed is None else join(own, self.mixed)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows of ``learned``."""
        return self.ids + tuple(f"mixed in {number}" for number in range(len(self.mixed or ())))

    @property
    def counts(self) -> tuple[ReplyCounts, ...]:
        """What became of the conversations of each split."""
        return self.train.counts, self.validation.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedChat:
    """What fitting leaves besides the trained weights."""

    history: History
    changes: tuple[Change, ...] = ()  # where it was resumed after a change
    adapters: Adapters | None = None  # that were merged into the network


def encode_splits(
    train: Sequence[Conversation],
    validation: Sequence[Conversation],
    template: ChatTemplate,
    tokenizer: Any,
    *,
    max_length: int,
    trace: Trace,
) -> EncodedSplits:
    """Render conversations with the template, tokenize them, and say what is cut before anything is trained.

    Raises:
        DataError: Nothing is left to learn, or the template refuses over 1 % of the conversations.
    """
    with trace.stage("tokenize", f"{len(train) + len(validation):,} conversations") as stage:
        own = encode_replies(train, template, max_length=max_length, split="train")
        held = encode_replies(validation, template, max_length=max_length, split="validation")
        stage.done, stage.notes = str(own.counts), list(template.notes)
        stage.shape_out = f"{own.counts.num_tokens + held.counts.num_tokens:,} tokens, up to {max_length:,} per conversation"
        first = own.tokens.ids[: own.tokens.offsets[1]]
        marked = own.marks[: own.tokens.offsets[1]]
        stage.example = _shown(tokenizer, first.tolist(), marked.tolist())
        if own.counts.cut_share > MANY_CUT:
            stage.notes.append(
                f"{own.counts.cut_share:.0%} of the replies do not fit into {max_length:,} tokens and teach no end; "
                "--max-length reads more"
            )
    names = tuple(train[row].id for row in own.rows)
    known = sha256(tokenizer.backend_tokenizer.to_str().encode() + str(tokenizer.chat_template).encode()).hexdigest()[:16]
    return EncodedSplits(train=own, validation=held, ids=names, tokenizer=known)


def with_mix(
    encoded: EncodedSplits, config: ConverseRunConfig, template: ChatTemplate, tokenizer: Any, trace: Trace
) -> EncodedSplits:
    """Return the splits with the share of other text that is to be learned beside them, if any."""
    share, source = config.chat.mix, config.chat.mix_corpus
    if not share or source is None:
        return encoded
    number = round(int(encoded.train.marks.sum()) * share / (1 - share))
    length = config.finetune.max_length or 0
    mixed = read_mix(source, max(1, number), template, tokenizer, max_length=length, seed=config.seed, trace=trace)
    return replace(encoded, mixed=mixed)


def talks_of(encoded: EncodedReplies) -> Talks:
    """Return what training reads of encoded conversations."""
    return Talks(tokens=encoded.tokens, is_reply=encoded.marks)


def fit_chat(network: LanguageNetwork, encoded: EncodedSplits, *, config: ReplyConfig, plan: Plan, trace: Trace) -> FittedChat:
    """Train the network in place on the replies; it holds the best epoch's weights afterwards.

    Args:
        network: On the plan's device.
        encoded: The conversations as it reads them.
        config: How.
        plan: How long, what is frozen, where, from which seed.
        trace: Receives stages, steps and validations.

    Raises:
        DivergedError: Loss or gradient stopped being finite.
        UsageError: The checkpoints belong to another training.
    """
    if config.dropout is not None:
        network.set_dropout(config.dropout)
    num_weights = sum(weight.numel() for weight in network.parameters())
    seed_everything(plan.seed)  # adapters are drawn: alike by every process, and whatever was measured before
    set_up(network, config, plan, trace)
    held = talks_of(encoded.validation)
    validator = ReplyValidator(network, held, plan.device, monitor=config.monitor, world=plan.world)
    keeper = keeper_of(_depends_on(network, encoded, config, plan), plan, trace)
    objective = ReplyObjective(network, encoded.learned, encoded.names, config, plan, validate=validator)
    waits = plan.checkpoints is not None or keeper is not None
    run = Training(objective, checkpoints=keeper, on_step=_step_teller(trace), waits=waits)
    run.resume()
    for number in objective.each_stage():
        others = "" if encoded.mixed is None else f" and {len(encoded.mixed):,} other texts"
        what = f"{len(encoded.ids):,} conversations{others}, {_describe(objective.stages[number].freeze, config)}"
        with trace.stage("fine-tune", what) as stage:
            for validation in run.rounds():
                trace.validation(validation)
                release_memory()
            _describe_history(stage, objective.history, config)
    adapters = adapters_of(network) if config.lora else None
    if config.lora:
        rows = np.arange(min(NUM_MERGED, len(held)))
        batch = windows_of(held, rows)[0].to(plan.device.kind)
        merge_adapters(network, batch, len(rows), trace, limit=MAX_MERGED_DIFFERENCE)
    history = replace(objective.history, num_weights=num_weights, num_trained_weights=objective.num_trained)
    del run, objective  # moments and the best weights so far
    release_memory()
    return FittedChat(history=history, changes=() if keeper is None else keeper.changes, adapters=adapters)


def _depends_on(network: LanguageNetwork, encoded: EncodedSplits, config: ReplyConfig, plan: Plan) -> dict[str, str]:
    rows = sha256()
    for item in (encoded.train, encoded.validation):
        rows.update(item.tokens.ids.tobytes() + item.tokens.offsets.tobytes() + item.marks.tobytes())
    if encoded.mixed is not None:
        rows.update(encoded.mixed.tokens.ids.tobytes() + encoded.mixed.tokens.offsets.tobytes())
    return depends_on(network, rows.hexdigest()[:16], encoded.tokenizer, config, plan, sources=SOURCES)


def _describe(freeze: str, config: ReplyConfig) -> str:
    what = "all layers trained" if freeze == "none" else f"{freeze.replace('-', ' ')} layers trained"
    return what + (f", LoRA of rank {config.lora} instead of layers" if config.lora else "")


def _describe_history(stage: Stage, history: History, config: ReplyConfig) -> None:
    epochs = "1 epoch" if len(history.validations) == 1 else f"{len(history.validations)} epochs"
    kept = "the last one" if config.monitor == LAST else f"epoch {history.best_epoch}"
    loss = next((item.loss for item in history.validations if item.epoch == history.best_epoch), None)
    said = "" if loss is None else f", {loss:.3f} nats per token of validation's replies"
    stage.done = f"{epochs}, {len(history.steps):,} steps; kept {kept}{said}"
    stage.notes = [f"stopped: {history.stopped_because}"]


def _shown(tokenizer: Any, ids: Sequence[int], marked: Sequence[bool]) -> str:
    """Return the tokens of a conversation, those that are learned in brackets."""
    tokens = tokenizer.convert_ids_to_tokens(list(ids))
    return " ".join(f"[{token}]" if is_learned else token for token, is_learned in zip(tokens, marked, strict=True))


def _step_teller(trace: Trace) -> Callable[[Step, int], None]:
    def tell(step: Step, planned: int) -> None:
        trace.step(step)
        trace.progress("fine-tune", step.index + 1, planned, "steps")

    return tell
