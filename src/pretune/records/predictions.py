"""Records of a model's answers, and of one text on its way through the layers."""

from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions(Record):
    """What one model said about one split."""

    schema: int = SCHEMA
    task: str = "classify"
    source: str  # "finetuned", "majority", "linear", ...
    split: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    predicted: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...] | None = None  # (num_examples, num_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView(Record):
    """What one layer made of a text, and what the head would decide if it read that layer."""

    name: str  # "embeddings", "layer 1", ...
    shape: tuple[int, ...]  # (texts, tokens, width)
    norm: float  # length of a token's vector, mean over the tokens
    probabilities: tuple[float, ...]  # (num_classes,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionTrace(Record):
    """One text followed from characters to decision."""

    schema: int = SCHEMA
    text: str  # as the model read it
    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    layers: tuple[LayerView, ...]
    logits: tuple[float, ...]  # (num_classes,)
    probabilities: tuple[float, ...]  # softmax of the logits
    classes: tuple[str, ...]
    decision: str
    threshold: float | None = None  # stored with the model: probability of ``positive`` from which it is decided
    positive: str | None = None
