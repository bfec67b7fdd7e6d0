"""Fine-tuning by several processes: the first decides and saves, the others read the same rows and train along."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pretune.configs import RunConfig
from pretune.data.dataset import prepare
from pretune.errors import UsageError
from pretune.tasks.classify.load import load_pretrained_model
from pretune.tasks.processes import check_parts, invite, is_alone
from pretune.train import Company, training_together


@contextlib.contextmanager
def helped(source: Any, config: RunConfig, checkpoints: Path) -> Iterator[None]:
    """Let the other processes, if any, fit the same model on the same rows while the block fits it here.

    Args:
        source: The data as named.
        config: Everything settled: nothing is left for a process to choose by its own measure.
        checkpoints: Where the first process saves.
    """

    def work() -> dict[str, Any]:
        return {"source": str(source), "config": config.to_json(), "checkpoints": str(checkpoints)}

    with training_together(invite("finetune", work)):
        yield


def check_company(config: RunConfig) -> None:
    """Refuse what cannot be done by as many processes as there are.

    Raises:
        UsageError: Several seeds with several processes (only one training at a time is shared), or layers in parts with one
            process, or with a budget, which is chosen by one.
    """
    if config.seeds > 1 and not is_alone():
        raise UsageError(
            f"--seeds {config.seeds} with several processes",
            expected="one of the two",
            fix="leave torchrun out, or give each --seed a command of its own",
        )
    check_parts(is_asked=bool(config.finetune.shard), setting="finetune.shard", budget=config.budget)


def fit_along(work: dict[str, Any], company: Company) -> None:
    """Fit the model that the first process fits, in step with it."""
    config = RunConfig.from_json(work["config"])
    data = prepare(work["source"], config.read, config.split, given=config.given)
    model = load_pretrained_model(
        config.model, epochs=config.epochs, freeze=config.freeze, seed=config.seed, config=config.finetune
    )
    with training_together(company.world):
        model.fit(data, resume=Path(work["checkpoints"]))
