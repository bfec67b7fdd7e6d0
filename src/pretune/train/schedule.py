"""The learning rate, step by step: warm-up, then decay. Pure functions of the step number."""

import math
from collections.abc import Callable

Schedule = Callable[[int], float]


def make_schedule(*, num_steps: int, warmup_share: float = 0.06, decay: str = "linear") -> Schedule:
    """Return the factor on the peak rate for each step, in (0, 1].

    It rises linearly over the first ``warmup_share`` of ``num_steps``, then falls to 0 at ``num_steps``
    (``linear``, ``cosine``) or stays (``constant``).

    Example:
        >>> factor = make_schedule(num_steps=10, warmup_share=0.2)
        >>> [round(factor(step), 3) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.125]
    """
    num_warmup = int(num_steps * warmup_share)

    def factor(step: int) -> float:
        if step < num_warmup:
            return (step + 1) / num_warmup
        if decay == "constant":
            return 1.0
        left = max(0.0, (num_steps - step) / max(1, num_steps - num_warmup))  # 1 → 0
        return left if decay == "linear" else 0.5 * (1 - math.cos(math.pi * left))

    return factor
