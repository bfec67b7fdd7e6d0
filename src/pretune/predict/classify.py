"""Logits and probabilities of encoded texts: computed longest first, returned in the order given."""

from collections.abc import Callable

import torch
from torch import Tensor

from pretune.models import ClassNetwork, Inputs, for_scoring
from pretune.tokens import plan_scoring

Progress = Callable[[int, int], None]


@torch.inference_mode()
def predict_logits(
    network: ClassNetwork, inputs: Inputs, *, progress: Progress | None = None, part: tuple[int, int] = (0, 1)
) -> Tensor:
    """Return float32 logits (num_texts, num_classes); the network is left in the mode it was in.

    Args:
        network: On any device.
        inputs: The texts.
        progress: Called with (texts done, texts in all).
        part: Compute only batch k, k + n, k + 2 n, … of the same batches; the logits of the others are zeros.
    """
    was_training, device = network.training, next(network.parameters()).device
    network.eval()
    batches = plan_scoring(inputs.lengths)
    rows_by_batch = batches[part[0] :: part[1]]
    pieces, done = [], 0
    with for_scoring(network, len(batches)):
        for rows in rows_by_batch:
            pieces.append(network(inputs.batch(rows, device)).float().cpu())
            done += len(rows)
            if progress is not None:
                progress(done, len(inputs))
    network.train(was_training)
    if not pieces:
        return torch.zeros(len(inputs), network.num_classes)
    order = torch.as_tensor([int(row) for rows in rows_by_batch for row in rows])
    logits = torch.zeros(len(inputs), pieces[0].shape[1])
    logits[order] = torch.cat(pieces)
    return logits
