"""Reasons: what each change of settings does to learning by heart, in words."""

from collections.abc import Mapping

# Setting → what is said where its number fell, and where it rose; the numbers follow.
_BY_NUMBER = {
    "epochs": ("the model sees each sentence less often", "the model sees each sentence more often"),
    "lr": ("each update moves the weights less", "each update moves the weights more"),
    "dropout": (
        "less is blanked out while it learns",
        "parts of the network are blanked out at random while it learns, so no single part can hold a sentence",
    ),
    "label_smoothing": (
        "the targets are surer",
        "the targets are less than certain, so being sure of every row is not rewarded",
    ),
    "weight_decay": ("weights are held less", "every update draws the weights towards zero"),
}
DEFAULTS = {"epochs": "3", "lr": "", "dropout": "0.1", "label_smoothing": "0", "weight_decay": "0.01", "decay": "linear"}


def say_reasons(before: Mapping[str, str], after: Mapping[str, str], weights_before: int, weights_after: int) -> str:
    """Say for each setting that was changed why that matters.

    Args:
        before: Settings of the first run; one that is missing has its default.
        after: Of the second run.
        weights_before: Weights that the first run could change.
        weights_after: Likewise.

    Example:
        >>> say_reasons({"epochs": "5"}, {"epochs": "2"}, 10, 10)
        'What changed, and why it helps: the model sees each sentence less often (epochs 5 → 2).'
    """
    parts = []
    if weights_before != weights_after:
        fewer = "fewer" if weights_after < weights_before else "more"
        parts.append(f"{fewer} weights can change ({weights_before:,} → {weights_after:,})")
    for name, (falls, rises) in _BY_NUMBER.items():
        old, new = before.get(name, DEFAULTS[name]), after.get(name, DEFAULTS[name])
        if not old or not new or float(old) == float(new):
            continue
        parts.append(f"{falls if float(new) < float(old) else rises} ({name} {old} → {new})")
    if after.get("decay", "linear") == "linear" and before.get("decay") == "constant":
        parts.append("the rate falls to zero, so the last updates are small (decay constant → linear)")
    if "stop" in after and "stop" not in before:
        parts.append("it stops when the validation loss no longer falls, and keeps the best epoch (stop)")
    return f"What changed, and why it helps: {'; '.join(parts)}." if parts else "Nothing was changed but chance."
