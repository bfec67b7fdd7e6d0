"""Rivals: what the model as it came, examples in its prompt, the nearest question of training and one constant reply say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pretune.configs import ConverseRunConfig
from pretune.data.catalogue.fetch import find_entry, is_fetched, require_entry
from pretune.errors import PretuneError
from pretune.evaluate.replies.nearest import Vectors
from pretune.evaluate.replies.sources import always, retrieve
from pretune.models import open_encoder
from pretune.models.formats import chat
from pretune.records import Conversation, Decoding, Replies, Turn
from pretune.run import RunFolder
from pretune.run.reply_files import drop_replies, write_replies
from pretune.run.trace import Trace
from pretune.tasks.converse.answer import Asker, choose_decoding, choose_few_shot, with_examples
from pretune.tasks.converse.begin import decoding_of
from pretune.tokens.chat import ChatTemplate
from pretune.tokens.chat_date import fix_date
from pretune.train import Device

# The encoder whose vectors retrieval may go by.
ENCODER, ENCODER_LENGTH = "minilm", 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """What the rivals replied to the sealed questions.

    Args:
        before: The model as it came; it can say how probable references are once they may be read.
        prompts: With examples, in the order of the questions; ``None`` where it was not asked so.
        replies: Of every rival.
        decoding: Of the model as it came.
    """

    before: Asker
    prompts: tuple[tuple[Turn, ...], ...] | None
    replies: tuple[Replies, ...]
    decoding: Decoding

    def scored(self, rows: Sequence[Conversation]) -> tuple[Replies, ...]:
        """Return the replies beside the references, and how probable these are to the sources that have probabilities.

        Args:
            rows: The opened conversations, in the order of the sealed ones.
        """
        found = []
        for item in self.replies:
            item = beside(item, rows)
            if item.source == "before":
                item = replace(item, scores=self.before.score(rows))
            if item.source == "few-shot":
                item = replace(item, scores=self.before.score(rows, prompts=self.prompts))
            found.append(item)
        return tuple(found)


def ask_rivals(
    asked: Sequence[Conversation],
    train: Sequence[Conversation],
    validation: Sequence[Conversation],
    config: ConverseRunConfig,
    folder: RunFolder,
    device: Device,
    trace: Trace,
) -> Rivals:
    """Ask every rival; what is to be chosen, validation chooses.

    Args:
        asked: The sealed questions, numbered.
        train: What retrieval and examples come from.
        validation: Chooses the way of retrieval, the decoding and the examples.
        config: Of the run.
        folder: Keeps what the rivals reply to validation.
        device: Where networks compute.
        trace: Receives the stages.
    """
    start, card = chat.read(config.model), chat.read_card(folder.model)
    if card is not None and card.moment:  # what the judged model reads, it reads too
        fix_date(start.tokenizer, card.moment)
    start.network.to(device.kind)
    template = ChatTemplate(start.tokenizer)
    before = Asker(network=start.network, tokenizer=start.tokenizer, template=template, source="before", trace=trace)
    prompts = None
    with trace.stage("rivals", f"{len(asked):,} sealed questions, without their replies") as stage:
        is_open = config.chat.repetition_penalty is None and config.chat.temperature == 0
        decoding, tried = choose_decoding(before, validation, decoding_of(config), is_open=is_open)
        write_replies(folder.path, tried)
        found = [before.reply(asked, "test", decoding, note=tried.note)]
        if config.chat.few_shot:
            asker = replace(before, source="few-shot")
            way, tried = choose_few_shot(asker, train, validation, decoding, seed=config.seed)
            write_replies(folder.path, tried)
            prompts = tuple(with_examples(asker, way, train, asked, seed=config.seed))
            found.append(asker.reply(asked, "test", decoding, prompts=prompts, note=tried.note))
        retrieval = retrieve(train, validation, asked, vectors=_vectors(config.model, device, trace))
        if retrieval is not None:
            write_replies(folder.path, retrieval.validation)
            found.append(retrieval.test)
        found.append(always(train, asked, seed=config.seed))
        names = {item.source for item in found}
        for source in {"few-shot", "retrieval"} - names:
            drop_replies(folder.path, "test", source)
        stage.done = ", ".join(item.source for item in found) + "; kept back until the opening is counted"
        stage.notes = [f"{item.source}: {item.note}" for item in found if item.note]
        stage.shape_out = f"{len(found)} × {len(asked):,} replies"
    return Rivals(before=before, prompts=prompts, replies=tuple(found), decoding=decoding)


def beside(replies: Replies, rows: Sequence[Conversation]) -> Replies:
    """Put ids and references of opened conversations to replies to the sealed ones, in the same order."""
    return replace(replies, ids=tuple(row.id for row in rows), references=tuple(row.reference for row in rows))


def _vectors(model: str, device: Device, trace: Trace) -> Vectors | None:
    """Return what makes vectors of texts, (texts, width); ``None`` where the encoder cannot be had.

    It is fetched only beside a model that comes from the catalogue itself: whoever names a folder asks for no network.
    """
    if find_entry(model) is None and not is_fetched(require_entry(ENCODER)):
        trace.note(f"retrieval does without the vectors of {ENCODER}, which was not fetched")
        return None
    try:
        encoder = open_encoder(ENCODER, max_length=ENCODER_LENGTH, device=device.kind)
    except PretuneError as error:
        trace.note(f"retrieval does without the vectors of {ENCODER}: {error.got}")
        return None
    return None if encoder is None else lambda texts: encoder.features(texts).astype("float64")
