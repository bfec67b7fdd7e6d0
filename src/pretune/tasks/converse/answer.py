"""Answering: what a network replies to conversations, how probable the references are to it, and which decoding does best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pretune.evaluate.matches import count_matches
from pretune.evaluate.replies.rows import as_predictions
from pretune.evaluate.replies.sources import FEW_SHOT_WAYS, choose_examples
from pretune.models import LanguageNetwork
from pretune.predict.replies import Generator
from pretune.predict.reply_scores import Reference, score_replies
from pretune.records import Conversation, Decoding, Replies, ReplyScore, Turn
from pretune.records.conversation import ASSISTANT, SYSTEM, USER
from pretune.run.trace import Trace
from pretune.tokens.chat import ChatTemplate
from pretune.train import has_fast_bf16, release_memory

# Questions of validation on which the decoding and the examples are chosen.
NUM_TRIED = 32
# Penalties that are tried: 1 is none.
PENALTIES = (1.0, 1.1, 1.2)
# Tokens of a reference that are scored: some have ten thousand, which take minutes and tell no more of the model.
MAX_SCORED = 512
# Tokens that a prompt with examples may have; where it has more, the examples farthest from the question go first. Of twice as
# many, each reply takes more than twice as long.
MAX_PROMPT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A network that is asked.

    Args:
        network: As it stands.
        tokenizer: Its own.
        template: Of the tokenizer.
        source: What its replies are called.
        trace: Hears how far it is.
    """

    network: LanguageNetwork
    tokenizer: Any
    template: ChatTemplate
    source: str
    trace: Trace

    def reply(
        self,
        rows: Sequence[Conversation],
        split: str,
        decoding: Decoding,
        *,
        prompts: Sequence[Sequence[Turn]] | None = None,
        note: str = "",
    ) -> Replies:
        """Return what the network replies to what each conversation asks.

        Args:
            rows: The conversations; their references are taken along, and not read.
            split: Of the rows.
            decoding: How tokens are chosen.
            prompts: Turns that are asked in the place of the rows' own, such as ones with examples.
            note: How the source came to be.
        """
        turns = [row.asked for row in rows] if prompts is None else prompts
        asked = [ids.tolist() for ids in self.template.prompts(turns)]
        self.network.eval()
        generator = Generator(self.network, self.tokenizer, stop_ids=self.template.stop_ids, decoding=decoding)
        found = generator.reply(asked, progress=self._progress(f"reply ({self.source})"))
        del generator
        release_memory()  # keys and values of 32 replies, and weights laid out
        return Replies(
            source=self.source,
            split=split,
            ids=tuple(row.id for row in rows),
            questions=tuple(row.text for row in rows),
            references=tuple(row.reference for row in rows),
            texts=tuple(reply.text.strip() for reply in found),
            ended=tuple(reply.ended for reply in found),
            decoding=decoding,
            note=note,
        )

    def score(
        self,
        rows: Sequence[Conversation],
        *,
        prompts: Sequence[Sequence[Turn]] | None = None,
        precision: str | None = None,
    ) -> tuple[ReplyScore, ...]:
        """Return how probable the last reply of each conversation is; of a long one its first ``MAX_SCORED`` tokens.

        Args:
            rows: The conversations.
            prompts: As for ``reply``.
            precision: As for ``score_references``.

        Raises:
            ModelLoadError: The template refuses one.
        """
        turns = [row.asked for row in rows] if prompts is None else prompts
        wholes = [(*asked, row.turns[-1]) for asked, row in zip(turns, rows, strict=True)]
        references = []
        for row, whole in zip(rows, wholes, strict=True):
            encoded = self.template.encode(whole)
            start, end = encoded.replies[-1]
            size = len(row.reference.encode())
            if end - start > MAX_SCORED:
                end = start + MAX_SCORED
                size = len(self.template.text_of(encoded.ids[start:end]).encode())
            references.append(Reference(id=row.id, ids=encoded.ids.tolist(), start=start, end=end, num_bytes=size))
        return self.score_references(references, precision)

    def score_references(self, references: Sequence[Reference], precision: str | None = None) -> tuple[ReplyScore, ...]:
        """Return how probable tokens are.

        Args:
            references: The tokens.
            precision: As in ``Decoding``; ``None`` is bf16 where the processor has products of its own for it, else fp32, as
                validation has it.
        """
        self.network.eval()
        usual = "bf16" if has_fast_bf16(self.network.output.weight.device.type) else "fp32"
        told = self._progress(f"score ({self.source})")
        found = score_replies(self.network, references, precision=precision or usual, progress=told)
        release_memory()
        return found

    def fits(self, turns: Sequence[Turn]) -> bool:
        """Whether a prompt is short enough to have further examples."""
        return len(self.template.prompt(turns)) <= MAX_PROMPT

    def _progress(self, what: str) -> Callable[[float, int], None]:
        return lambda done, total: self.trace.progress(what, int(done), total, "replies")


def chrf_of(replies: Replies) -> float:
    """Return sacrebleu's chrF of replies, 0 to 100."""
    counted = count_matches(as_predictions(replies))
    return next(item.value for item in counted if item.metric == "chrf")


def choose_decoding(
    asker: Asker, rows: Sequence[Conversation], decoding: Decoding, *, is_open: bool
) -> tuple[Decoding, Replies]:
    """Return the decoding that does best on the first questions of validation (chrF), and its replies to them.

    Args:
        asker: Who is asked.
        rows: Of validation.
        decoding: What is settled.
        is_open: Whether the penalty on repetition is to be chosen.
    """
    tried, found = rows[:NUM_TRIED], list[tuple[float, Decoding, Replies]]()
    for penalty in PENALTIES if is_open else (decoding.repetition_penalty,):
        candidate = replace(decoding, repetition_penalty=penalty)
        replies = asker.reply(tried, "validation", candidate)
        found.append((chrf_of(replies), candidate, replies))
    _, chosen, replies = max(found, key=lambda item: item[0])  # of equals the smallest penalty
    shown = ", ".join(f"{item.repetition_penalty:g}: {value:.1f}" for value, item, _ in found)
    return chosen, replace(replies, note=f"repetition penalty chosen on {len(tried)} questions of validation (chrF {shown})")


def choose_few_shot(
    asker: Asker, train: Sequence[Conversation], rows: Sequence[Conversation], decoding: Decoding, *, seed: int
) -> tuple[str, Replies]:
    """Return the way of choosing examples that does best on validation (chrF), and its replies there.

    Args:
        asker: The model as it came.
        train: Where examples come from.
        rows: Of validation.
        decoding: That of the model as it came.
        seed: Of the draw of fixed examples.
    """
    tried, found = rows[:NUM_TRIED], list[tuple[float, str, Replies]]()
    for way in FEW_SHOT_WAYS[1:]:  # without an example it is the model as it came, a source of its own
        prompts = with_examples(asker, way, train, tried, seed=seed)
        replies = asker.reply(tried, "validation", decoding, prompts=prompts)
        found.append((chrf_of(replies), way, replies))
    _, chosen, replies = max(found, key=lambda item: item[0])
    shown = ", ".join(f"{way}: {value:.1f}" for value, way, _ in found)
    return chosen, replace(replies, note=f"{chosen} examples in the prompt (chrF on validation {shown})")


def with_examples(
    asker: Asker, way: str, train: Sequence[Conversation], rows: Sequence[Conversation], *, seed: int
) -> list[tuple[Turn, ...]]:
    """Return what each conversation asks, with examples of training as turns before it.

    Args:
        asker: Whose prompts they are; examples that make a prompt too long are left out.
        way: One of ``FEW_SHOT_WAYS``.
        train: Where examples come from.
        rows: What is asked.
        seed: Of the draw.
    """
    shown = [(Turn(role=USER, text=row.question), Turn(role=ASSISTANT, text=row.reference)) for row in train]
    prompts = []
    for row, places in zip(rows, choose_examples(way, train, rows, seed=seed), strict=True):
        system = tuple(turn for turn in row.asked if turn.role == SYSTEM)
        rest = row.asked[len(system) :]
        examples = [turn for place in places for turn in shown[place]]
        while examples and not asker.fits((*system, *examples, *rest)):
            examples = examples[2:]
        prompts.append((*system, *examples, *rest))
    return prompts
