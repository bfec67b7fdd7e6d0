"""A chat model: what it is asked, how probable a reply is, and what temperature does."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import exp
from typing import TYPE_CHECKING, Any

from pretune.records import Conversation, Turn
from pretune.records.conversation import ASSISTANT
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template
from pretune.report.words import one_line
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson

if TYPE_CHECKING:
    from pretune.tasks.converse.estimator import ChatModel

MODEL, USER = "smollm2", "user"
QUESTIONS = ("What is the capital of France?", "How do I boil an egg?", "Why is the sky blue?")
SCORED = {
    "fitting": "The capital of France is Paris.",
    "foreign": "Put the egg in boiling water for eight minutes.",
    "muddled": "Paris the is France of capital.",
}
MAX_TOKENS, SHOWN = 48, 300
DRAWS, HOT = 3, 0.9


def talk(_lab: Lab) -> Found:
    """Ask the model as it comes."""
    replies = _reply(QUESTIONS)
    rows = tuple((question, one_line(reply, SHOWN)) for question, reply in zip(QUESTIONS, replies, strict=True))
    model = _model()
    ids = model.template_.prompt((Turn(role=USER, text=QUESTIONS[0]),)).tolist()
    facts = {
        "prompt": " ".join(str(model.tokenizer_.decode(ids)).split()),
        "prompt_tokens": len(ids),
        "question_tokens": len(model.tokenizer_(QUESTIONS[0], add_special_tokens=False)["input_ids"]),
        "question_words": len(QUESTIONS[0].split()),
    }
    return Found(facts=facts, tables=(Table(title="As it comes", columns=("question", "reply"), rows=rows),))


def score(_lab: Lab) -> Found:
    """Score replies to the first question."""
    found = _model().asker().score([_asked(name, QUESTIONS[0], text) for name, text in SCORED.items()])
    facts: dict[str, Any] = {}
    rows = []
    for item in found:
        loss = item.nats / item.tokens
        facts |= {f"{item.id}_loss": loss, f"{item.id}_tokens": item.tokens, f"{item.id}_nats": item.nats}
        rows.append((SCORED[item.id], str(item.tokens), f"{item.nats:.2f}", f"{loss:.3f}"))
    columns = ("reply", "tokens", "nats together", "nats a token")
    return Found(facts=facts, tables=(Table(title=QUESTIONS[0], columns=columns, rows=tuple(rows)),))


def draw(_lab: Lab) -> Found:
    """Ask one question several times, cold and hot."""
    facts: dict[str, Any] = {"num_draws": DRAWS, "hot": f"{HOT:g}"}
    rows = []
    for name, temperature in (("cold", 0.0), ("hot", HOT)):
        replies = [_reply(QUESTIONS[2:], temperature=temperature, seed=seed)[0] for seed in range(DRAWS)]
        facts[f"{name}_different"] = len(set(replies))
        rows += [(f"{temperature:g}", one_line(reply, SHOWN)) for reply in replies]
    return Found(facts=facts, tables=(Table(title=QUESTIONS[2], columns=("temperature", "reply"), rows=tuple(rows)),))


@cache
def _model() -> "ChatModel":
    from pretune.tasks.converse.estimator import ChatModel

    return ChatModel.load(MODEL)


def _reply(questions: Sequence[str], *, temperature: float = 0.0, seed: int = 0) -> tuple[str, ...]:
    model = _model()
    how = replace(model.decoding_, max_tokens=MAX_TOKENS, temperature=temperature, seed=seed)
    return model.asker().reply([_asked(str(place), text, "") for place, text in enumerate(questions)], "given", how).texts


def _asked(name: str, question: str, reply: str) -> Conversation:
    return Conversation(id=name, turns=(Turn(role=USER, text=question), Turn(role=ASSISTANT, text=reply)))


@template(
    "conversation.learn_reply_tokens",
    EASY,
    ask="The question has {question} tokens, and the model saw {prompt}. How many tokens did the template add?",
    hint="What it saw, less what was typed.",
    steps=["{prompt} − {question} = {right}"],
    check="They are the marks, and a system text that this model is told at first.",
    terms=["chat template"],
    prompt="{wrong} is all that it saw.",
    question="{wrong} is the question alone.",
    words="{wrong} takes words for tokens.",
)
def reply_tokens(facts: Facts) -> Drawn | None:
    """What a template adds."""
    prompt, question, words = (facts.at(name) for name in ("prompt_tokens", "question_tokens", "question_words"))
    if None in (prompt, question, words):
        return None
    wrong = {"prompt": prompt, "question": question, "words": prompt - words}
    return Drawn(prompt - question, wrong, {"prompt": prompt, "question": question})


@template(
    "conversation.learn_loss",
    MEDIUM,
    ask="The fitting reply costs {nats} nats together and has {tokens} tokens. What is its loss a token?",
    hint="Divide.",
    steps=["{nats} ÷ {tokens} = {right}"],
    check="{right} × {tokens} = {nats}.",
    terms=["reply loss"],
    turned="{wrong} divides the tokens by the nats.",
    together="{wrong} is the loss of all tokens together.",
    perplexity="{wrong} is the perplexity.",
)
def loss(facts: Facts) -> Drawn | None:
    """The loss a token."""
    nats, tokens = facts.at("fitting_nats"), facts.at("fitting_tokens")
    if not nats or not tokens:
        return None
    wrong = {"turned": tokens / nats, "together": nats, "perplexity": exp(nats / tokens)}
    return Drawn(nats / tokens, wrong, {"nats": nats, "tokens": tokens})


@template(
    "conversation.learn_probable",
    HARD,
    ask="The losses are {fitting} for the fitting reply, {foreign} for one of another question, {muddled} for the muddle. What "
    "do they say?",
    hint="The loss is minus the logarithm of a probability, a token.",
    steps=["the lower the loss, the more probable: {fitting}, {foreign}, {muddled}", "so: {right}"],
    check="Whether a reply is true is in no figure of this table.",
    terms=["reply loss"],
    true="Probable is not true: a common error is probable too.",
    useful="The loss knows nothing of use or harm.",
    length="It is a loss a token, so length does not decide.",
)
def probable(facts: Facts) -> Drawn | None:
    """What a reply loss says."""
    held = {name: facts.at(f"{name}_loss") for name in SCORED}
    if None in held.values():
        return None
    best = min(held, key=lambda name: held[name])
    names = {"fitting": "the fitting reply", "foreign": "the reply of another question", "muddled": "the muddle"}
    options = {
        "probable": (True, f"{names[best]} is the most probable one to this model, and no more"),
        "true": (False, "the reply with the lowest loss is true"),
        "useful": (False, "the reply with the lowest loss helps most"),
        "length": (False, "the reply with the lowest loss is the shortest"),
    }
    return choose(facts, options, **held)


@template(
    "conversation.learn_temperature",
    MEDIUM,
    ask="How many different replies does temperature 0 give to the same question, however often you ask?",
    hint="What is taken at temperature 0?",
    steps=["the most probable token is always taken", "so there is {right}"],
    check="The lesson found {found} in {draws} attempts.",
    terms=["sampling temperature"],
    draws="{wrong} would need tokens to be drawn.",
    none="{wrong}: it does reply.",
    hot="{wrong} is what was found at the higher temperature.",
)
def temperature(facts: Facts) -> Drawn | None:
    """Cold replies are all the same."""
    found, hot, draws = facts.at("cold_different"), facts.at("hot_different"), facts.at("num_draws")
    if found != 1:
        return None
    return Drawn(1, {"draws": draws, "none": 0, "hot": hot}, {"found": found, "draws": draws})


CHAT = read_lesson("chat", work=(talk, score, draw), questions=(reply_tokens, loss, probable, temperature))
