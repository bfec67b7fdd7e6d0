"""Is it the same model? Checked for every saved form of a model, and for merged adapters."""

from collections.abc import Sequence

from torch import Tensor

from pretune.errors import ParityError

# Texts on which a saved model, and merged adapters, must give the logits of the live ones.
PARITY_ROWS = 64
# Largest difference of two logits that is still the same model: float32 sums in another order differ by about 1e-6.
MAX_LOGIT_DIFFERENCE = 1e-4
# Largest difference of two probabilities that are the same to a reader.
MAX_SHARE_DIFFERENCE = 1e-3
# Logits or probabilities nearer to each other than this are a draw: sums in another order may decide it either way.
DRAW = 1e-4
USUAL_FIX = "do not use this folder; please report the model and versions"


def check_parity(
    ours: Tensor, theirs: Tensor, what: str, *, limit: float = MAX_LOGIT_DIFFERENCE, fix: str = USUAL_FIX
) -> float:
    """Compare the logits or probabilities (rows, classes or words) of the live model and of another form of it.

    Args:
        ours: Of the live model.
        theirs: Of the other form, for the same rows.
        what: The other form, and what it does where it is another model.
        limit: Largest difference that is still the same.
        fix: What the user is to do.

    Returns:
        The largest difference.

    Raises:
        ParityError: They differ by more than ``limit``, or an answer is another one and it was no draw.
    """
    difference, others = compare(ours, theirs)
    if others or not difference <= limit:
        raise ParityError(
            f"{what}: they differ by {difference:.2g}, and {others} of {len(ours)} answers are different",
            expected=f"the same answers, and numbers within {limit:g}",
            fix=fix,
        )
    return difference


def compare(ours: Tensor, theirs: Tensor) -> tuple[float, int]:
    """Return the largest difference, and how many largest entries of a row are others, draws aside."""
    if not ours.numel():
        return 0.0, 0
    best = ours.topk(min(2, ours.shape[1]), dim=1).values
    is_draw = (best[:, 0] - best[:, -1] < DRAW) if ours.shape[1] > 1 else (best[:, 0] == best[:, 0])
    others = (ours.argmax(dim=1) != theirs.argmax(dim=1)) & ~is_draw
    return float((ours - theirs).abs().max()), int(others.sum())


def long_texts(texts: Sequence[str], max_length: int) -> tuple[str, ...]:
    """Return two texts to be cut: of twice the length that is judged, and of more than the model has positions for."""
    words = [word for text in texts for word in text.split()][:10_000] or ["word"]
    return tuple(
        " ".join((words * (number // len(words) + 1))[:number]) for number in (2 * max_length, max(1_100, 8 * max_length))
    )
