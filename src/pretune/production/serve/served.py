"""Served: what a run, a model or an export says about texts, with what its users are told about it."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pretune import storage
from pretune.errors import MissingPackageError, StorageError
from pretune.run import RunFolder
from pretune.run.exports import JUDGED, read_judged
from pretune.tasks.classify.predict import Answer, Answering, answer_texts, describe, open_answering

logger = logging.getLogger(__name__)

WARM = "The quick brown fox jumps over the lazy dog."


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who answers on a server.

    Args:
        name: As the user named it.
        answering: Who answers.
        verdict: Its run's, ``ship`` or another; ``None`` where none was given.
        digest: Of what answers.
        run: The judged run that it is, or that it was exported from, where that is at hand.
    """

    name: str
    answering: Answering
    verdict: str | None
    digest: str
    run: RunFolder | None = None

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """Return one answer a text, as ``pretune predict`` gives it."""
        return answer_texts(self.answering, texts)

    def describe(self, answer: Answer) -> dict[str, Any]:
        """Return an answer in the words of ``pretune predict --json``, without the text, which its client has."""
        said = describe(answer, self.answering.classes)
        return {name: said[name] for name in ("predicted", "probabilities", "error")}

    def about(self) -> dict[str, Any]:
        """Return what `GET /model` says."""
        card = self.answering.card
        return {
            "schema": 1,
            "name": self.name,
            "classes": list(self.answering.classes),
            "positive": None if card is None else card.positive,
            "threshold": None if card is None else card.threshold,
            "max_length": None if card is None else card.max_length,
            "verdict": self.verdict,
            "digest": self.digest,
            "can_follow": self.answering.follow is not None,
            "pretune": version("pretune"),
        }


def open_served(where: str, *, threads: int | None = None) -> Served:
    """Load who answers, and ask it once, so that the first client does not wait for what is set up at first use.

    Args:
        where: A run, a model folder, an export, or a baseline of a run.
        threads: Of the model; ``None`` leaves it to the library.

    Raises:
        ModelLoadError: It is something else, or damaged.
        MissingPackageError: It is no export, and torch is not installed.
    """
    try:
        answering = open_answering(where, threads=threads)
    except ModuleNotFoundError as error:
        if isinstance(error, MissingPackageError) or find_spec("torch") is not None:
            raise
        raise MissingPackageError(
            f"{where} needs torch, which is not installed",
            expected="an export, such as RUN/export/onnx, which needs no torch",
            fix="`pretune export RUN --to onnx` where it was trained, then serve RUN/export/onnx",
        ) from error
    if threads is not None and answering.follow is not None:  # a network of torch, whose threads are those of the process
        from pretune.train import choose_device

        choose_device("cpu", threads=threads)
    verdict, run = _judged(Path(where).resolve())
    served = Served(name=where, answering=answering, verdict=verdict, digest=answering.digest(), run=run)
    served.answer([WARM, f"{WARM} {WARM}"])
    return served


def _judged(place: Path) -> tuple[str | None, RunFolder | None]:
    """Return the verdict of an export, or of the run that a place is or in which it lies as what was judged; and that run."""
    folder = next((found for found in map(RunFolder, (place, *place.parents[:2])) if found.is_begun), None)
    record = None if folder is None else folder.read_record()
    below = () if folder is None else place.relative_to(folder.path).parts
    if (place / JUDGED).is_file():
        verdict = read_judged(place / JUDGED).verdict
    elif record is None or (below and below[0] != {"finetuned": "model"}.get(record.judged_source, record.judged_source)):
        return None, None
    else:
        verdict = record.verdict
    is_judged = record is not None and record.verdict is not None
    return None if verdict is None else str(verdict.outcome), folder if is_judged else None


class Journal:
    """Writes each text and its answer to a file, one JSON object a line, because the user asked for it.

    Args:
        path: The file; lines are added to it.

    Raises:
        StorageError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        storage.check_writable(path, is_appended=True)
        self._path, self._is_told = path, False

    def write(self, answers: Sequence[Answer], served: Served) -> int:
        """Add answers, on disk when this returns; return how many could not be written: they are given all the same."""
        when = round(time.time(), 3)
        lines = [json.dumps({"time": when, "text": item.text, **served.describe(item)}) for item in answers]
        try:
            storage.append(self._path, "\n".join(lines))
        except StorageError as error:
            if not self._is_told:
                logger.error("answers are given but not written to %s: %s", self._path, error.got)
            self._is_told = True
            return len(answers)
        return 0
