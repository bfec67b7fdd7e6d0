"""Records of a model's answers, and of one text on its way through the layers."""

from dataclasses import dataclass

from pretune.records.base import SCHEMA, Record
from pretune.records.shown import Grid, Shown, Tabular, listed
from pretune.wording.tokens import show_tokens


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Predictions(Tabular, Record):
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

    def shown(self) -> Shown:
        """Show one row for each text: label, answer, and the probability of each class."""
        gist = f"{len(self.ids):,} rows of {self.split} by {self.source}; classes {listed(self.classes)}"
        return Shown("Predictions", gist, (gist,), (self.grid(),))

    def grid(self) -> Grid:
        """Return all rows."""
        rows = zip(self.ids, self.labels, self.predicted, self.probabilities or [()] * len(self.ids), strict=True)
        names = [f"p:{name}" for name in self.classes] if self.probabilities is not None else []
        return Grid(("id", "label", "predicted", *names), tuple((*row[:3], *row[3]) for row in rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView(Record):
    """What one layer made of a text, and what the head would decide if it read that layer."""

    name: str  # "embeddings", "layer 1", ...
    shape: tuple[int, ...]  # (texts, tokens, width)
    norm: float  # length of a token's vector, mean over the tokens
    probabilities: tuple[float, ...]  # (num_classes,)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PredictionTrace(Tabular, Record):
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

    def shown(self) -> Shown:
        """Show the tokens, and for each layer what the head would decide if it read that layer."""
        share = self.probabilities[self.classes.index(self.decision)]
        gist = f"{self.decision} with {share:.3f}, {len(self.tokens)} tokens, {len(self.layers)} layers"
        tokens = show_tokens(self.tokens)
        return Shown("One text on its way", gist, (self.text, f"tokens: {' '.join(tokens)}", gist), (self.grid(),))

    def grid(self) -> Grid:
        """Return one row for each layer."""
        rows = (
            (
                item.name,
                " × ".join(map(str, item.shape)),
                item.norm,
                self.classes[_largest(item.probabilities)],
                *item.probabilities,
            )
            for item in self.layers
        )
        names = (f"p:{name}" for name in self.classes)
        return Grid(("layer", "shape", "norm", "would decide", *names), tuple(rows))


def _largest(shares: tuple[float, ...]) -> int:
    return max(range(len(shares)), key=shares.__getitem__)
