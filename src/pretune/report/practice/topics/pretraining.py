"""Questions about pre-training: what the losses on held-out text say."""

from math import exp, log

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template


@template(
    "pretraining.perplexity",
    MEDIUM,
    ask="After {tokens} tokens the loss on held-out text is {loss} nats per target. What is the perplexity?",
    hint="Perplexity undoes the logarithm that is in the loss.",
    steps=["perplexity = e to the power of the loss", "e^{loss} = {right}"],
    check="Its natural logarithm is the loss again: ln {right} = {loss}.",
    terms=["perplexity", "loss"],
    bits="{wrong} is 2 to the power of the loss: nats are to base e.",
    chance="{wrong} is the probability that such a loss means, not the perplexity.",
    square="{wrong} squares the loss.",
    loss="{wrong} is the loss itself.",
)
def perplexity(facts: Facts) -> Drawn | None:
    """Perplexity of one milestone."""
    place = _place(facts)
    if place is None:
        return None
    milestone = facts.at(f"pretraining.milestones[{place}]")
    loss = milestone["loss"]
    wrong = {"bits": 2.0**loss, "chance": exp(-loss), "square": loss**2, "loss": loss}
    return Drawn(exp(loss), wrong, {"tokens": milestone["num_tokens"], "loss": loss}, digits=1 if loss > 3 else 2)


@template(
    "pretraining.guessing",
    MEDIUM,
    ask="The vocabulary has {size} tokens. Which loss, in nats per target, has a model that thinks all of them equally likely?",
    hint="It gives the right token the probability 1 ÷ {size}, and the loss is the negative logarithm of that.",
    steps=["−ln(1 ÷ {size}) = ln {size} = {right}"],
    check="e^{right} is {size} again, but for rounding. A loss above it is worse than knowing nothing.",
    terms=["loss", "vocabulary", "perplexity"],
    bits="{wrong} is the logarithm to base 2: bits, not nats.",
    digits="{wrong} is the logarithm to base 10.",
    chance="{wrong} is the probability of the right token, not the loss.",
)
def guessing(facts: Facts) -> Drawn | None:
    """The loss of a model that knows nothing."""
    size = facts.at("tokenizer.vocab_size")
    if not size or not facts.at("pretraining.milestones[0]"):
        return None
    return Drawn(log(size), {"bits": log(size, 2), "digits": log(size, 10), "chance": 1 / size}, {"size": size}, digits=2)


@template(
    "pretraining.fall",
    MEDIUM,
    ask="The loss on held-out text is {first} at step {start} and {last} at step {end}. By what share of the first has it "
    "changed? (A fall is a positive share.)",
    hint="How much less is it, compared with what it was?",
    steps=["{first} − {last} = {fall}", "{fall} ÷ {first} = {right}"],
    check="{first} × (1 − {right}) = {last}, but for rounding.",
    terms=["milestone", "loss"],
    absolute="{wrong} is the fall in nats, not a share.",
    of_last="{wrong} divides by the last loss.",
    left="{wrong} is the share that remains.",
)
def fall(facts: Facts) -> Drawn | None:
    """By what share the held-out loss fell."""
    milestones = facts.at("pretraining.milestones")
    if not milestones or len(milestones) < 2 or milestones[0]["task"] != milestones[-1]["task"]:
        return None
    first, last = milestones[0], milestones[-1]
    drop = first["loss"] - last["loss"]
    wrong = {"absolute": drop, "of_last": drop / last["loss"], "left": last["loss"] / first["loss"]}
    given = {"first": first["loss"], "last": last["loss"], "start": first["step"], "end": last["step"], "fall": drop}
    return Drawn(drop / first["loss"], wrong, given)


@template(
    "pretraining.probability",
    MEDIUM,
    ask="A held-out loss of {loss} nats per target: which probability does the model give to the right token, as a "
    "geometric mean?",
    hint="The loss is the mean of −ln(probability).",
    steps=["e to the power of −{loss} = {right}"],
    check="−ln {right} = {loss}. It is no accuracy: {accuracy} of the tokens are guessed right.",
    terms=["loss", "target"],
    accuracy="{wrong} is the accuracy: how often the right token comes first.",
    rest="{wrong} is 1 less it.",
    perplexity="{wrong} is the perplexity, its reciprocal.",
    linear="{wrong} takes the reciprocal of the loss.",
)
def probability(facts: Facts) -> Drawn | None:
    """The geometric mean of the probabilities of right tokens."""
    place = _place(facts)
    if place is None:
        return None
    milestone = facts.at(f"pretraining.milestones[{place}]")
    loss = milestone["loss"]
    wrong = {"accuracy": milestone["accuracy"], "rest": 1 - exp(-loss), "perplexity": exp(loss), "linear": 1 / loss}
    return Drawn(exp(-loss), wrong, {"loss": loss, "accuracy": milestone["accuracy"]})


@template(
    "pretraining.targets",
    MEDIUM,
    ask="Training read {tokens} tokens, and the loss counted {targets} targets. What share of the tokens did the model "
    "learn to predict?",
    hint="A masked model predicts the hidden words only, a causal one each next word.",
    steps=["{targets} ÷ {tokens} = {right}"],
    check="The objective is {objective}.",
    terms=["target", "masked objective", "causal objective"],
    rest="{wrong} is the share that was only read.",
    upside_down="{wrong} is tokens per target.",
    accuracy="{wrong} is how many of the targets are guessed right in the end.",
)
def targets(facts: Facts) -> Drawn | None:
    """Share of the tokens that the loss counted."""
    history = facts.at("pretraining")
    if not history or not history["num_targets"] or not history["num_tokens"] or not history["milestones"]:
        return None
    num, tokens = history["num_targets"], history["num_tokens"]
    if num > tokens:
        return None
    wrong = {"rest": 1 - num / tokens, "upside_down": tokens / num, "accuracy": history["milestones"][-1]["accuracy"]}
    return Drawn(num / tokens, wrong, {"tokens": tokens, "targets": num, "objective": history["objective"]})


@template(
    "pretraining.predicts",
    EASY,
    ask="The record says: objective {objective}. Of the words “the sun rises”, what did this pre-training learn to predict?",
    hint="Which words may the model see when it guesses?",
    steps=["objective {objective}", "So: {right}"],
    check="`pretune trace RUN --mask …` shows its guesses: at [MASK], or for the next word.",
    terms=["masked objective", "causal objective"],
    masked="A causal model sees no word to the right of the one it predicts.",
    causal="A masked model sees the words on both sides.",
    label="Raw text has no labels.",
    order="All words keep their places.",
    whole="A model reads the text; what it predicts are single tokens.",
)
def predicts(facts: Facts) -> Drawn | None:
    """What the objective predicts."""
    objective = facts.at("pretraining.objective")
    options = {
        "masked": (objective == "masked", "A hidden “sun”, from “the” and “rises” on its two sides."),
        "causal": (objective == "causal", "“rises”, from “the sun” before it."),
        "label": (False, "Whether the sentence is good or bad."),
        "order": (False, "In which order the three words belong."),
        "whole": (False, "The whole sentence at once, from its title."),
    }
    return choose(facts, options, objective=objective) if objective else None


@template(
    "pretraining.next",
    HARD,
    ask="At the last milestone the run says: {observation}. Training loss {training}, held-out loss {loss}. What comes next?",
    hint="The held-out loss tells whether more training helps; the training loss alone cannot.",
    steps=["“{observation}” at the last milestone.", "So: {right}"],
    check="`pretune trace` and the timeline of the report show what the model learned since.",
    terms=["milestone", "overfitting", "learning rate"],
    longer="The held-out loss no longer falls as it did, so more of the same brings little.",
    text="It does not overfit: the held-out loss has not turned.",
    lower="It does not diverge.",
    use="It is not done: the held-out loss is still moving.",
    higher="It did learn: the losses have moved.",
)
def next_pretraining(facts: Facts) -> Drawn | None:
    """What to do next, by the words of the last milestone."""
    last = facts.at("pretraining.milestones[-1]")
    if not last or not last["observation"]:
        return None
    words = last["observation"].rpartition(": ")[2]
    options = {
        "longer": (words == "learning", "Train longer: a larger --budget or more --epochs."),
        "text": (words.startswith("overfitting"), "Find more text, or train for fewer epochs: the text is learned by heart."),
        "lower": (words == "diverging", "Lower the learning rate, and start again."),
        "use": (words == "converging", "Stop here, and fine-tune it on the task."),
        "higher": (words == "not learning", "Look for what keeps it from learning: raise the learning rate, read the texts."),
    }
    given = {"observation": last["observation"], "training": last["training_loss"], "loss": last["loss"]}
    return choose(facts, options, **given)


@template(
    "pretraining.speed",
    MEDIUM,
    ask="{tokens} tokens were seen in {steps} steps. How many tokens does one step read on average?",
    hint="Tokens seen are counted in all epochs.",
    steps=["{tokens} ÷ {steps} = {right}"],
    check="{right} × {steps} = {tokens}, but for rounding.",
    terms=["step", "token", "window"],
    upside_down="{wrong} is steps per token.",
    a_second="{wrong} is tokens per second.",
    vocabulary="{wrong} is the size of the vocabulary.",
)
def speed(facts: Facts) -> Drawn | None:
    """Tokens of one step."""
    last = facts.at("pretraining.milestones[-1]")
    if not last or not last["step"]:
        return None
    tokens, steps = last["num_tokens"], last["step"]
    size = facts.at("tokenizer.vocab_size")
    wrong = {"upside_down": steps / tokens, "a_second": last["tokens_per_second"], "vocabulary": float(size) if size else None}
    return Drawn(tokens / steps, wrong, {"tokens": tokens, "steps": steps}, digits=1)


def _place(facts: Facts) -> int | None:
    """Draw one milestone that has a loss."""
    milestones = (facts.json["pretraining"] or {}).get("milestones") or ()
    places = [place for place, item in enumerate(milestones) if item["loss"]]
    return facts.pick(places) if places else None


PRETRAINING = (perplexity, guessing, fall, probability, targets, predicts, next_pretraining, speed)
