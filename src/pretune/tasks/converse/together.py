"""Fine-tuning on conversations by several processes: the first decides, saves and judges, the others only train along."""

from pathlib import Path
from typing import Any

from pretune.configs import ConverseRunConfig
from pretune.data.conversations import prepare
from pretune.run.job import Job
from pretune.run.trace import Trace
from pretune.tasks.converse.fit import EncodedSplits, encode_splits, fit_chat, with_mix
from pretune.tasks.converse.pace import part_of
from pretune.tasks.converse.start import open_chat
from pretune.tasks.processes import check_parts, invite
from pretune.tokens.chat_date import now
from pretune.train import Company, Plan, Resume, World, choose_device, seed_everything


def invite_others(job: Job[ConverseRunConfig], config: ConverseRunConfig, encoded: EncodedSplits, *, moment: str) -> World:
    """Let the other processes, if any, fit the same model on the same conversations; return all of them.

    Args:
        job: Names the data, and where the first process saves.
        config: Everything settled, the epochs that a budget chose included: nothing is left for a process to measure.
        encoded: What training and validation read; a budget may not have time for all.
        moment: The date that a template prints is that of then.
    """

    def work() -> dict[str, Any]:
        known = {"source": str(job.source), "config": config.to_json(), "checkpoints": str(job.folder.checkpoints)}
        return {**known, "num_rows": len(encoded.train), "num_held": len(encoded.validation), "moment": moment}

    return invite("replies", work)


def check_company(config: ConverseRunConfig) -> None:
    """Refuse what cannot be done by as many processes as there are.

    Raises:
        UsageError: Layers in parts with one process, or with a budget, which is chosen by one.
    """
    check_parts(is_asked=bool(config.finetune.shard), setting="finetune.shard", budget=config.budget)


def fit_along(work: dict[str, Any], company: Company) -> None:
    """Fit the model that the first process fits, in step with it; nothing is written and nothing told."""
    config, trace = ConverseRunConfig.from_json(work["config"]), Trace()
    own = config.finetune
    device = choose_device(own.device, precision=own.precision, threads=own.threads)
    data = prepare(work["source"], config.read, config.split, given=config.given, questions=config.chat.questions)
    seed_everything(config.seed)
    start, template, _ = open_chat(config.model, device, trace, moment=work["moment"] or now())
    encoded = encode_splits(data.train, data.validation, template, start.tokenizer, max_length=own.max_length or 0, trace=trace)
    encoded = part_of(encoded, work["num_rows"], work["num_held"], seed=config.seed)
    encoded = with_mix(encoded, config, template, start.tokenizer, trace)
    plan = Plan(
        epochs=config.epochs,
        freeze=config.freeze,
        device=device,
        seed=config.seed,
        checkpoints=Resume(folder=Path(work["checkpoints"])),
        world=company.world,
    )
    fit_chat(start.network, encoded, config=own, plan=plan, trace=trace)
