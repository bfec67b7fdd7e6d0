"""Records of pre-training: milestones with guesses, and whether it paid off."""

from dataclasses import dataclass
from typing import Any

from pretune.records.base import SCHEMA, Record
from pretune.records.figures import Comparison
from pretune.records.plots import plot_pretraining
from pretune.records.shown import Grid, Shown, Tabular


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess(Record):
    """One token that a model would put in a place."""

    token: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptGuesses(Record):
    """What a language model would put into one place of a prompt, the likeliest first."""

    prompt: str  # with its [MASK]; a causal model goes on after its end
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGuesses(Record):
    """What a language model would guess if its head read this layer."""

    name: str  # "embeddings", "layer 1", ...
    guesses: tuple[Guess, ...]  # the likeliest first
    final_probability: float  # that this layer gives to the guess of the last one


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPlace(Record):
    """One word to be guessed, followed through the layers."""

    place: int  # among the tokens: the hidden one, or the last one, after which the guess stands
    layers: tuple[LayerGuesses, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTrace(Record):
    """The words that a language model guesses, from the embeddings to the last layer."""

    schema: int = SCHEMA
    model: str = ""  # as the user named it
    prompt: str
    objective: str  # "masked" or "causal"
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    places: tuple[WordPlace, ...]
    note: str = ""  # what the user should know of the model


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTrace(Record):
    """One question followed through a chat model: the prompt, the first word of the reply layer by layer, the reply."""

    schema: int = SCHEMA
    text: str  # what was asked
    words: WordTrace  # of the prompt as the template renders it: what comes first in the reply, after every layer
    reply: str
    tokens: tuple[Guess, ...]  # of the reply, each with the probability that the model gave it
    ended: bool  # whether the model ended it itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone(Record):
    """One row of a pre-training's timeline: the figures after so many tokens, and what they mean in words."""

    step: int
    num_tokens: int  # seen so far, in all epochs
    training_loss: float  # nats a target, mean of the steps since the milestone before
    loss: float  # nats a target, on held-out text
    accuracy: float  # share of masked (or next) tokens guessed right, on held-out text
    perplexity: float  # exp(loss)
    bits_per_byte: float | None = None  # None where it is not defined: masked models predict a share of the text only
    learning_rate: float
    seconds: float  # since training began
    tokens_per_second: float  # since the milestone before
    observation: str = ""
    guesses: tuple[PromptGuesses, ...] = ()
    general_loss: float | None = None  # on held-out general text: at the first fair milestone and at the last
    general_accuracy: float | None = None  # the same text
    task: str = ""  # "next words" where a masked model predicts these first: its losses are of these then


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PretrainHistory(Tabular, Record):
    """How pre-training went."""

    schema: int = SCHEMA
    objective: str  # "masked" or "causal"
    milestones: tuple[Milestone, ...] = ()
    num_tokens: int = 0  # seen, in all epochs
    num_first_steps: int = 0  # of a masked model: updates that predicted next words, before those of hidden words
    num_head_steps: int = 0  # of a head that started from nothing: updates in which it learns alone
    num_targets: int | None = None  # that the loss counted
    num_weights: int | None = None
    started_from: str = ""  # the checkpoint that was continued; empty from scratch
    has_fresh_head: bool = False  # it had no head for words: what its losses were at first is that head's doing
    stopped_because: str = ""

    @property
    def first_fair(self) -> Milestone | None:
        """The milestone from which a fall of the loss says something of the layers: a fresh head has learned by then."""
        return next(filter(self.is_fair, self.milestones), None)

    def shown(self) -> Shown:
        """Show one row for each milestone."""
        gist = f"{self.objective}, {len(self.milestones)} milestones, {self.num_tokens:,} tokens"
        if self.milestones:
            gist += f"; loss {self.milestones[0].loss:.3f} → {self.milestones[-1].loss:.3f}"
        fields = ("step", "num_tokens", "training_loss", "loss", "accuracy", "perplexity", "learning_rate", "observation")
        return Shown("Pre-training", gist, (gist,), (Grid.of(self.milestones, *fields),))

    def plot(self, axes: Any = None) -> Any:
        """Draw the losses over tokens; return matplotlib's axes. Needs matplotlib."""
        return plot_pretraining(self, axes)

    def is_fair(self, milestone: Milestone) -> bool:
        """Whether its loss is that of the layers, and not that of a head that knows nothing yet."""
        return milestone.step >= (self.num_head_steps or int(self.has_fresh_head))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofArm(Record):
    """One fine-tuning of the proof: from which weights, on how many labels, from which seed."""

    source: str  # "pretrained", "random" or "before"
    num_labels: int
    seed: int
    validation_accuracy: float
    test_accuracy: float | None = None  # None until the seal was opened
    best_epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingProof(Record):
    """Whether pre-training paid: the same fine-tuning from other weights, paired on the test rows."""

    schema: int = SCHEMA
    arms: tuple[ProofArm, ...]
    comparisons: tuple[Comparison, ...] = ()  # "pretrained@1000" against "random@1000", ...
    loss_before: float | None = None  # of language modelling, on held-out text of the corpus
    loss_after: float | None = None
    statement: str = ""  # in a sentence or two
