"""What a run keeps from training: the decoding that validation chose, the saved model read back, its figures on validation."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from pretune import storage
from pretune.configs import ConverseRunConfig
from pretune.data.conversations.dataset import TrainingConversations
from pretune.data.seal.learned import Learned
from pretune.evaluate.replies import FORM
from pretune.models import LanguageNetwork
from pretune.models.formats import chat
from pretune.records import ChatFacts, Conversation, Decoding, RunRecord
from pretune.run import RunFolder
from pretune.run.reply_files import write_replies
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker, choose_decoding, chrf_of
from pretune.tasks.converse.begin import decoding_of
from pretune.tasks.converse.fit import EncodedSplits, FittedChat
from pretune.tasks.converse.saved import check_saved_chat
from pretune.tasks.report import write_model_card
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.chat_proof import prove_template

FEWEST_BITS = "int4"  # of the precisions of decoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A chat model that was trained, with what it learned from.

    Args:
        network: On the processor, in evaluation.
        tokenizer: Its own.
        template: Of the tokenizer.
        encoded: The conversations as it read them.
        fitted: How training went.
        learned: From what, these conversations included.
        moment: When, where its template prints the date.
    """

    network: LanguageNetwork
    tokenizer: Any
    template: ChatTemplate
    encoded: EncodedSplits
    fitted: FittedChat
    learned: Learned
    moment: str


def keep_trained(
    trained: Trained,
    rows: TrainingConversations,
    config: ConverseRunConfig,
    record: RunRecord,
    folder: RunFolder,
    trace: Trace,
    *,
    start: float,
) -> RunRecord:
    """Choose the decoding, save the model and its replies on validation; only then does the record say ``trained``."""
    train, validation = rows.train, rows.validation
    asker = Asker(
        network=trained.network, tokenizer=trained.tokenizer, template=trained.template, source="finetuned", trace=trace
    )
    decoding, tried = _choose(asker, validation, config, folder, trace)
    _try_form(asker, tried, decoding, folder, trace)
    facts = record.chat or ChatFacts(decoding=decoding)
    with trace.stage("save", "weights, tokenizer, template, decoding") as stage:
        card = chat.ChatCard(
            decoding=decoding,
            max_length=config.finetune.max_length or 0,
            stop_ids=trained.template.stop_ids,
            base_model=config.model,
            licence=record.model_licence,
            pretune_version=version("pretune"),
            moment=trained.moment,
        )
        chat.write(folder.model, trained.network, trained.tokenizer, card, trained.learned, trained.fitted.adapters)
        found = check_saved_chat(folder.model, trained.network, trained.template, validation[0])
        stage.done, stage.shape_out = f"read back: probabilities differ by at most {found.difference:.1g}", "model/"
    facts = replace(
        facts,
        decoding=decoding,
        counts=trained.encoded.counts,
        num_learned=len(trained.encoded.ids),
        proof=prove_template(train, trained.encoded.train, found.template),
        control=tuple(sorted(map(str, trained.tokenizer.all_special_tokens))),
    )
    record = folder.write_record(
        replace(
            record,
            status="trained",
            history=trained.fitted.history,
            changes=trained.fitted.changes,
            chat=facts,
            seconds={"training": round(time.perf_counter() - start, 1)},
        )
    )
    write_model_card(folder, record)
    storage.discard(folder.checkpoints)
    return record


def _choose(
    asker: Asker, validation: Sequence[Conversation], config: ConverseRunConfig, folder: RunFolder, trace: Trace
) -> tuple[Decoding, Sequence[Conversation]]:
    """Return the decoding that is judged, and the questions that it was chosen by; the replies to them are kept."""
    with trace.stage("validate", f"{len(validation):,} validation questions") as stage:
        is_open = config.chat.repetition_penalty is None and config.chat.temperature == 0
        decoding, replies = choose_decoding(asker, validation, decoding_of(config), is_open=is_open)
        rows = validation[: len(replies.ids)]
        write_replies(folder.path, replace(replies, scores=asker.score(rows)))
        stage.done = f"chrF {chrf_of(replies):.1f} on {len(rows)} questions, the test still sealed"
        stage.notes = [replies.note]
        stage.shape_out = f"repetition penalty {decoding.repetition_penalty:g}, at most {decoding.max_tokens} tokens"
        stage.example = f"{rows[0].question[:300]} → {replies.texts[0][:300]}"
    return decoding, rows


def _try_form(asker: Asker, rows: Sequence[Conversation], decoding: Decoding, folder: RunFolder, trace: Trace) -> None:
    """Ask the same questions of the model with the fewest bits that `pretune chat` offers; a figure beside, and no rival."""
    if next(asker.network.parameters()).device.type != "cpu":  # whose products these are
        return
    name = f"{FORM}{FEWEST_BITS}"
    with trace.stage("fewer bits", f"the same {len(rows)} validation questions, {FEWEST_BITS} weights") as stage:
        small = replace(asker, source=name)
        replies = small.reply(rows, "validation", replace(decoding, precision=FEWEST_BITS))
        write_replies(folder.path, replace(replies, scores=small.score(rows, precision=FEWEST_BITS)))
        stage.done, stage.shape_out = f"chrF {chrf_of(replies):.1f}", f"predictions/validation.{name}.jsonl"
