"""What updates depend on: a training is resumed, or shared by processes, only if all of it is the same."""

import importlib.metadata
from collections.abc import Sequence
from hashlib import sha256

import torch

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Network
from pretune.run.trace import Trace
from pretune.train import Checkpoints, Plan, World
from pretune.train.source import digest_of_code


def keeper_of(about: dict[str, str], plan: Plan, trace: Trace) -> Checkpoints | None:
    """Return where to save, for the first process; processes that train together must do so on the same things.

    Args:
        about: What the updates depend on (``depends_on``).
        plan: Names the folder, if anything is to be saved.
        trace: Hears what checkpoints say.
    """
    if plan.checkpoints is None and plan.world.size == 1:
        return None
    _check_alike(about, plan.world)
    if plan.checkpoints is None or not plan.world.is_first:
        return None
    return Checkpoints(plan.checkpoints.folder, about, trace.note, continue_changed=plan.checkpoints.continue_changed)


def depends_on(
    network: Network, data: str, tokenizer: str, config: FinetuneConfig, plan: Plan, *, sources: Sequence[str]
) -> dict[str, str]:
    """Return what the updates depend on: resuming a training is exact only where all of it is the same.

    Args:
        network: As it stands before training.
        data: Digest of the rows as the network reads them.
        tokenizer: Digest of the tokenizer.
        config: How it learns.
        plan: How long, where, from which seed.
        sources: The files of a task whose lines decide the bits of a training.
    """
    weights = sha256()
    for _, value in sorted(network.state_dict().items()):
        weights.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return {
        "data": data,
        "model": weights.hexdigest()[:16],
        "tokenizer": tokenizer,
        **{name: str(value) for name, value in config.get_params().items()},
        "epochs": str(plan.epochs),
        "freeze": plan.freeze,
        "seed": str(plan.seed),
        "device": str(plan.device),
        "processes": str(plan.world.size),
        "torch": str(torch.__version__),
        "pretune": importlib.metadata.version("pretune"),
        "code": digest_of_code("tasks/adapt.py", *sources),
    }


def _check_alike(about: dict[str, str], world: World) -> None:
    """Refuse to train together on different things: files that differ between machines, say."""
    told = world.from_first(lambda: (about, {}))
    others = dict(told[0]) if told else {}
    differing = [name for name in about if about[name] != others.get(name)]
    if differing:
        name = differing[0]
        raise UsageError(
            f"process {world.rank} trains on something other than the first: {name} is {about[name]}, not {others.get(name)}",
            expected="the same files, settings and versions for every process",
            fix="give every machine the same files and packages",
        )
