"""Preparing: may this run be shared, and what of it?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pretune.errors import UsageError
from pretune.production.push.contents import Shared, choose_items
from pretune.records import RunRecord
from pretune.report.card.metadata import is_language
from pretune.run import check_run
from pretune.tasks.origins import find_origin
from pretune.tasks.places import require_run


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A run that may be shared, and what is shared of it."""

    record: RunRecord
    shared: Shared


def prepare(
    run: str, repo: str, *, include: Iterable[str], licence: str | None, languages: str | None, even_unjudged: bool
) -> Ready:
    """Look at a run, and choose what is shared of it.

    Args:
        run: Its folder.
        repo: Id of the repository.
        include: What is sent besides the model and its card.
        licence: That the user gives the model.
        languages: Of its texts, with commas.
        even_unjudged: Whether a model that was not judged may be shared.

    Raises:
        UsageError: It was not judged, or the judged model is another one of the run; or a language is none.
        StorageError: The model is not what was judged.
    """
    folder, record = require_run(run, languages=True, chats=True)
    if not even_unjudged:
        _require_judged(run, record)
    known = tuple(name.strip().lower() for name in (languages or "").split(",") if name.strip())
    wrong = [name for name in known if not is_language(name)]
    if wrong:
        raise UsageError(f"--language {wrong[0]!r}", expected="codes of ISO 639, such as en or de,fr")
    check_run(folder, record, "model")
    origin = find_origin(record)
    origin = replace(
        origin, name=repo.partition("/")[2] or repo, languages=known or origin.languages, licence=licence or origin.licence
    )
    return Ready(record=record, shared=choose_items(folder, record, origin, include=include, place=repo))


def _require_judged(run: str, record: RunRecord) -> None:
    fix = "pass --unjudged to share it all the same; its card says so"
    if record.verdict is None:
        judge = "" if record.task == "pretrain" else f"`pretune judge {run}`, or "
        raise UsageError(f"{run} was not judged", expected="a run with a verdict", fix=f"{judge}{fix}")
    if record.judged_source != "finetuned":
        raise UsageError(
            f"the verdict of {run} is about {record.judged_source}/, not about the fine-tuned model",
            expected="a run whose model was judged",
            fix=fix,
        )
