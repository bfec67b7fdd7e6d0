"""Questions about chat models: what the loss counts, what replies are compared with, and what was forgotten."""

from math import exp, log

from pretune.report.practice.facts import Facts, Json
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

SOURCES = {
    "finetuned": "The model after fine-tuning on the conversations.",
    "before": "The model as it came, before any training on these conversations.",
    "retrieval": "The reply to the nearest question of training.",
    "constant": "One and the same reply to every question.",
    "few-shot": "The model as it came, with some conversations of training in its prompt.",
}


def _counts(facts: Facts) -> Json | None:
    counts = (facts.json["chat"] or {}).get("counts") or ()
    splits = [item["split"] for item in counts if item["num_tokens"] and item["num_targets"]]
    return facts.at(f"chat.counts[split={facts.pick(splits)}]") if splits else None


@template(
    "conversation.targets",
    MEDIUM,
    ask="The {split} conversations have {tokens} tokens, and the loss counts {targets} of them: those of replies. What "
    "share is that?",
    hint="Prompts are read, and not learned.",
    steps=["{targets} ÷ {tokens} = {right}"],
    check="The prompts are the rest: {rest} tokens.",
    terms=["target", "reply loss"],
    prompts="{wrong} is the share of the prompts.",
    ratio="{wrong} divides by the tokens of the prompts.",
    replies="{wrong} is replies per conversation.",
)
def targets(facts: Facts) -> Drawn | None:
    """Share of the tokens that are learned."""
    counts = _counts(facts)
    if counts is None:
        return None
    num, tokens = counts["num_targets"], counts["num_tokens"]
    wrong = {
        "prompts": 1 - num / tokens,
        "ratio": num / (tokens - num) if tokens > num else None,
        "replies": counts["num_replies"] / max(1, counts["num_used"]),
    }
    return Drawn(num / tokens, wrong, {"split": counts["split"], "tokens": tokens, "targets": num, "rest": tokens - num})


@template(
    "conversation.used",
    MEDIUM,
    ask="Of {all} {split} conversations {beyond} begin their first reply beyond {longest} tokens and {refused} do not fit "
    "the template. How many are used?",
    hint="Both kinds are left out; a reply that is merely cut is used.",
    steps=["{all} − {beyond} − {refused} = {right}"],
    check="{right} + {beyond} + {refused} = {all}.",
    terms=["conversation", "chat template", "truncation"],
    cut="{wrong} takes those off whose reply is cut; these are used, but teach no end.",
    all="{wrong} are all of them.",
    replies="{wrong} are replies.",
    twice="{wrong} takes one off that is not left out.",
)
def used(facts: Facts) -> Drawn | None:
    """Conversations that are used."""
    counts = _counts(facts)
    if counts is None:
        return None
    total, right = counts["num_conversations"], counts["num_conversations"] - counts["num_beyond"] - counts["num_refused"]
    wrong = {"cut": right - counts["num_cut"], "all": total, "replies": counts["num_replies"], "twice": right - 1}
    given = {"all": total, "split": counts["split"], "beyond": counts["num_beyond"], "refused": counts["num_refused"]}
    return Drawn(right, wrong, given | {"longest": counts["max_length"]})


@template(
    "conversation.per_reply",
    MEDIUM,
    ask="{replies} replies of {split} have {targets} targets, their stop tokens included. How many tokens has a reply on "
    "average?",
    hint="Divide the targets by the replies.",
    steps=["{targets} ÷ {replies} = {right}"],
    check="{right} × {replies} = {targets}, but for rounding.",
    terms=["target", "control token"],
    prompts="{wrong} divides all tokens, those of the prompts included.",
    upside_down="{wrong} is replies per token.",
    prompt_only="{wrong} are the tokens of a prompt.",
)
def per_reply(facts: Facts) -> Drawn | None:
    """Tokens of a reply."""
    counts = _counts(facts)
    if counts is None or not counts["num_replies"]:
        return None
    num, replies, tokens = counts["num_targets"], counts["num_replies"], counts["num_tokens"]
    wrong = {"prompts": tokens / replies, "upside_down": replies / num, "prompt_only": (tokens - num) / replies}
    return Drawn(num / replies, wrong, {"replies": replies, "split": counts["split"], "targets": num}, digits=1)


def _loss(facts: Facts, source: str) -> Json | None:
    if not facts.json["chat"]:
        return None
    score = facts.score("loss", source=source)
    return score if score is not None and score["value"] > 0 else None


@template(
    "conversation.perplexity",
    MEDIUM,
    ask="The reply loss of {source} on the test is {loss} nats per token. What is its perplexity?",
    hint="Undo the logarithm.",
    steps=["e^{loss} = {right}"],
    check="ln {right} = {loss}: the model is as unsure as among {right} equally likely tokens.",
    terms=["reply loss", "perplexity"],
    bits="{wrong} is 2 to the power of the loss: nats are to base e.",
    chance="{wrong} is the probability that such a loss means.",
    loss="{wrong} is the loss itself.",
    square="{wrong} squares the loss.",
)
def perplexity(facts: Facts) -> Drawn | None:
    """Perplexity of the references."""
    source = facts.pick([facts.judged, "before"])
    score = _loss(facts, source)
    if score is None:
        return None
    loss = score["value"]
    wrong = {"bits": 2.0**loss, "chance": exp(-loss), "loss": loss, "square": loss**2}
    return Drawn(exp(loss), wrong, {"source": source, "loss": loss}, digits=1 if loss > 3 else 2)


@template(
    "conversation.bits",
    MEDIUM,
    ask="A reply loss of {loss} nats per token: how many bits per token is that?",
    hint="A bit is ln 2 = 0.693 nats.",
    steps=["{loss} ÷ 0.693 = {right}"],
    check="{right} × 0.693 = {loss}: bits are smaller, so there are more of them.",
    terms=["bits per byte", "reply loss"],
    times="{wrong} multiplies instead of dividing.",
    ten="{wrong} divides by ln 10.",
    nats="{wrong} are the nats.",
)
def bits(facts: Facts) -> Drawn | None:
    """Nats as bits."""
    score = _loss(facts, facts.judged)
    if score is None:
        return None
    loss = score["value"]
    return Drawn(loss / log(2), {"times": loss * log(2), "ten": loss / log(10), "nats": loss}, {"loss": loss}, digits=2)


@template(
    "conversation.gain",
    MEDIUM,
    ask="The reply loss was {before} before training and is {after} after it. By what share of the first has it fallen?",
    hint="How much less is it, compared with what it was?",
    steps=["{before} − {after} = {fall}", "{fall} ÷ {before} = {right}"],
    check="{before} × (1 − {right}) = {after}, but for rounding. A negative share is a rise.",
    terms=["reply loss", "paired test"],
    nats="{wrong} is the fall in nats.",
    of_after="{wrong} divides by the loss after training.",
    left="{wrong} is the share that remains.",
)
def gain(facts: Facts) -> Drawn | None:
    """By what share the reply loss fell."""
    before, after = _loss(facts, "before"), _loss(facts, facts.judged)
    if before is None or after is None or facts.judged == "before":
        return None
    b, a = before["value"], after["value"]
    wrong = {"nats": b - a, "of_after": (b - a) / a, "left": a / b}
    return Drawn((b - a) / b, wrong, {"before": b, "after": a, "fall": b - a})


@template(
    "conversation.source",
    EASY,
    ask="In the figures of replies {source} has {metric} {value}. Who is {source}?",
    hint="The judged model stands beside what anyone could do without training it.",
    steps=["In the glossary and the report: {source}.", "That is: {right}"],
    check="`notes` of the run say how each rival came to be.",
    terms=["source", "retrieval", "constant reply"],
    finetuned="That is finetuned.",
    before="That is before.",
    retrieval="That is retrieval.",
    constant="That is constant.",
    **{"few-shot": "That is few-shot."},
)
def source(facts: Facts) -> Drawn | None:
    """Who a source is."""
    if not facts.json["chat"]:
        return None
    known = [
        place for place, item in enumerate(facts.json["scores"]) if item["source"] in SOURCES and item["value"] is not None
    ]
    if not known:
        return None
    score = facts.at(f"scores[{facts.pick(known)}]")
    options = {name: (name == score["source"], text) for name, text in SOURCES.items()}
    return choose(facts, options, source=score["source"], metric=score["metric"], value=score["value"])


@template(
    "conversation.decoding",
    EASY,
    ask="The judged model replies with temperature {temperature}, top-p {top_p} and at most {longest} tokens. What does "
    "that mean for the next token?",
    hint="A temperature of 0 leaves nothing to chance.",
    steps=["temperature {temperature}, top-p {top_p}", "So: {right}"],
    check="Ask the same question twice: `pretune chat RUN`.",
    terms=["decoding", "sampling temperature"],
    greedy="With temperature {temperature} it is drawn.",
    drawn="With temperature 0 nothing is drawn.",
    likeliest_last="No decoding takes the least probable one.",
    copied="Replies are made token by token, not looked up.",
    even="Tokens are weighed by their probabilities.",
)
def decoding(facts: Facts) -> Drawn | None:
    """What the decoding does."""
    held = facts.at("chat.decoding")
    if not held:
        return None
    is_greedy = held["temperature"] == 0
    options = {
        "greedy": (is_greedy, "It is always the most probable one."),
        "drawn": (not is_greedy, "It is drawn, the more probable ones more often."),
        "likeliest_last": (False, "It is the least probable one that still fits."),
        "copied": (False, "It is copied from the nearest reply of training."),
        "even": (False, "It is drawn evenly from the whole vocabulary."),
    }
    return choose(facts, options, temperature=held["temperature"], top_p=held["top_p"], longest=held["max_tokens"])


@template(
    "conversation.shipped",
    HARD,
    ask="The verdict on this chat model is “{outcome}”; a review by people is {review}. What has to come before anyone "
    "uses it for its domain?",
    hint="Figures compare words with references. What is harmful, only people see.",
    steps=["outcome {outcome}; review {review}; blocking findings {blocking}", "So: {right}"],
    check="The reasons of the verdict name what is open or fails.",
    terms=["verdict", "reference reply"],
    review="The domain asks for no review, or it was made.",
    repair="No finding blocks.",
    evidence="The verdict is settled.",
    better="The verdict does not forbid it.",
    nothing="Something is still open, or forbids it.",
    loss="A loss says how probable the references are, not what the model replies.",
    length="Longer replies are no better ones.",
)
def shipped(facts: Facts) -> Drawn | None:
    """What has to come first, by verdict, findings and review."""
    chat, verdict = facts.json["chat"], facts.at("verdict")
    if not chat or not verdict:
        return None
    domain = facts.at("chat.domain") or {}
    is_asked = bool(domain.get("area")) and domain.get("asked") != "plain"
    needs_review = is_asked and not facts.at("chat.review")
    blocking = sum(item["severity"] == "blocking" for item in facts.at("findings") or ())
    result = verdict["outcome"]
    options = {
        "repair": (blocking > 0, "Repair what the blocking finding names, and train again."),
        "better": (result == "do_not_ship", "A better model: this one is surely not good enough."),
        "review": (needs_review, "People compare its replies: `pretune review`."),
        "evidence": (result == "not_enough_evidence", "More test questions, or a review, for what is still open."),
        "nothing": (result == "ship", "Nothing: it may be used, and its replies watched."),
        "loss": (False, "A lower loss: below 1 nat nothing harmful is said."),
        "length": (False, "A higher limit of tokens per reply."),
    }
    given = {"outcome": result.replace("_", " "), "blocking": blocking}
    return choose(facts, options, **given, review="asked for and missing" if needs_review else "not asked for, or made")


@template(
    "conversation.words",
    MEDIUM,
    ask="Questions have {asked} words and replies {said} words, as medians. How many times as long as a question is a reply?",
    hint="Divide what is asked about by what it is compared with.",
    steps=["{said} ÷ {asked} = {right}"],
    check="{asked} × {right} = {said}, but for rounding.",
    terms=["conversation"],
    upside_down="{wrong} divides the other way round.",
    difference="{wrong} is a difference in words.",
    longest="{wrong} compares the longest ones.",
)
def words(facts: Facts) -> Drawn | None:
    """How long replies are beside questions."""
    data = facts.at("chat.data")
    if not data or not data["question_words"]["median"]:
        return None
    asked, said = data["question_words"], data["reply_words"]
    wrong = {
        "upside_down": asked["median"] / said["median"] if said["median"] else None,
        "difference": said["median"] - asked["median"],
        "longest": said["longest"] / asked["longest"] if asked["longest"] else None,
    }
    return Drawn(said["median"] / asked["median"], wrong, {"asked": asked["median"], "said": said["median"]}, digits=2)


CONVERSATION = (targets, used, per_reply, perplexity, bits, gain, source, decoding, shipped, words)
