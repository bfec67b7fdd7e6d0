"""Domain adaptation: the first lesson's model goes on with film dialogue, and what it forgets of Wikipedia."""

from math import exp
from typing import Any

from pretune.configs import PretrainConfig, PretrainRunConfig
from pretune.records import RunRecord
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson
from pretune.tasks.learn.lessons.pretraining import CORPUS, guessed, pretrain_in, pretrain_wikipedia
from pretune.tasks.learn.progress import lesson_folder

DOMAIN = "movie-dialogs"
TOKENS, NUM_MILESTONES = 500_000, 3
WATCHED = ("i love [MASK].", "what are you [MASK] here?", "he was born in the city of [MASK]")
FORGOT = 0.02  # nats by which the loss on general text must rise before the lesson speaks of forgetting


def adapt(lab: Lab) -> Found:
    """Go on with dialogue from the first lesson's model, which is trained where it is not there."""
    source = lesson_folder("pretraining") / "run"
    pretrain_wikipedia(source, lab.trace)
    shape = PretrainConfig(num_milestones=NUM_MILESTONES)
    config = PretrainRunConfig(model=str(source), general=CORPUS, tokens=TOKENS, watch=WATCHED, pretrain=shape)
    return _found(pretrain_in(lab.folder / "run", DOMAIN, config, lab.trace))


def _found(record: RunRecord) -> Found:
    history = record.pretraining
    fair = [item for item in history.milestones if not item.task] if history is not None else []
    first = next(item for item in fair if item.general_loss is not None)
    last = fair[-1]
    facts: dict[str, Any] = {
        "domain_before": first.loss,
        "domain_after": last.loss,
        "general_before": first.general_loss,
        "general_after": last.general_loss,
    }
    forgotten = (last.general_loss or 0.0) - (first.general_loss or 0.0)
    gained = first.loss - last.loss
    facts["verdict"] = f"It gained {gained:.3f} nats on dialogue, and " + (
        f"{forgotten:.3f} nats of Wikipedia are forgotten." if forgotten > FORGOT else "nothing of Wikipedia is forgotten."
    )
    rows = [("loss on dialogue", f"{first.loss:.3f}", f"{last.loss:.3f}")]
    rows.append(("loss on Wikipedia", f"{first.general_loss:.3f}", f"{last.general_loss:.3f}"))
    rows += [(text, guessed(first, place, 3), guessed(last, place, 3)) for place, text in enumerate(WATCHED)]
    table = Table(title="Before and after", columns=("", "before", "after"), rows=tuple(rows))
    return Found(facts=facts, tables=(table,))


@template(
    "pretraining.learn_domain_gain",
    MEDIUM,
    ask="On dialogue the loss fell from {before} to {after} nats. What is the perplexity now, as a share of what it was?",
    hint="Perplexity is e to the power of the loss; divide the new one by the old one.",
    steps=["{before} − {after} = {gained} nats", "e^−{gained} = {right}"],
    check="{right} × the old perplexity is the new one.",
    terms=["perplexity"],
    losses="{wrong} divides the losses.",
    turned="{wrong} divides the old one by the new one.",
    gained="{wrong} is the difference in nats.",
)
def domain_gain(facts: Facts) -> Drawn | None:
    """What a fall of the loss is in perplexity."""
    before, after = facts.at("domain_before"), facts.at("domain_after")
    if before is None or after is None or after >= before:
        return None
    wrong = {"losses": after / before, "turned": exp(before - after), "gained": before - after}
    return Drawn(exp(after - before), wrong, {"before": before, "after": after, "gained": before - after})


@template(
    "pretraining.learn_forgotten",
    EASY,
    ask="How many nats a token were forgotten of Wikipedia? (Below 0 if it got better.)",
    hint="The loss on Wikipedia after, less the loss before.",
    steps=["{after} − {before} = {right}"],
    check="A loss that rises is worse.",
    terms=["forgetting"],
    turned="{wrong} takes them the other way round.",
    domain="{wrong} is the change on dialogue.",
    both="{wrong} compares Wikipedia with dialogue.",
)
def forgotten(facts: Facts) -> Drawn | None:
    """What was forgotten."""
    held = {name: facts.at(name) for name in ("general_before", "general_after", "domain_before", "domain_after")}
    if None in held.values():
        return None
    before, after = held["general_before"], held["general_after"]
    wrong = {
        "turned": before - after,
        "domain": held["domain_after"] - held["domain_before"],
        "both": after - held["domain_after"],
    }
    return Drawn(after - before, wrong, {"before": before, "after": after})


@template(
    "pretraining.learn_was_it_worth",
    HARD,
    ask="The loss on dialogue went from {domain_before} to {domain_after}. What does that prove about a classifier of dialogue "
    "that you fine-tune from this model?",
    hint="What was measured, and what would have to be?",
    steps=["a loss on raw text was measured, no task", "so: {right}"],
    check="`--prove-pretraining` makes the same fine-tuning from both weights, and compares in pairs.",
    terms=["domain adaptation"],
    better="A lower loss on raw text often helps a task, and often does not.",
    share="Nats of guessing words are no points of accuracy.",
    worse="Forgetting Wikipedia need not harm a task about dialogue.",
)
def was_it_worth(facts: Facts) -> Drawn | None:
    """A loss is no task."""
    before, after = facts.at("domain_before"), facts.at("domain_after")
    if before is None or after is None:
        return None
    options = {
        "nothing": (True, "nothing yet: fine-tune from both models and compare on the same rows"),
        "better": (False, "it will be better, since the model knows dialogue now"),
        "share": (False, f"its accuracy will rise by about {abs(before - after):.2f}"),
        "worse": (False, "it will be worse, since Wikipedia was forgotten"),
    }
    return choose(facts, options, domain_before=before, domain_after=after)


DOMAIN_LESSON = read_lesson("domain", work=(adapt,), questions=(domain_gain, forgotten, was_it_worth))
