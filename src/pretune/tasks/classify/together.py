"""What the processes that ``torchrun`` started besides the first do: read the same rows, train in step, write nothing."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pretune.configs import RunConfig
from pretune.data import prepare
from pretune.errors import UsageError, explain_unforeseen
from pretune.tasks.classify.load import load_pretrained_model
from pretune.train import ALONE, Company, World, join, training_together
from pretune.train.company import INTERRUPTED

_COMPANY: ContextVar[Company | None] = ContextVar("company", default=None)


@contextlib.contextmanager
def leading(company: Company | None) -> Iterator[None]:
    """While the block runs, training is shared with the processes that were started together with this one, if any."""
    if company is None:
        yield
        return
    token = _COMPANY.set(company)
    try:
        with company.telling():
            yield
    finally:
        _COMPANY.reset(token)


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
    is_alone = _COMPANY.get() is None
    if config.seeds > 1 and not is_alone:
        raise UsageError(
            f"--seeds {config.seeds} with several processes",
            expected="one of the two",
            fix="leave torchrun out, or give each --seed a command of its own",
        )
    if config.finetune.shard and is_alone:
        raise UsageError(
            "shard is on, and there is one process",
            expected="several processes, each with a part of every layer",
            fix="torchrun --nproc-per-node N -m -- pretune …, or leave --set finetune.shard=true out",
        )
    if config.finetune.shard and config.budget is not None:
        raise UsageError(
            f"shard is on beside --budget {config.budget}",
            expected="a freeze boundary, epochs and a length that are given: a budget is measured by one process",
            fix="leave one of the two out",
        )


def invite(kind: str, make: Callable[[], dict[str, Any]]) -> World:
    """Give the other processes, if any, the work that ``make`` returns; return all of them, this one included."""
    company = _COMPANY.get()
    if company is None:
        return ALONE
    company.give_work({"kind": kind, **make()})
    return company.world


def assist(company: Company, kinds: Mapping[str, Callable[[dict[str, Any], Company], None]]) -> int:
    """Do what the first process asks for until it has ended; return the exit code.

    Args:
        company: The processes.
        kinds: How each kind of work is done.

    Whatever goes wrong is told by the first process; only where that is gone too is it raised here.
    """
    code = 0
    try:
        with company.telling():
            for work in company.works():
                kinds[work["kind"]](work, company)
    except BaseException as error:
        if not company.await_end():
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
            raise
        code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else explain_unforeseen(error).exit_code
    failure = company.failure()
    return failure.exit_code if failure is not None else code


def fit_along(work: dict[str, Any], company: Company) -> None:
    """Fit the model that the first process fits, in step with it."""
    config = RunConfig.from_json(work["config"])
    data = prepare(work["source"], config.read, config.split, given=config.given)
    model = load_pretrained_model(
        config.model, epochs=config.epochs, freeze=config.freeze, seed=config.seed, config=config.finetune
    )
    with training_together(company.world):
        model.fit(data, checkpoints=Path(work["checkpoints"]))


def meet(device: str) -> Company | None:
    """Meet the processes that were started together; see ``pretune.train.join``."""
    return join(device)
