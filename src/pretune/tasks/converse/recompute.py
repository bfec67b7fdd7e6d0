"""Recomputing: does the verdict on a chat model follow from the files of its run? No model, no torch, and no look."""

from collections.abc import Iterator

from pretune.data.seal.seal import recall_opening
from pretune.errors import PretuneError, StorageError, UsageError
from pretune.records import Conversation, Copies, Replies
from pretune.run import RunFolder, check_run, compare_run
from pretune.run.reply_files import read_all_replies
from pretune.tasks.converse.assess import ChatAssessment, assess_chat
from pretune.tasks.recomputed import Recomputed, compare, compare_opening
from pretune.verdict.reply_policy import ReplyPolicy


def recompute(folder: RunFolder) -> Recomputed[ChatAssessment]:
    """Recompute figures, findings and verdict from the files, and compare them with ``run.json``.

    Raises:
        UsageError: The run was not judged.
        StorageError: A file is missing or damaged.
        SealedError: The run's list of openings does not have the one that its figures come from.
    """
    record = folder.read_record()
    if record.verdict is None:
        raise UsageError(
            f"{folder.path} has no verdict: it is {record.status}",
            expected="a judged run",
            fix=f"`pretune judge {folder.path}`",
        )
    rows, opening = recall_opening((folder.sealed,), folder.openings, record.ledger_head)
    splits = {
        "train": tuple(map(Conversation.from_example, folder.read_examples("train"))),
        "validation": tuple(map(Conversation.from_example, folder.read_examples("validation"))),
        "test": tuple(map(Conversation.from_example, rows)),
    }
    replies, copies = read_all_replies(folder.path), folder.read_kept(Copies)
    if copies is None:
        raise StorageError(f"{folder.data / 'copies.jsonl'} is missing", expected="the run as it was judged", fix="restore it")
    try:
        found = assess_chat(replies, splits, copies, record, ReplyPolicy.from_json(record.verdict.policy), look=opening.look)
    except (PretuneError, ValueError, KeyError, TypeError):
        check_run(folder, record)  # files that do not fit each other: name the one that was changed
        raise
    differences = (*compare_run(folder, record), *compare_opening(record, opening), *_compare_rows(replies, splits["test"]))
    return compare(record, found, iter(differences))


def _compare_rows(replies: tuple[Replies, ...], test: tuple[Conversation, ...]) -> Iterator[str]:
    known = {row.id: row.reference for row in test}
    for item in replies:
        if item.split == "test" and dict(zip(item.ids, item.references, strict=True)) != known:
            yield f"predictions/test.{item.source}.jsonl: its references are not those of the sealed rows"
