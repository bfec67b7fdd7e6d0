"""Questions about tokens: how texts become numbers, and what is lost on the way."""

from pretune.report.practice.facts import Facts, Json
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template
from pretune.wording.tokens import EXAMPLES, explain_token


def _counts(facts: Facts) -> Json | None:
    """Return how one of the splits became tokens."""
    splits = [item["split"] for item in facts.json["token_counts"] if item["num_texts"]]
    return facts.at(f"token_counts[split={facts.pick(splits)}]") if splits else None


@template(
    "tokenizer.per_text",
    MEDIUM,
    ask="{texts} texts of {split} became {tokens} tokens, cut at {longest}. How many tokens has a text on average?",
    hint="Divide the tokens by the texts.",
    steps=["{tokens} ÷ {texts} = {right}"],
    check="It is at most the maximum length, {longest}.",
    terms=["token", "truncation"],
    upside_down="{wrong} is texts per token.",
    longest="{wrong} is the maximum length, which texts need not fill.",
    all="{wrong} are the tokens of all texts together.",
)
def per_text(facts: Facts) -> Drawn | None:
    """Mean tokens of a text."""
    counts = _counts(facts)
    if counts is None:
        return None
    texts, tokens, longest = counts["num_texts"], counts["num_tokens"], counts["max_length"]
    wrong = {"upside_down": texts / tokens, "longest": float(longest), "all": float(tokens)}
    return Drawn(
        tokens / texts, wrong, {"texts": texts, "tokens": tokens, "longest": longest, "split": counts["split"]}, digits=1
    )


@template(
    "tokenizer.padding",
    HARD,
    ask="If each of the {texts} texts of {split} were filled up to {longest} tokens, what share of all positions would be "
    "padding? The texts have {tokens} tokens.",
    hint="How many positions would there be, and how many of them hold a token?",
    steps=["positions: {texts} × {longest} = {positions}", "padding: 1 − {tokens} ÷ {positions} = {right}"],
    check="pretune fills batches by tokens and groups texts of like length, so that little of this is computed.",
    terms=["token", "batch"],
    filled="{wrong} is the share that holds tokens.",
    per_text="{wrong} divides by the tokens instead of the positions.",
    cut="{wrong} is the share of tokens lost to the cut.",
)
def padding(facts: Facts) -> Drawn | None:
    """Share of padding, were every text filled up."""
    counts = _counts(facts)
    if counts is None:
        return None
    texts, tokens, longest = counts["num_texts"], counts["num_tokens"], counts["max_length"]
    positions = texts * longest
    wrong = {
        "filled": tokens / positions,
        "per_text": (positions - tokens) / tokens,
        "cut": counts["num_cut_tokens"] / (tokens + counts["num_cut_tokens"]),
    }
    given = {"texts": texts, "tokens": tokens, "longest": longest, "split": counts["split"], "positions": positions}
    return Drawn(1 - tokens / positions, wrong, given)


@template(
    "tokenizer.cut",
    MEDIUM,
    ask="{cut} of {texts} texts of {split} are longer than {longest} tokens, and lose {lost} tokens; {tokens} remain. "
    "What share of the tokens is lost?",
    hint="The whole is what remains and what is lost together.",
    steps=["all: {tokens} + {lost} = {total}", "{lost} ÷ {total} = {right}"],
    check="It cannot be larger than 1, whatever the length.",
    terms=["truncation", "token"],
    texts="{wrong} is the share of the texts that are cut, not of the tokens.",
    odds="{wrong} divides by what remains.",
    left="{wrong} is the share that remains.",
)
def cut(facts: Facts) -> Drawn | None:
    """Share of the tokens that are cut off."""
    counts = _counts(facts)
    if counts is None:
        return None
    lost, tokens = counts["num_cut_tokens"], counts["num_tokens"]
    if not lost:
        return None  # nothing to work out
    total = lost + tokens
    wrong = {"texts": counts["num_cut_texts"] / counts["num_texts"], "odds": lost / tokens, "left": tokens / total}
    given = {
        "cut": counts["num_cut_texts"],
        "texts": counts["num_texts"],
        "split": counts["split"],
        "lost": lost,
        "longest": counts["max_length"],
        "tokens": tokens,
        "total": total,
    }
    return Drawn(lost / total, wrong, given)


@template(
    "tokenizer.next",
    HARD,
    ask="The checks of the tokens say: truncation {cut}, unknown tokens {unknown}. Of {texts} training texts {over} are cut at "
    "{longest} tokens. What should be done?",
    hint="A longer maximum costs time with every text that needs it; another vocabulary means another model.",
    steps=["Truncation is {cut}, unknown tokens are {unknown}.", "So: {right}"],
    check="The findings texts.truncation and texts.unknown_tokens show measured values and limits.",
    terms=["truncation", "unknown token", "vocabulary"],
    longer="The check of truncation says {cut}: too little is lost for a longer maximum to matter.",
    model="The check of unknown tokens says {unknown}: the vocabulary has the words.",
    keep="One of the two checks is not ok.",
    drop="Dropping long texts would leave out rows that the model will meet in use.",
    shorter="A shorter maximum cuts more, and texts that fit cost nothing more under a longer one.",
)
def next_length(facts: Facts) -> Drawn | None:
    """What to do about length and vocabulary, by the findings."""
    cut_found, unknown = facts.finding("texts.truncation"), facts.finding("texts.unknown_tokens")
    counts = facts.at("token_counts[split=train]")
    if cut_found is None or unknown is None or not counts:
        return None
    is_cut, is_unknown = (item["severity"] in ("warning", "blocking") for item in (cut_found, unknown))
    options = {
        "longer": (is_cut, "Raise --max-length, and look at what it costs in time."),
        "model": (is_unknown, "Choose a model whose vocabulary has the words of these texts."),
        "keep": (not (is_cut or is_unknown), "Keep both: nearly nothing is cut or unknown."),
        "drop": (False, "Drop the long texts from all splits."),
        "shorter": (False, "Lower --max-length until training is fast."),
    }
    given = {"cut": cut_found["severity"], "unknown": unknown["severity"], "texts": counts["num_texts"]}
    return choose(facts, options, **given, over=counts["num_cut_texts"], longest=counts["max_length"])


@template(
    "tokenizer.bytes",
    MEDIUM,
    ask="The vocabulary turns {bytes} bytes of {name} text into {tokens} tokens. How many bytes does a token stand for?",
    hint="More bytes per token: a vocabulary that fits the text.",
    steps=["{bytes} ÷ {tokens} = {right}"],
    check="The run states it too: {stated}.",
    terms=["bytes per token", "vocabulary"],
    upside_down="{wrong} is tokens per byte.",
    words="{wrong} is bytes per word.",
    per_word="{wrong} is tokens per word.",
)
def bytes_per_token(facts: Facts) -> Drawn | None:
    """Bytes of a token."""
    fit = facts.at("tokenizer.fits[0]")
    if not fit or not fit["num_tokens"] or not fit["num_words"]:
        return None
    num_bytes, tokens, words = fit["num_bytes"], fit["num_tokens"], fit["num_words"]
    wrong = {"upside_down": tokens / num_bytes, "words": num_bytes / words, "per_word": tokens / words}
    given = {"bytes": num_bytes, "tokens": tokens, "name": fit["name"], "stated": fit["bytes_per_token"]}
    return Drawn(num_bytes / tokens, wrong, given, digits=2)


@template(
    "tokenizer.pieces",
    MEDIUM,
    ask="{split} of {words} words of the {name} text fall into four pieces or more. What share of the words is that?",
    hint="Words in many pieces are words that the vocabulary does not know.",
    steps=["{split} ÷ {words} = {right}"],
    check="The share of the other words is 1 less this.",
    terms=["vocabulary", "token"],
    tokens="{wrong} divides by the tokens, not by the words.",
    whole="{wrong} is the share of all other words.",
    per_word="{wrong} is tokens per word.",
)
def pieces(facts: Facts) -> Drawn | None:
    """Share of words that fall into many pieces."""
    fit = facts.at("tokenizer.fits[0]")
    if not fit or not fit["num_words"] or not fit["num_tokens"]:
        return None
    split, words = fit["num_split_words"], fit["num_words"]
    wrong = {"tokens": split / fit["num_tokens"], "whole": 1 - split / words, "per_word": fit["num_tokens"] / words}
    return Drawn(split / words, wrong, {"split": split, "words": words, "name": fit["name"]})


@template(
    "tokenizer.marker",
    EASY,
    ask="The vocabulary of this run is of kind {kind}. In a trace of one of its texts stands a token like “{token}”. What "
    "does that mean?",
    hint="Markers tell how a token joins the one before it.",
    steps=["Of {kind}, “{token}” means: {right}"],
    check="Traces of pretune spell it out below the tokens.",
    terms=["marker", "token"],
    space="Of {kind} a space is written in another way.",
    continues="A word that continues is written in another way by {kind}.",
    unknown="What the vocabulary does not have becomes a token of its own, such as [UNK].",
    special="Special tokens stand in brackets, such as [CLS].",
    spelled="It is not in the text: the tokenizer adds it.",
)
def marker(facts: Facts) -> Drawn | None:
    """What a marker means, by the kind of the vocabulary."""
    kind = facts.at("tokenizer.kind")
    if kind not in EXAMPLES:
        return None
    token = EXAMPLES[kind]
    meaning = explain_token(token)
    options = {
        "continues": (meaning == explain_token("##x"), "It continues the word before it, without a space."),
        "space": (meaning == explain_token("Ġx"), "It begins a new word: a space comes before it."),
        "unknown": (False, "The vocabulary does not have this word."),
        "special": (False, "It is a special token that stands for no text."),
        "spelled": (False, "The text has this sign in this place."),
    }
    return choose(facts, options, kind=kind, token=token)


TOKENIZER = (per_text, padding, cut, next_length, bytes_per_token, pieces, marker)
