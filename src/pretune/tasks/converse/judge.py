"""Judging a chat model: every source answers the sealed questions, the seal is opened once, then figures, findings, verdict."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pretune.configs import ConverseRunConfig
from pretune.data.alike.units import find_copies, with_ids
from pretune.data.seal.seal import Opening, Seal
from pretune.errors import UsageError
from pretune.evaluate.replies.samples import choose_samples
from pretune.models.formats import chat
from pretune.records import Conversation, Replies, RunRecord
from pretune.report.card.chat import render_chat_card
from pretune.report.page.html import render_chat
from pretune.run import RunFolder
from pretune.run.reply_files import read_all_replies, write_replies
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker
from pretune.tasks.converse.assess import MAIN, ChatAssessment, assess_chat
from pretune.tasks.converse.beyond import ask_safety, measure_forgetting, read_yardsticks
from pretune.tasks.converse.review import read_review
from pretune.tasks.converse.rivals import Rivals, ask_rivals, beside
from pretune.tasks.report import write_report
from pretune.tokens.chat import ChatTemplate
from pretune.train import Device
from pretune.verdict.reply_policy import load_reply_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCandidate:
    """A chat model that was trained, and the conversations that it is judged by.

    Args:
        train: What it learned from, and what retrieval and examples come from.
        validation: What chose epoch and decoding.
        seal: The test.
        device: Where networks compute.
    """

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    seal: Seal
    device: Device


def open_and_judge(
    candidate: ChatCandidate, config: ConverseRunConfig, record: RunRecord, folder: RunFolder, trace: Trace
) -> RunRecord:
    """Ask every source, open the sealed test, which is counted before any figure is shown, and decide."""
    start, facts = time.perf_counter(), record.chat
    if facts is None:
        raise UsageError(f"{folder.path} has no facts of a chat model", expected="a run on conversations", fix="train it again")
    policy, yardsticks = load_reply_policy(config.policy), read_yardsticks(config)
    asker = _open_model(folder, candidate.device, trace)
    asked = candidate.seal.asked()
    with trace.stage("answer", f"{len(asked):,} sealed questions, without their replies") as stage:
        own = asker.reply(asked, "test", facts.decoding)
        stage.done, stage.shape_out = "kept back until the opening is counted", f"{len(asked):,} replies"
    rivals = ask_rivals(asked, candidate.train, candidate.validation, config, folder, candidate.device, trace)
    facts = replace(
        facts,
        before_decoding=rivals.decoding,
        safety=ask_safety((asker, facts.decoding), (rivals.before, rivals.decoding), config, trace),
        notes=tuple(f"{item.source}: {item.note}" for item in rivals.replies if item.note),
    )
    for item in measure_forgetting((rivals.before, asker), yardsticks, trace):
        write_replies(folder.path, item)
    sealed = find_copies(candidate.seal.numbered(), record.receipt, by_name=facts.are_names_apart)
    _rehearse(folder, record)
    opening = _open(candidate.seal, folder, trace)
    rows = tuple(map(Conversation.from_example, opening.examples))
    _keep(own, asker, rivals, rows, folder, trace)
    copies = with_ids(sealed, [row.id for row in rows])
    folder.write_kept(copies)
    splits = {"train": candidate.train, "validation": candidate.validation, "test": rows}
    replies = read_all_replies(folder.path)
    facts = replace(facts, review=read_review(folder), samples=choose_samples(replies, main=MAIN))
    record = replace(record, chat=facts)
    found = assess_chat(replies, splits, copies, record, policy, look=opening.look, trace=trace)
    record = _judged(record, found, opening, time.perf_counter() - start)
    with trace.stage("report", f"run {record.run}") as stage:
        stage.shape_out = "report.html, README.md"
    record = folder.write_record(record, keep="model")
    write_report(folder, record)
    return record


def _open_model(folder: RunFolder, device: Device, trace: Trace) -> Asker:
    read = chat.read(str(folder.model))
    read.network.to(device.kind)
    return Asker(
        network=read.network, tokenizer=read.tokenizer, template=ChatTemplate(read.tokenizer), source="finetuned", trace=trace
    )


def _open(seal: Seal, folder: RunFolder, trace: Trace) -> Opening:
    with trace.stage("open the seal", f"{seal.num_rows:,} sealed conversations") as stage:
        opening = seal.open(run=folder.name, purpose="judge", copy=folder.openings)
        stage.done = f"look {opening.look}, in the ledger" + (", the first known" if opening.first_known else "")
        stage.shape_out = f"{seal.num_rows:,} test conversations; intervals at {opening.confidence:.4g}"
    return opening


def _keep(own: Replies, asker: Asker, rivals: Rivals, rows: Sequence[Conversation], folder: RunFolder, trace: Trace) -> None:
    """Put ids and references to the replies, score the references, and write all."""
    with trace.stage("score references", f"{len(rows):,} test conversations") as stage:
        write_replies(folder.path, replace(beside(own, rows), scores=asker.score(rows)))
        for item in rivals.scored(rows):
            write_replies(folder.path, item)
        stage.done = "how probable each reference is to each source that has probabilities, stop token included"
        stage.shape_out = f"{1 + len(rivals.replies)} × {len(rows):,} replies"
        stage.example = f"{rows[0].question[:300]} → {own.texts[0][:300]}"


def _rehearse(folder: RunFolder, record: RunRecord) -> None:
    """Read what the report will be drawn from, and draw it, before a look is counted.

    Raises:
        StorageError: A file is damaged.
    """
    read_all_replies(folder.path)
    render_chat(record, folder.read_events(head=record.heads.get("trace.jsonl", "")))
    render_chat_card(record)


def _judged(record: RunRecord, found: ChatAssessment, opening: Opening, seconds: float) -> RunRecord:
    """Put what was found on the record of the run."""
    return replace(
        record,
        status="judged",
        scores=found.scores,
        comparisons=found.comparisons,
        findings=found.findings,
        verdict=found.verdict,
        sample=found.sample,
        look=opening.look,
        ledger_head=opening.head,
        first_known_look=opening.first_known,
        seconds={**record.seconds, "judging": round(seconds, 1)},
    )
