"""Integrity: is every file of a run what was written?"""

from collections.abc import Callable, Iterator

from pretune.errors import StorageError
from pretune.records import RunRecord
from pretune.run.folder import RunFolder

MAX_SHOWN = 10


def check_run(folder: RunFolder, record: RunRecord, *names: str, ignore: Callable[[str], bool] = lambda _: False) -> None:
    """Compare files of a run with the digests in its record, before anything is made of them.

    Runs of earlier versions have none, or not of all files: what has none is passed over; ``pretune verify`` lists it.

    Args:
        folder: Where.
        record: Its record.
        names: Files or folders in it; all, unless given.
        ignore: Which of these lines do not matter, because the file is about to be written again.

    Raises:
        StorageError: One is missing or was changed; the message names them.
    """
    wrong = [line for line in compare_run(folder, record, *names) if not ignore(line)]
    if wrong:
        shown, more = "\n".join(f"  {line}" for line in wrong[:MAX_SHOWN]), len(wrong) - MAX_SHOWN
        raise StorageError(
            f"{folder.path} has changed since it was written:\n{shown}" + (f"\n  and {more} more" if more > 0 else ""),
            expected="files that match the digests in run.json",
            fix="restore them, or make the run again; if judging was interrupted, judge again. `pretune verify` checks all",
        )


def compare_run(folder: RunFolder, record: RunRecord, *names: str) -> Iterator[str]:
    """Yield one line for each file that is missing, was changed, or was not there when the record was written.

    Of all files the trace is one, whose last lines the record knows; the openings are the ledger's, see ``read_openings``.
    """
    digests = folder.digests(record.task, *names)
    for name in sorted(digests.keys() | record.digests.keys()):
        if names and not any(name == part or name.startswith(f"{part}/") for part in names):
            continue
        pending = record.pending.get(name)
        if name not in digests:
            yield f"{name} is missing"
        elif name not in record.digests and pending is None:
            covered = (
                {known.split("/")[0] for known in record.digests} if record.heads else set()
            )  # earlier versions left files out
            if name.split("/")[0] in covered and record.status not in ("started",):
                yield f"{name} was not there when the run was {record.status}"
        elif digests[name] not in (record.digests.get(name), pending) and pending != "":
            yield f"{name} was changed since the run was {record.status}"
    if not names:
        yield from _compare_trace(folder, record)


def _compare_trace(folder: RunFolder, record: RunRecord) -> Iterator[str]:
    """Yield what is wrong with the trace, which grows and so has no digest: a changed line, or last lines that are missing."""
    try:
        folder.read_events(head=record.heads.get("trace.jsonl", ""))
    except StorageError as error:
        yield error.got.replace("\n", "; ")
