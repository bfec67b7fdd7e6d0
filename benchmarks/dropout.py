"""How long one dropout takes: torch's own, and pretune's masks, forwards, in nanoseconds an element (median of 20).

``python benchmarks/dropout.py``
"""

import statistics
import time

import torch

from pretune.models.dropout import Masks

SHAPES = {
    "hidden, 32 × 27 × 384": (32, 27, 384),
    "inner, 32 × 128 × 384": (32, 128, 384),
    "attention, 8 × 12 × 256 × 256": (8, 12, 256, 256),
}


def seconds(call) -> float:
    """Median of 20 calls after 3."""
    taken = []
    for _ in range(23):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[3:])


def main() -> None:
    """Measure and print."""
    masks = Masks()
    print(f"{'elements':<32} {'dtype':<9} {'torch':>8} {'masks':>8}   ns an element, {torch.get_num_threads()} threads")
    for name, shape in SHAPES.items():
        for dtype in (torch.float32, torch.bfloat16):
            hidden = torch.randn(shape, dtype=dtype)
            own = seconds(lambda hidden=hidden: hidden * masks.draw(hidden.shape, 0.1, hidden.dtype))
            theirs = seconds(lambda hidden=hidden: torch.nn.functional.dropout(hidden, 0.1))
            scale = 1e9 / hidden.numel()
            print(f"{name:<32} {str(dtype)[6:]:<9} {theirs * scale:8.2f} {own * scale:8.2f}")


if __name__ == "__main__":
    main()
