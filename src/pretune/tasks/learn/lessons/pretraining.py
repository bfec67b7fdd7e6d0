"""What pre-training learns: a tiny language model from nothing, watched by its guesses."""

from math import exp, log
from pathlib import Path

from pretune.configs import PretrainConfig, PretrainRunConfig
from pretune.records import Milestone, RunRecord
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template
from pretune.run.trace import Trace
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson
from pretune.wording.tokens import show_tokens

CORPUS = "wikitext-2"
# Fixed, so that everybody sees the same milestones; about three minutes on two cores.
TOKENS, VOCABULARY, NUM_MILESTONES = 1_200_000, 4_096, 8
NOTE = "the three likeliest guesses; a loss is in nats per hidden token"
WATCHED = ("the sun rises in the [MASK]", "he was born in the city of [MASK]", "the [MASK] was released in 2009")


def pretrain(lab: Lab) -> Found:
    """Train from random weights, and keep what was guessed at every milestone."""
    return _found(pretrain_wikipedia(lab.folder / "run", lab.trace), lab.folder / "run")


def pretrain_wikipedia(place: Path, trace: Trace) -> RunRecord:
    """Train the model of this lesson into a folder, where it is not there."""
    shape = PretrainConfig(size="tiny", vocab_size=VOCABULARY, num_milestones=NUM_MILESTONES)
    return pretrain_in(place, CORPUS, PretrainRunConfig(pretrain=shape, tokens=TOKENS, watch=WATCHED), trace)


def pretrain_in(place: Path, corpus: str, config: PretrainRunConfig, trace: Trace) -> RunRecord:
    """Pre-train into a folder; one that was cut off there is resumed, and one that is done is read.

    Args:
        place: The run folder.
        corpus: Name of the catalogue, or a file.
        config: How.
        trace: Hears of progress.
    """
    from pretune.run import RunFolder, claim_folder, identity_of
    from pretune.run.job import Job, inputs_of
    from pretune.tasks.pretrain import pretrain as train

    inputs, known = inputs_of("pretrain", corpus, config), RunFolder(place)
    is_of_others = False  # of an earlier release, with other settings: it is replaced
    if known.is_begun:
        record = known.read_record()
        is_of_others = record.identity != identity_of(inputs)
        if record.status == "pretrained" and not is_of_others:
            return record
    folder = claim_folder(place.name, inputs, named=place, overwrite=is_of_others, done="pretrained")
    return train(Job(source=corpus, config=config, folder=folder, trace=trace, command="pretrain", inputs=inputs))


def _found(record: RunRecord, place: Path) -> Found:
    history = record.pretraining
    milestones = () if history is None else history.milestones
    fair = [item for item in milestones if not item.task]  # the others predicted next words, without guesses
    first, last = fair[0], fair[-1]
    facts = {
        "vocabulary": VOCABULARY,
        "first_loss": first.loss,
        "last_loss": last.loss,
        "first_share": first.accuracy,
        "last_share": last.accuracy,
        "chance_loss": log(VOCABULARY),
        "num_tokens": last.num_tokens,
        "run": str(place),
        "losses": [item.loss for item in fair],
        "first_guess": guessed(first, 0, 1),
    }
    rows = tuple(
        (f"{item.num_tokens:,}", f"{item.loss:.2f}", *(guessed(item, place, 3) for place in range(len(WATCHED))))
        for item in fair
    )
    columns = ("tokens read", "held-out loss", *WATCHED)
    return Found(facts=facts, tables=(Table(title="Guesses while it learns", columns=columns, rows=rows, note=NOTE),))


def guessed(milestone: Milestone, place: int, number: int) -> str:
    """Return the likeliest guesses for one of the sentences that are watched."""
    guesses = milestone.guesses[place].guesses[:number] if len(milestone.guesses) > place else ()
    return " · ".join(show_tokens([item.token for item in guesses]))


@template(
    "pretraining.learn_chance",
    MEDIUM,
    ask="The vocabulary has {vocabulary} tokens. A model that gives all of them the same probability has which loss, in nats?",
    hint="The loss is minus the natural logarithm of the probability of the hidden token.",
    steps=["probability of each: 1 ÷ {vocabulary}", "−ln(1 ÷ {vocabulary}) = ln({vocabulary}) = {right}"],
    check="e to the power of {right} is {vocabulary}.",
    terms=["loss", "perplexity"],
    bits="{wrong} are bits: a logarithm to base 2.",
    share="{wrong} is the probability, not its logarithm.",
    half="{wrong} is half of it.",
)
def chance(facts: Facts) -> Drawn | None:
    """The loss of knowing nothing."""
    size = facts.at("vocabulary")
    if size is None:
        return None
    return Drawn(log(size), {"bits": log(size) / log(2), "share": 1 / size, "half": log(size) / 2}, {"vocabulary": size})


@template(
    "pretraining.learn_perplexity",
    MEDIUM,
    ask="At the end the loss is {loss} nats. Among how many equally likely tokens would a guess be as hard?",
    hint="That number is the perplexity: e to the power of the loss.",
    steps=["e^{loss} = {right}"],
    check="ln({right}) = {loss}.",
    terms=["perplexity"],
    two="{wrong} is 2 to the power of the loss: that is for bits.",
    loss="{wrong} is the loss itself, times ten.",
    size="{wrong} is the size of the vocabulary: that would be knowing nothing.",
)
def perplexity(facts: Facts) -> Drawn | None:
    """What a loss means."""
    loss, size = facts.at("last_loss"), facts.at("vocabulary")
    if loss is None:
        return None
    return Drawn(exp(loss), {"two": 2.0**loss, "loss": 10 * loss, "size": float(size)}, {"loss": loss}, digits=1)


@template(
    "pretraining.learn_first",
    HARD,
    ask="Early on the model guesses “{guess}” nearly everywhere. Why?",
    hint="What lowers the loss most if you know nothing about the sentence?",
    steps=["without knowing the sentence the best guess is how often each token occurs", "so: {right}"],
    check="Look at the first row of the table: the guesses are the same in different sentences.",
    terms=["loss", "token"],
    understood="It has not understood the sentence: the guess is the same in every sentence.",
    memory="It has not stored sentences: there are far more of them than it could have seen so often.",
    alphabet="Tokens have no order that it would follow.",
)
def first(facts: Facts) -> Drawn | None:
    """Why frequent tokens come first."""
    guess, losses = facts.at("first_guess"), facts.at("losses")
    if not guess or not losses:
        return None
    options = {
        "frequent": (
            losses[-1] < losses[0],
            "it is a frequent token, and frequencies are the first thing that lowers the loss",
        ),
        "understood": (False, "it has understood the sentence, and this is the word that fits"),
        "memory": (False, "it remembers a sentence in which this word stood"),
        "alphabet": (False, "it is the first token of the vocabulary"),
    }
    return choose(facts, options, guess=guess)


PRETRAINING = read_lesson("pretraining", work=(pretrain,), questions=(chance, perplexity, first))
