"""What updates depend on: a training is resumed, or shared by processes, only if all of it is the same."""

import importlib.metadata
from hashlib import sha256

import torch

from pretune.configs import FinetuneConfig
from pretune.errors import UsageError
from pretune.models import Network
from pretune.run.trace import Trace
from pretune.tasks.classify.prepare import PreparedRows
from pretune.train import Checkpoints, Plan, World
from pretune.train.source import digest_of_code

# The files of this folder whose lines decide the bits of a training.
SOURCES = tuple(f"tasks/classify/{name}.py" for name in ("fit", "adapt", "prepare", "validate"))


def keeper_of(network: Network, prepared: PreparedRows, config: FinetuneConfig, plan: Plan, trace: Trace) -> Checkpoints | None:
    """Return where to save, for the first process; processes that train together must do so on the same things."""
    if plan.checkpoints is None and plan.world.size == 1:
        return None
    about = depends_on(network, prepared, config, plan)
    _check_alike(about, plan.world)
    if plan.checkpoints is None or not plan.world.is_first:
        return None
    return Checkpoints(plan.checkpoints.folder, about, trace.note, continue_changed=plan.checkpoints.continue_changed)


def depends_on(network: Network, prepared: PreparedRows, config: FinetuneConfig, plan: Plan) -> dict[str, str]:
    """Return what the updates depend on: resuming a training is exact only where all of it is the same."""
    weights = sha256()
    for _, value in sorted(network.state_dict().items()):
        weights.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    rows = sha256(b"".join(item.ids.tobytes() + item.offsets.tobytes() for item in prepared.encoded.values()))
    rows.update(b"".join(item.tobytes() for item in prepared.targets.values()))
    return {
        "data": rows.hexdigest()[:16],
        "model": weights.hexdigest()[:16],
        "tokenizer": prepared.tokenizer,
        **{name: str(value) for name, value in config.get_params().items()},
        "epochs": str(plan.epochs),
        "freeze": plan.freeze,
        "seed": str(plan.seed),
        "device": str(plan.device),
        "processes": str(plan.world.size),
        "torch": str(torch.__version__),
        "pretune": importlib.metadata.version("pretune"),
        "code": digest_of_code(*SOURCES),
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
