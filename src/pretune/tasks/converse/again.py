"""Again: a judged run with a review by people in its verdict; nothing is opened, the open rows are weighed again."""

from dataclasses import replace

from pretune.data.seal.seal import recall_opening
from pretune.errors import StorageError, UsageError
from pretune.records import Conversation, Copies, RunRecord
from pretune.run import RunFolder, check_run
from pretune.run.reply_files import read_all_replies
from pretune.run.trace import Trace
from pretune.tasks.converse.assess import assess_chat
from pretune.tasks.converse.review import read_review
from pretune.tasks.report import write_report
from pretune.verdict.reply_policy import ReplyPolicy


def weigh_review(folder: RunFolder, trace: Trace | None = None) -> RunRecord:
    """Put what people said into the verdict of a run, and write its record and report; no look is counted.

    Figures, findings and policy are those of the judging. What changes is the review, and what follows from it.

    Raises:
        UsageError: The run was not judged.
        StorageError: A file is missing or is not what was written.
        SealedError: The run's list of openings does not have the one that its figures come from.
    """
    record = folder.read_record()
    if record.verdict is None or record.chat is None:
        got = f"{folder.path} has no verdict on a chat model: it is {record.status}"
        raise UsageError(got, expected="a judged run on conversations", fix=f"`pretune judge {folder.path}`")
    policy = ReplyPolicy.from_json(record.verdict.policy)
    folder.hold()
    check_run(folder, record)
    rows, opening = recall_opening(folder.sealed_files(record), folder.openings, record.ledger_head)
    splits = {name: tuple(map(Conversation.from_example, folder.read_examples(name))) for name in ("train", "validation")}
    splits["test"] = tuple(map(Conversation.from_example, rows))
    copies = folder.read_kept(Copies)
    if copies is None:
        raise StorageError(f"{folder.data / 'copies.jsonl'} is missing", expected="the run as it was judged", fix="restore it")
    record = replace(record, chat=replace(record.chat, review=read_review(folder)))
    found = assess_chat(read_all_replies(folder.path), splits, copies, record, policy, look=opening.look, trace=trace)
    record = folder.write_record(
        replace(record, scores=found.scores, comparisons=found.comparisons, findings=found.findings, verdict=found.verdict)
    )
    write_report(folder, record)
    return record
