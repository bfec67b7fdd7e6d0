"""Fine-tuning: the same network from pre-trained and from random weights, beside what needs no network."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson
from pretune.tasks.learn.reviews import clear_reviews
from pretune.tasks.learn.tries import MODEL, make_try, num_right, validated

if TYPE_CHECKING:
    from pretune.data.seal.seal import TrainingData
    from pretune.records import Predictions

NUM_TRAIN, NUM_VALIDATION = 800, 500
SETTINGS = {"freeze": "none", "epochs": "2", "lr": "1e-4"}
SIGNIFICANT = 0.05
NAMES = {
    "majority": "the commoner class of training",
    "linear": "word counts",
    "random": "network, random weights",
    "pretrained": "network, pre-trained weights",
}


def count_rows(_lab: Lab) -> Found:
    """Count the rows of the lesson."""
    return Found(facts={"num_rows": len(_rows().train)})


def train_three(lab: Lab) -> Found:
    """Train on the same rows from three starts, and compare on the same validation rows."""
    from pretune.evaluate.baselines import fit_linear, majority
    from pretune.evaluate.compare import compare
    from pretune.tasks.classify.prove import write_random

    data = _rows()
    write_random(MODEL, lab.folder / "random", 0)
    answers: dict[str, Predictions] = {
        "majority": majority([str(row.label) for row in data.train], data.validation, split="validation", classes=data.classes),
        "linear": fit_linear(data.train).predict(data.validation, split="validation", classes=data.classes),
    }
    seconds = dict.fromkeys(answers, 0.0)
    starts: dict[str, str | Path] = {"random": lab.folder / "random", "pretrained": MODEL}
    for name, model in starts.items():
        lab.trace.note(f"now: {NAMES[name]}")
        made, classifier = make_try(name, SETTINGS, data, lab.trace, model=model)
        answers[name], seconds[name] = replace(validated(classifier, data), source=name), made.seconds
    found = compare(answers["pretrained"], answers["random"])
    shares = {name: num_right(item) / len(item.labels) for name, item in answers.items()}
    rows = tuple((NAMES[name], f"{share:.3f}", f"{seconds[name]:.0f}") for name, share in shares.items())
    verdict = f"The difference of the networks is {found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f})"
    verdict += ", more than chance explains." if found.p_value < SIGNIFICANT else ", which chance may explain."
    accuracies = {f"{name}_accuracy": share for name, share in shares.items()}
    facts = {**accuracies, "verdict": verdict, "num_held": len(data.validation)}
    return Found(facts=facts, tables=(Table(title="The same rows", columns=("", "validation accuracy", "seconds"), rows=rows),))


def _rows() -> "TrainingData":
    data = clear_reviews()
    return replace(data, train=data.train[:NUM_TRAIN], validation=data.validation[:NUM_VALIDATION])


@template(
    "finetuning.learn_gain",
    EASY,
    ask="How much validation accuracy do pre-trained weights bring, compared with random ones?",
    hint="The difference of the two networks.",
    steps=["{pretrained} − {random} = {right}"],
    check="Layers, rows, rate and epochs are the same for both.",
    terms=["pre-training"],
    linear="{wrong} compares with word counts.",
    majority="{wrong} compares with always naming one class.",
    turned="{wrong} takes them the other way round.",
)
def gain(facts: Facts) -> Drawn | None:
    """What pre-trained weights bring."""
    held = {name: facts.at(f"{name}_accuracy") for name in NAMES}
    if None in held.values():
        return None
    best = held["pretrained"]
    wrong = {"linear": best - held["linear"], "majority": best - held["majority"], "turned": held["random"] - best}
    return Drawn(best - held["random"], wrong, held)


@template(
    "finetuning.learn_mistakes",
    MEDIUM,
    ask="Of the {rows} validation sentences, how many does the pre-trained network get wrong?",
    hint="The share of mistakes is 1 − accuracy.",
    steps=["1 − {pretrained} = {errors}", "{errors} × {rows} = {right}"],
    check="{right} ÷ {rows} = {errors}.",
    terms=["accuracy"],
    correct="{wrong} are right.",
    random="{wrong} are wrong with random weights.",
    linear="{wrong} are wrong by word counts.",
)
def mistakes(facts: Facts) -> Drawn | None:
    """From a share to rows."""
    held, rows = {name: facts.at(f"{name}_accuracy") for name in NAMES}, facts.at("num_held")
    if None in held.values() or rows is None:
        return None
    wrong = {
        "correct": round(rows * held["pretrained"]),
        "random": round(rows * (1 - held["random"])),
        "linear": round(rows * (1 - held["linear"])),
    }
    errors = 1 - held["pretrained"]
    return Drawn(round(rows * errors), wrong, {"rows": rows, "pretrained": held["pretrained"], "errors": errors})


@template(
    "finetuning.learn_why",
    HARD,
    ask="With random weights the network has {random}, with pre-trained ones {pretrained}; word counts have {linear}. Why?",
    hint="What do the two networks share, and in what do they differ?",
    steps=[
        "same layers, rows, rate and epochs",
        "only the weights at the start differ: {random} against {pretrained}",
        "so: {right}",
    ],
    check="A random network with a thousand times as many labelled rows would catch up.",
    terms=["pre-training", "fine-tuning"],
    layers="Both networks have the same layers.",
    epochs="Both networks had the same epochs; a few more would not teach words.",
    labels="Pre-training saw no label.",
    head="Both heads are new.",
)
def why(facts: Facts) -> Drawn | None:
    """Why random weights lose."""
    held = {name: facts.at(f"{name}_accuracy") for name in NAMES}
    if None in held.values():
        return None
    options = {
        "knows": (held["pretrained"] > held["random"], "what the weights knew of words before the first labelled row decides"),
        "layers": (False, "the pre-trained network has more layers"),
        "epochs": (False, "the pre-trained network was trained for more epochs on these rows"),
        "labels": (False, "pre-training had seen the labels of these sentences"),
        "head": (False, "the pre-trained network came with a head that knows sentiment"),
    }
    return choose(facts, options, **held)


FINETUNING = read_lesson("finetuning", work=(count_rows, train_three), questions=(gain, mistakes, why))
