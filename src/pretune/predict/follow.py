"""Follows one text from characters to decision: what every layer holds, and what the head would decide there."""

from typing import Any

import torch

from pretune.models import ClassNetwork, ModelCard
from pretune.models.batch import Batch
from pretune.predict.text_scorer import decide
from pretune.records import LayerView, PredictionTrace
from pretune.tokens import encode, pad


@torch.inference_mode()
def follow(network: ClassNetwork, tokenizer: Any, card: ModelCard, text: str) -> PredictionTrace:
    """Trace a prediction through the layers.

    The head was trained on the last layer only; read earlier, it shows how far the decision has formed.

    Raises:
        UsageError: The family has no adapter and cannot be walked.
    """
    network.eval()
    encoded = encode([text], tokenizer, max_length=card.max_length)
    device = next(network.parameters()).device
    ids, mask = (torch.from_numpy(part).to(device) for part in pad(encoded, [0]))
    views = []
    for index, hidden in enumerate(network.states(Batch(ids=ids, mask=mask))):
        logits = network.decide(network.pool(hidden, mask)).float()
        views.append(
            LayerView(
                name="embeddings" if index == 0 else f"layer {index}",
                shape=tuple(hidden.shape),
                norm=float(hidden.norm(dim=-1).mean()),
                probabilities=tuple(logits.softmax(dim=-1)[0].tolist()),
            )
        )
    logits = network(Batch(ids=ids, mask=mask))
    probabilities = logits.softmax(dim=-1)
    positive = card.classes.index(card.positive) if card.positive in card.classes else None
    decision = int(decide(probabilities.cpu().double().numpy(), positive=positive, threshold=card.threshold)[0])
    return PredictionTrace(
        text=text,
        tokens=tuple(tokenizer.convert_ids_to_tokens(encoded.ids.tolist())),
        ids=tuple(encoded.ids.tolist()),
        layers=tuple(views),
        logits=tuple(logits[0].tolist()),
        probabilities=tuple(probabilities[0].tolist()),
        classes=card.classes,
        decision=card.classes[decision],
        threshold=card.threshold,
        positive=card.positive,
    )
