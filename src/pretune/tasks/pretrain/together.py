"""Pre-training by several processes: the first prepares everything, the others read it from the run folder and train along."""

from pathlib import Path
from typing import Any

from pretune.configs import PretrainConfig
from pretune.errors import UsageError
from pretune.models import load_language_model, save_language_model
from pretune.run import RunFolder
from pretune.tasks.pretrain.prepare import PreparedTraining
from pretune.tasks.processes import invite
from pretune.tokens import TokenStore, vocabulary_of
from pretune.train import Company, Training, World, choose_device
from pretune.train.plans import PretrainPlan
from pretune.train.windows import Text
from pretune.train.words import WordObjective

START = "start"  # in the run folder, while several processes train: what all of them start from


def invite_others(ready: PreparedTraining, plan: PretrainPlan, folder: RunFolder) -> World:
    """Let the other processes, if any, train along; return all of them.

    Args:
        ready: What the first process has prepared.
        plan: How long.
        folder: Where the others find it.
    """

    def work() -> dict[str, Any]:
        save_language_model(folder.path / START, ready.start.network, ready.start.tokenizer, window=ready.config.window)
        return {
            "folder": str(folder.path),
            "config": ready.config.get_params(),
            "num_steps": plan.num_steps,
            "seed": plan.seed,
            "has_fresh_head": plan.has_fresh_head,
            "started_from": plan.started_from,
        }

    return invite("pretrain", work)


def train_along(work: dict[str, Any], company: Company) -> None:
    """Train what the first process trains, in step with it; nothing is written and nothing told.

    Raises:
        UsageError: This machine does not see the run folder.
    """
    config, data = PretrainConfig.from_json(work["config"]), Path(work["folder"]) / "data"
    if not (Path(work["folder"]) / START).is_dir():
        raise UsageError(
            f"the run folder {work['folder']} of the first process is not here",
            expected="a run folder on a disk that all machines share: pre-training reads its tokens there",
            fix="pass --run with a folder on such a disk, and give the command in the same place everywhere",
        )
    device = choose_device(config.device, precision=config.precision, threads=config.threads)
    start = load_language_model(str(Path(work["folder"]) / START))
    network = start.network
    network.to(device.kind)
    if not work["started_from"]:  # a model that is continued keeps its own, as it does in the first process
        network.set_dropout(config.dropout)
    if config.is_compiled_on(device.kind):
        network.compile_layers()
    text = Text(
        train=TokenStore.open(data / "tokens.train", check=False),
        validation=TokenStore.open(data / "tokens.validation", check=False),
        vocabulary=vocabulary_of(start.tokenizer) if config.objective == "masked" else None,
        validation_bytes=1.0,
    )
    plan = PretrainPlan(
        num_steps=work["num_steps"],
        device=device,
        seed=work["seed"],
        has_fresh_head=work["has_fresh_head"],
        started_from=work["started_from"],
        world=company.world,
    )
    training = Training(WordObjective(network, text, config, plan))
    training.resume()
    for _ in training.rounds():
        pass
