"""Questions of the overfitting lesson, about what its runs came to."""

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

SIGNIFICANT = 0.05
MISTAKES = ("training", "epochs", "weights", "gap")  # of ``which``


@template(
    "diagnosis.learn_gap",
    EASY,
    ask="Training accuracy is {training}, validation accuracy {validation}. How large is the gap?",
    hint="It is the difference of the two.",
    steps=["{training} − {validation} = {right}"],
    check="`pretune explain overfitting` says what it means; pretune warns from 0.10 on.",
    terms=["overfitting"],
    ratio="{wrong} is the ratio of the two.",
    errors="{wrong} is the share of mistakes on validation: the gap also counts what it gets wrong in training.",
    turned="{wrong} takes them the other way round.",
)
def gap(facts: Facts) -> Drawn | None:
    """The gap of the run that goes wrong."""
    training, validation = facts.at("over_training"), facts.at("over_validation")
    if training is None or validation is None:
        return None
    wrong = {"ratio": validation / training, "errors": 1 - validation, "turned": validation - training}
    return Drawn(training - validation, wrong, {"training": training, "validation": validation})


@template(
    "finetuning.learn_new_texts",
    EASY,
    ask="A visitor sends 1,000 new sentences of the same kind. About how many will this model get right?",
    hint="Which of the two accuracies was measured on sentences that it had not learned from?",
    steps=["validation accuracy is {validation}", "1,000 × {validation} = {right}"],
    check="Only validation says something about new sentences; the training rows are known by heart.",
    terms=["validation"],
    training="{wrong} takes training accuracy: those are sentences that it knows.",
    mean="{wrong} takes the mean of the two.",
    gap="{wrong} takes the gap.",
)
def new_texts(facts: Facts) -> Drawn | None:
    """What validation accuracy means."""
    training, validation = facts.at("over_training"), facts.at("over_validation")
    if training is None or validation is None:
        return None
    wrong = {
        "training": round(1000 * training),
        "mean": round(500 * (training + validation)),
        "gap": round(1000 * (training - validation)),
    }
    return Drawn(round(1000 * validation), wrong, {"validation": validation})


@template(
    "diagnosis.learn_cured_gap",
    MEDIUM,
    ask="The gap was {over} and is {cured} now. Which share of the gap is gone?",
    hint="Divide what is gone by what was there.",
    steps=["{over} − {cured} = {gone}", "{gone} ÷ {over} = {right}"],
    check="{right} × {over} + {cured} = {over}.",
    terms=["overfitting"],
    left="{wrong} is the share that is left.",
    points="{wrong} is what is gone, in accuracy; not as a share of the gap.",
    turned="{wrong} divides by the gap that is left.",
)
def cured_gap(facts: Facts) -> Drawn | None:
    """How much of the gap is gone."""
    over, cured = facts.at("over_gap"), facts.at("cured_gap")
    if over is None or cured is None or not 0 < cured < over:
        return None
    gone = over - cured
    wrong = {"left": cured / over, "points": gone, "turned": gone / cured}
    return Drawn(gone / over, wrong, {"over": over, "cured": cured, "gone": gone})


@template(
    "finetuning.learn_which",
    HARD,
    ask="Which of the two models would you take for new sentences, and why?",
    hint="What is new to both of them?",
    steps=[
        "validation accuracy: {over_validation} against {cured_validation}; training accuracy does not count",
        "validation loss: {over_loss} against {cured_loss}",
        "so: {right}",
    ],
    check="Only figures on rows that took no part in training compare models.",
    terms=["overfitting", "validation", "loss"],
    training="Training accuracy says how well the rows are known, not how well new ones are answered.",
    epochs="More epochs are no merit: after the best one they only teach the rows by heart.",
    weights="How many weights were trained is no measure of quality.",
    gap="A small gap alone is no merit: a model that guesses has none.",
)
def which(facts: Facts) -> Drawn | None:
    """Which model to take."""
    names = ("over_validation", "cured_validation", "over_loss", "cured_loss")
    held = {name: facts.at(name) for name in names}
    if None in held.values():
        return None
    is_better = held["cured_validation"] >= held["over_validation"]
    is_calmer = held["cured_loss"] < held["over_loss"]
    options = {
        "both": (is_better and is_calmer, "the cured one: on validation it is at least as often right, and its loss is lower"),
        "loss": (
            not is_better and is_calmer,
            "it depends: the first is right a little more often, the cured one has the lower loss, so better probabilities",
        ),
        "first": (not is_calmer, "the one with the lower validation loss, which is the first"),
        "training": (False, "the first: its training accuracy is higher"),
        "epochs": (False, "the first: it was trained for longer"),
        "weights": (False, "the one of which more weights were trained"),
        "gap": (False, "the one with the smaller gap, whatever its validation accuracy"),
    }
    return choose(facts, {name: item for name, item in options.items() if item[0] or name in MISTAKES}, **held)


@template(
    "evaluation.learn_paired",
    HARD,
    ask="With its last {layers} layers free, the p value is {p_value}. What follows?",
    hint="A p value is how often chance alone would show a difference this large if there were none.",
    steps=["{p_value} is {compared} than 0.05", "so: {right}"],
    check="The 95 % interval of the change tells the same: does it hold 0?",
    terms=["p value", "paired test"],
    surely="A p value is not the probability that a model is better.",
    equal="A large p value does not prove that two models are equal: a small difference may be there and not seen.",
    always="Whether a difference can be shown depends on the rows, not on how many layers were free.",
    accuracy="The change alone says nothing: how many rows stand behind it decides.",
)
def paired(facts: Facts) -> Drawn | None:
    """What a p value says."""
    p_value, change = facts.at("p_value_2"), facts.at("difference_2")
    if p_value is None or change is None:
        return None
    is_shown = p_value < SIGNIFICANT
    options = {
        "none": (not is_shown, "no difference can be shown; the simpler model will do"),
        "gain": (is_shown and change > 0, "the further step is better, as far as these rows tell"),
        "loss": (is_shown and change < 0, "the further step is worse, as far as these rows tell"),
        "surely": (False, "the further step is better with a probability of 1 − p"),
        "equal": (False, "both models are proven to be equal"),
        "always": (False, "three layers must be better than two"),
        "accuracy": (False, "whichever has the higher accuracy is better, whatever p is"),
    }
    kept = {name: item for name, item in options.items() if item[0] or name in ("surely", "equal", "always", "accuracy")}
    compared = "less" if is_shown else "not less"
    return choose(facts, kept, layers=2, p_value=f"{p_value:.2g}", compared=compared)
