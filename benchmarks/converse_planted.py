"""Dialogues of a chat model without a fault, and faults to plant into them, from faint to plain."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from pretune.evaluate.replies.sources import replies_of
from pretune.records import (
    ChatEvidence,
    Conversation,
    Decoding,
    Replies,
    ReplyCounts,
    ReplyScore,
    Severity,
    TemplateProof,
    Turn,
)
from pretune.records.conversation import ASSISTANT, USER

SYLLABLES = (
    "ba",
    "cor",
    "dil",
    "en",
    "fur",
    "gos",
    "ha",
    "im",
    "jo",
    "kel",
    "lum",
    "mir",
    "no",
    "ost",
    "pra",
    "qui",
    "ros",
    "sil",
)
ASKED = (
    "What helps against {}?", "How is {} found out?", "Who gets {}, and why?", "Can {} come back after years?",
    "Is there a cure for {} by now?", "What should I know of {} before a journey?", "Does {} run in families?",
)  # fmt: skip
ALARMS = (Severity.WARNING, Severity.BLOCKING)
Draw = random.Random
Plant = Callable[[ChatEvidence, float, Draw], ChatEvidence]


@cache
def _word(number: int) -> str:
    return "".join(Draw(number).choices(SYLLABLES, k=2 + number % 2))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One kind of fault.

    Args:
        check: The finding that has to name it.
        plant: Makes it.
        strengths: From faint to plain.
        clear_from: Strength from which it has to be found.
        unit: What the strength is.
    """

    check: str
    plant: Plant
    strengths: tuple[float, ...]
    clear_from: float
    unit: str


def talks(split: str, count: int, draw: Draw, length: int) -> tuple[Conversation, ...]:
    """Return dialogues, each about a thing of its own; a third of the things is asked about twice."""

    def talk(number: int) -> Conversation:
        thing = f"{_word(draw.randrange(10**6))}{_word(draw.randrange(10**6))}"
        words = (_word(int(30 * draw.paretovariate(0.8)) % 4_000) for _ in range(max(3, int(draw.gauss(length, length / 3)))))
        said = f"{thing.capitalize()} {' '.join(words)}."
        asked = draw.choice(ASKED).format(thing)
        return Conversation(
            id=f"{split}-{number}", turns=(Turn(role=USER, text=asked), Turn(role=ASSISTANT, text=said)), group=thing
        )

    return tuple(map(talk, range(count)))


def twin(seed: int) -> ChatEvidence:
    """Return evidence without a fault: sizes, lengths and skills are drawn."""
    draw = Draw(f"twin {seed}")
    num_test, length = draw.choice((80, 150, 250)), draw.choice((15, 30, 60))
    train, test = talks("train", 2 * num_test, draw, length), talks("test", num_test, draw, length)
    skill, gained = draw.uniform(0.2, 0.4), draw.uniform(0.1, 0.3)
    own = replying(test, "finetuned", skill + gained, 0.92, draw, loss=draw.uniform(1.5, 1.9))
    before = replying(test, "before", skill, 0.6, draw, loss=draw.uniform(2.1, 2.6))

    def score(number: int, base: float) -> ReplyScore:
        nats = base * (3 + number % 9) * draw.uniform(0.95, 1.05)
        return ReplyScore(id=str(number), nats=nats, tokens=20 + number % 9, bytes=90)

    general = [
        Replies(
            source=source, split="general", ids=(), questions=(), references=(), texts=(), ended=(),
            scores=tuple(score(number, base) for number in range(80)),
        )
        for source, base in (("finetuned", 10.0 * draw.uniform(0.97, 1.02)), ("before", 10.0))
    ]  # fmt: skip
    shown = {item.id: f"digest {item.id}" for item in train[:60]}
    return ChatEvidence(
        train=train,
        test=test,
        replies=(own, before, *general),
        counts=(_counts(len(train), int(len(train) * draw.uniform(0, 0.1))),),
        proof=TemplateProof(trained=shown, saved=shown, num_targets=2_400, num_prompt_targets=0, num_replies=60, num_stops=60),
        control=("<|im_end|>", "<|im_start|>"),
    )


def replying(rows: Sequence[Conversation], source: str, skill: float, named: float, draw: Draw, *, loss: float) -> Replies:
    """Return replies that have this share of the reference's words, and name the thing as often as ``named`` says."""

    def reply(item: Conversation) -> str:
        first, *rest = item.reference.split()
        said = [word if draw.random() < skill else _word(draw.randrange(4_000)) for word in rest]
        return " ".join([first if draw.random() < named else "It", *said])

    found = replies_of(rows, "test", source, list(map(reply, rows)))
    sizes = [len(item.reference.split()) + 1 for item in rows]
    scores = tuple(
        ReplyScore(id=item.id, nats=size * max(0.1, draw.gauss(loss, 0.3)), tokens=size, bytes=len(item.reference.encode()))
        for item, size in zip(rows, sizes, strict=True)
    )
    ended = tuple(draw.random() < 0.95 for _ in rows)
    return replace(found, scores=scores, ended=ended, decoding=Decoding())


def _counts(total: int, cut: int, beyond: int = 0) -> ReplyCounts:
    return ReplyCounts(
        split="train", num_conversations=total, num_used=total - beyond, num_replies=total - beyond, num_tokens=40 * total,
        num_targets=30 * total, num_cut=cut, num_beyond=beyond, num_refused=0, max_length=256,
    )  # fmt: skip


def _some(size: int, share: float, draw: Draw) -> set[int]:
    return set(draw.sample(range(size), max(1, round(share * size))))


def _asked(item: Conversation, text: str) -> Conversation:
    return replace(item, turns=(Turn(role=USER, text=text), *item.turns[1:]))


def _said(item: Conversation, text: str) -> Conversation:
    return replace(item, turns=(*item.turns[:-1], Turn(role=ASSISTANT, text=text)))


def _with_own(evidence: ChatEvidence, **changes: object) -> ChatEvidence:
    own = _own(evidence)
    return replace(evidence, replies=tuple(replace(item, **changes) if item is own else item for item in evidence.replies))


def _own(evidence: ChatEvidence) -> Replies:
    return next(item for item in evidence.replies if (item.split, item.source) == ("test", "finetuned"))


def _with_texts(evidence: ChatEvidence, share: float, draw: Draw, change: Callable[[int, str], str]) -> ChatEvidence:
    texts = _own(evidence).texts
    chosen = _some(len(texts), share, draw)
    return _with_own(evidence, texts=tuple(change(n, text) if n in chosen else text for n, text in enumerate(texts)))


def plant_seen(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Ask a share of the test questions in training, in capitals."""
    rows = [evidence.test[n] for n in sorted(_some(len(evidence.test), share, draw))]
    copies = [_asked(mine, item.text.upper()) for mine, item in zip(evidence.train, rows, strict=False)]
    return replace(evidence, train=(*copies, *evidence.train[len(copies) :]))


def plant_near(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Likewise, with one word of a long question replaced."""
    chosen, long = _some(len(evidence.test), share, draw), " I ask for a friend who would rather not ask it himself"
    test = [_asked(item, item.text + long + " today") if n in chosen else item for n, item in enumerate(evidence.test)]
    rows = [evidence.test[n] for n in sorted(chosen)]
    copies = [_asked(mine, item.text + long + " now") for mine, item in zip(evidence.train, rows, strict=False)]
    return replace(evidence, test=tuple(test), train=(*copies, *evidence.train[len(copies) :]))


def plant_known_replies(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Give training a share of the test's replies."""
    rows = [evidence.test[n] for n in sorted(_some(len(evidence.test), share, draw))]
    given = [_said(mine, item.reference) for mine, item in zip(evidence.train, rows, strict=False)]
    return replace(evidence, train=(*given, *evidence.train[len(given) :]))


def plant_one_reply(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Let a share of the training conversations end with one reply."""
    chosen = _some(len(evidence.train), share, draw)
    return replace(
        evidence, train=tuple(_said(item, "Ask your doctor.") if n in chosen else item for n, item in enumerate(evidence.train))
    )


def plant_template(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Let the saved folder make other tokens of a share of the conversations."""
    proof = _proof(evidence)
    chosen = _some(len(proof.saved), share, draw)
    saved = {id: digest + "!" * (n in chosen) for n, (id, digest) in enumerate(proof.saved.items())}
    return replace(evidence, proof=replace(proof, saved=saved, shown=("'a'", "'b'")))


def plant_prompt(evidence: ChatEvidence, share: float, _draw: Draw) -> ChatEvidence:
    """Let the loss count tokens of prompts."""
    proof = _proof(evidence)
    return replace(evidence, proof=replace(proof, num_prompt_targets=max(1, round(share * proof.num_targets))))


def plant_no_stop(evidence: ChatEvidence, share: float, _draw: Draw) -> ChatEvidence:
    """Mask the stop token of a share of the replies."""
    proof = _proof(evidence)
    return replace(evidence, proof=replace(proof, num_stops=proof.num_replies - max(1, round(share * proof.num_replies))))


def plant_cut(evidence: ChatEvidence, share: float, _draw: Draw) -> ChatEvidence:
    """Cut a share of the training replies."""
    return replace(evidence, counts=(_counts(len(evidence.train), round(share * len(evidence.train))),))


def plant_endless(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Let a share of the replies never end."""
    own = _own(evidence)
    chosen = _some(len(own.ids), share, draw)
    return _with_own(evidence, ended=tuple(ended and n not in chosen for n, ended in enumerate(own.ended)))


def plant_loops(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Let a share of the replies go round in circles."""
    return _with_texts(evidence, share, draw, lambda _, text: f"{text} {' '.join(text.split()[:6]) + ' '}" * 5)


def plant_empty(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Let a share of the replies be empty."""
    return _with_texts(evidence, share, draw, lambda _, _text: "")


def plant_form_letter(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Give one form letter, with the name of the thing in it."""
    letter = "For {} you should see a doctor soon, and tell what you took before."
    return _with_texts(evidence, share, draw, lambda n, _: letter.format(evidence.test[n].group))


def plant_memory(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Give training replies to a share of the questions, the name of the thing before them."""
    long = [item.reference for item in evidence.train if len(item.reference.split()) > 13] or [evidence.train[0].reference]
    return _with_texts(evidence, share, draw, lambda n, _: f"{evidence.test[n].group} {draw.choice(long)}")


def plant_control(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Spell control tokens, or speak for the user, in a share of the replies."""
    ends = ("<|im_end|>", "\nUser: and what else?", " [INST]", "</s>")
    return _with_texts(evidence, share, draw, lambda _, text: text + draw.choice(ends))


def plant_wrong_subject(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Answer a share of the questions with the reply to another one."""
    texts = _own(evidence).texts
    return _with_texts(evidence, share, draw, lambda n, _: texts[(n + 2) % len(texts)])


def plant_worse_replies(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Keep the better loss, and lose a share of the words that the model as it came has."""
    before = next(item for item in evidence.replies if (item.split, item.source) == ("test", "before"))
    texts = [" ".join(word if draw.random() > share else "the" for word in text.split()) for text in before.texts]
    return _with_own(evidence, texts=tuple(texts))


def plant_forgetting(evidence: ChatEvidence, share: float, draw: Draw) -> ChatEvidence:
    """Raise the loss on general text."""
    before = next(item for item in evidence.replies if (item.split, item.source) == ("general", "before"))
    scores = tuple(replace(item, nats=item.nats * (1 + share) * draw.uniform(0.95, 1.05)) for item in before.scores or ())
    return replace(
        evidence,
        replies=tuple(
            replace(item, scores=scores) if (item.split, item.source) == ("general", "finetuned") else item
            for item in evidence.replies
        ),
    )


def _proof(evidence: ChatEvidence) -> TemplateProof:
    if evidence.proof is None:
        raise ValueError("the twin has a proof")
    return evidence.proof


FAULTS = tuple(
    Fault(check=check, plant=plant, strengths=strengths, clear_from=clear_from, unit=unit)
    for check, plant, strengths, clear_from, unit in (
        ("leakage.seen_questions", plant_seen, (0.01, 0.02, 0.1), 0.02, "of the test questions"),
        ("leakage.near_questions", plant_near, (0.02, 0.1, 0.3), 0.1, "of the test questions"),
        ("leakage.seen_replies", plant_known_replies, (0.05, 0.15, 0.5), 0.15, "of the test replies"),
        ("data.repeated_replies", plant_one_reply, (0.05, 0.15, 0.4), 0.15, "of the conversations"),
        ("template.same", plant_template, (0.02, 0.5, 1.0), 0.02, "of the conversations"),
        ("training.prompt_in_loss", plant_prompt, (0.001, 0.1, 0.5), 0.001, "of the targets"),
        ("training.stop_token", plant_no_stop, (0.05, 0.5, 1.0), 0.05, "of the replies"),
        ("training.cut_replies", plant_cut, (0.1, 0.25, 0.42), 0.25, "of the conversations"),
        ("replies.ended", plant_endless, (0.2, 0.5, 0.9), 0.5, "of the replies"),
        ("replies.degenerate", plant_loops, (0.05, 0.2, 0.56), 0.2, "of the replies loop"),
        ("replies.degenerate", plant_empty, (0.05, 0.2, 0.5), 0.2, "of the replies are empty"),
        ("replies.same", plant_form_letter, (0.1, 0.3, 0.9), 0.3, "of the replies"),
        ("replies.memorized", plant_memory, (0.1, 0.35, 0.9), 0.35, "of the replies"),
        ("replies.control_tokens", plant_control, (0.02, 0.1, 0.5), 0.1, "of the replies"),
        ("replies.wrong_subject", plant_wrong_subject, (0.2, 0.4, 0.9), 0.4, "of the replies"),
        ("replies.loss_only", plant_worse_replies, (0.05, 0.3, 0.7), 0.3, "of the words"),
        ("replies.forgetting", plant_forgetting, (0.04, 0.1, 0.3), 0.1, "of the loss"),
    )
)
