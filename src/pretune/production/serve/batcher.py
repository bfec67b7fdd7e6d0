"""Batcher: texts of many requests go through the model together, in the order they came, one batch at a time."""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from pretune.errors import UsageError
from pretune.production.serve.limits import MAX_RETRY, Limits
from pretune.tasks.classify.predict import Answer

Found = TypeVar("Found")
RATE_KEPT = 0.9  # weight of earlier batches in the rate by which a client is told when to come again


class QueueFullError(UsageError):
    """More texts wait than may.

    Attributes:
        seconds: After which it is worth asking again.
    """

    code = "busy"

    def __init__(self, num_texts: int, waiting: int, limit: int, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            f"{waiting} texts wait, and {num_texts} more do not fit",
            expected=f"at most {limit} texts that wait",
            fix=f"ask again in {seconds} s",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """Texts of one request that go through the model together.

    Args:
        texts: At most as many as a batch takes.
        answers: Resolves to one answer a text.
        since: When they came, by the clock of the loop.
    """

    texts: Sequence[str]
    answers: "asyncio.Future[list[Answer]]"
    since: float = field(default_factory=time.monotonic)


class Batcher:
    """Takes texts from any number of requests; a thread of its own asks the model.

    Args:
        answer: Returns one answer a text; called in that thread, never twice at once.
        limits: How many texts together, and how many may wait.
        tell: Told the number of texts and the seconds of each batch.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[str]], list[Answer]],
        limits: Limits,
        tell: Callable[[int, float], object],
    ) -> None:
        self._answer, self._limits, self._tell = answer, limits, tell
        self._jobs, self._some, self._rate = deque[Job](), asyncio.Event(), 0.0
        self._thread = ThreadPoolExecutor(1, "model")
        self.num_waiting = 0  # texts that were accepted and are not answered yet

    async def ask(self, texts: Sequence[str]) -> list[Answer]:
        """Return one answer a text.

        Raises:
            QueueFullError: Too many wait; none of these was accepted.
        """
        self._admit(len(texts))
        size, loop = self._limits.max_batch, asyncio.get_running_loop()
        parts = (texts[start : start + size] for start in range(0, len(texts), size))
        jobs = [Job(texts=part, answers=loop.create_future()) for part in parts]
        self._jobs.extend(jobs)
        self._some.set()
        return [answer for part in await asyncio.gather(*(job.answers for job in jobs)) for answer in part]

    async def call(self, work: Callable[[str], Found], text: str) -> Found:
        """Return what the model's thread makes of one text, between two batches.

        Raises:
            QueueFullError: Too many wait.
        """
        self._admit(1)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, text)
        finally:
            self.num_waiting -= 1

    async def run(self) -> None:
        """Answer until cancelled."""
        try:
            while True:
                await self._wait_for_company()
                await self._answer_jobs(self._take())
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _admit(self, num_texts: int) -> None:
        limit = self._limits.max_waiting
        if self.num_waiting + num_texts > limit:
            seconds = math.ceil(self.num_waiting / self._rate) if self._rate else 1
            raise QueueFullError(num_texts, self.num_waiting, limit, min(max(1, seconds), MAX_RETRY))
        self.num_waiting += num_texts

    async def _wait_for_company(self) -> None:
        """Wait for a first text, and then until a batch is full or that text has waited long enough."""
        while not self._jobs:
            await self._wake(None)
        until = self._jobs[0].since + self._limits.delay / 1000
        while sum(len(job.texts) for job in self._jobs) < self._limits.max_batch:
            left = until - time.monotonic()
            if left <= 0:
                return
            await self._wake(left)

    async def _wake(self, seconds: float | None) -> None:
        self._some.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._some.wait()

    def _take(self) -> list[Job]:
        taken = [self._jobs.popleft()]
        number = len(taken[0].texts)
        while self._jobs and number + len(self._jobs[0].texts) <= self._limits.max_batch:
            taken.append(self._jobs.popleft())
            number += len(taken[-1].texts)
        return taken

    async def _answer_jobs(self, jobs: list[Job]) -> None:
        """Ask the model; where that fails, ask for each request alone, so that one does not take others with it."""
        texts, start = [text for job in jobs for text in job.texts], time.monotonic()
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, texts)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    await self._answer_jobs([job])
                return
            self._settle(jobs[0], error)
            return
        self._count(len(texts), time.monotonic() - start)
        said = iter(answers)
        for job in jobs:
            self._settle(job, [next(said) for _ in job.texts])

    def _settle(self, job: Job, found: list[Answer] | Exception) -> None:
        self.num_waiting -= len(job.texts)
        if job.answers.cancelled():
            return
        if isinstance(found, Exception):
            job.answers.set_exception(found)
        else:
            job.answers.set_result(found)

    def _count(self, num_texts: int, seconds: float) -> None:
        rate = num_texts / max(seconds, 1e-6)
        self._rate = rate if not self._rate else RATE_KEPT * self._rate + (1 - RATE_KEPT) * rate
        self._tell(num_texts, seconds)
