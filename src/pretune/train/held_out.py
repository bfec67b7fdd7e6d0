"""How well does a language model know held-out text? The same windows and the same hidden words every time."""

import numpy as np
import torch

from pretune.configs import PretrainConfig
from pretune.models import LanguageNetwork
from pretune.train.device import Device
from pretune.train.distributed import ALONE, World
from pretune.train.windows import Text, ask, held_out_starts

# Seed of what is hidden in held-out text: the same words each time, so that two scores differ by the model alone.
VALIDATION_SEED = 20_241_019
# Tokens of a part of a batch of windows, by device: on a processor the usual update is one part.
MAX_TOKENS_A_PART = {"cpu": 4_096, "cuda": 32_768}


def score_held_out(
    network: LanguageNetwork,
    text: Text,
    config: PretrainConfig,
    device: Device,
    *,
    next_words: bool = False,
    world: World = ALONE,
) -> tuple[float, float]:
    """Return the loss in nats per target and the share of targets guessed right.

    Args:
        network: What is scored; on the device.
        text: Its held-out part is read.
        config: Tokens per window, and what is hidden.
        device: Where.
        next_words: Ask a masked model for next words, looking back only.
        world: The processes that share the parts; every one of them returns the same bits.
    """
    stream = text.validation
    network.eval()
    next_words = next_words or network.is_causal
    window = min(config.window, stream.num_tokens - 1)
    starts = held_out_starts(stream, config, window)
    most = max(1, MAX_TOKENS_A_PART[device.kind] // window)
    places = range(0, len(starts), most)
    figures = torch.zeros(len(places), 3, dtype=torch.float64)  # of each part: loss, targets guessed right, targets
    with torch.inference_mode(), device.autocast():
        for number in range(world.rank, len(places), world.size):
            place = places[number]
            generator, held = np.random.default_rng([VALIDATION_SEED, place]), starts[place : place + most]
            windows, labels = ask(stream, held, window, text=text, config=config, generator=generator, next_words=next_words)
            found, right = network.loss(windows.to(device.kind), labels.to(device.kind))
            figures[number] = torch.tensor([float(found), int(right), len(labels)], dtype=torch.float64)
    world.gather(figures)
    loss, num_right, num_targets = (sum(column) for column in zip(*figures.tolist(), strict=True))
    return loss / max(1, num_targets), num_right / max(1, num_targets)
