"""Which rows an epoch learns from, each once or balanced by class, and the weight of each class in the loss."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Rows = npt.NDArray[np.int64]

# Below this share of an equal share the rarest class gets class weights by itself.
RARE = 0.5


def draw_rows(targets: Rows, sampling: str, *, generator: np.random.Generator) -> Rows:
    """Return the numbers of the rows of one epoch, as many as there are; shape (num_texts,).

    ``balanced`` gives every class the same number of places, give or take one. Within a class every row comes equally
    often, give or take once; which rows come once more is drawn again in each epoch.

    Args:
        targets: Index of the class of each row, shape (num_texts,).
        sampling: ``all`` (each row once, nothing is drawn) or ``balanced``.
        generator: Of this epoch.

    Example:
        >>> drawn = draw_rows(np.array([0, 0, 0, 0, 0, 1]), "balanced", generator=np.random.default_rng(0))
        >>> [int(count) for count in np.bincount(np.array([0, 0, 0, 0, 0, 1])[drawn])]
        [3, 3]
    """
    if sampling == "all":
        return np.arange(len(targets))
    classes = np.unique(targets)
    places, more = divmod(len(targets), len(classes))
    generous = set(generator.permutation(classes)[:more].tolist())
    drawn = [_repeat(np.flatnonzero(targets == item), places + (int(item) in generous), generator) for item in classes]
    return np.concatenate(drawn)


def class_weights(targets: npt.NDArray[np.int64], num_classes: int, wanted: bool | None) -> Tensor | None:
    """Return num_texts / (num_classes × count) a class, shape (num_classes,), or ``None`` where classes count alike.

    Args:
        targets: Index of the class, shape (num_texts,).
        num_classes: Classes in all.
        wanted: ``None`` decides by ``RARE``.

    Source:
        King and Zeng (2001), Logistic regression in rare events data; scikit-learn's ``balanced``.
    """
    counts = np.bincount(targets, minlength=num_classes)
    if wanted is None:
        wanted = bool(counts.min() < RARE * len(targets) / num_classes)
    if not wanted:
        return None
    return torch.tensor(len(targets) / (num_classes * np.maximum(counts, 1)), dtype=torch.float32)


def _repeat(rows: Rows, count: int, generator: np.random.Generator) -> Rows:
    times, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(rows, times), generator.permutation(rows)[:rest]])
