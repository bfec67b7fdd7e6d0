"""The processes that ``torchrun`` started together: the first leads and does the work, the others help and write nothing."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from pretune.errors import UsageError, explain_unforeseen
from pretune.train import ALONE, Company, World, join
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


def is_alone() -> bool:
    """Whether no other process was started together with this one."""
    return _COMPANY.get() is None


def check_parts(*, is_asked: bool, setting: str, budget: str | None = None) -> None:
    """Refuse weights in parts where one process would hold them all, or measures what a budget has time for.

    Args:
        is_asked: Whether each process is to hold a part.
        setting: That says so.
        budget: Time limit of the training.
    """
    if is_asked and is_alone():
        raise UsageError(
            "shard is on, but there is only one process",
            expected="several processes, each with a part of every layer",
            fix=f"`torchrun --nproc-per-node N -m -- pretune …`, or leave --set {setting}=true out",
        )
    if is_asked and budget is not None:
        raise UsageError(
            f"shard is on together with --budget {budget}",
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


def meet(device: str) -> Company | None:
    """Meet the processes that were started together; see ``pretune.train.join``."""
    return join(device)
