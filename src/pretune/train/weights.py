"""The weights that a training changes: by name, copied, and taken over from another training."""

from collections.abc import Container, Sequence

from torch import Tensor

from pretune.configs.stages import TrainingStage
from pretune.errors import UsageError
from pretune.models import Network


def names_trained(network: Network, stages: Sequence[TrainingStage]) -> frozenset[str]:
    """Return the names of all weights that some stage trains; the network is left as the first stage freezes it."""
    names: set[str] = set()
    for stage in reversed(stages):
        network.freeze(stage.freeze)
        names |= {name for name, weight in network.named_parameters() if weight.requires_grad}
    return frozenset(names)


def weights_of(network: Network, names: Container[str]) -> dict[str, Tensor]:
    """Return these weights, not copied."""
    return {name: value.detach() for name, value in network.state_dict().items() if name in names}


def copied(weights: dict[str, Tensor], *, into: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy, in the place of an earlier one of the same weights where there is one."""
    if not into:
        return {name: value.clone() for name, value in weights.items()}
    for name, value in weights.items():
        into[name].copy_(value)
    return into


def take_weights(network: Network, weights: dict[str, Tensor]) -> None:
    """Start from the weights of a training on something else, where they fit.

    Raises:
        UsageError: They do not; nothing of that training is of use then.
    """
    known, trained = network.state_dict(), {name for name, weight in network.named_parameters() if weight.requires_grad}
    wrong = sorted(name for name, value in weights.items() if name not in known or known[name].shape != value.shape)
    if wrong:
        raise UsageError(
            f"the checkpoint's weights do not fit this model, the first is {wrong[0]}",
            expected="weights of the same sizes",
            fix="pass --overwrite to start over",
        )
    # Those below the boundary stay: what the frozen trunk makes of the texts is computed by now.
    network.load_state_dict({name: value for name, value in weights.items() if name in trained}, strict=False)
