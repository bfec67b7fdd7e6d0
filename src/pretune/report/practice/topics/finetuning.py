"""Questions about fine-tuning: epochs, rates, losses, and what to change."""

from math import ceil, exp, log

from pretune.report.practice.facts import Facts, Json
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

MAX_EPOCHS_SHOWN = 8
WELL_BELOW = 0.8  # of the loss of knowing nothing: a first loss below it knows something


@template(
    "finetuning.steps",
    MEDIUM,
    ask="{rows} training rows in batches of {batch} rows: how many updates has one epoch?",
    hint="The last batch may be smaller, and is an update all the same.",
    steps=["{rows} ÷ {batch}, rounded up: {right}"],
    check="The first epoch of the history ends with update number {right}.",
    terms=["epoch", "step", "batch"],
    all="{wrong} are the updates of the whole training.",
    rows="{wrong} are the rows: each batch is one update, not each row.",
    batch="{wrong} is the size of a batch.",
    validated="{wrong} counts validation rows as well; no weight is fitted to them.",
)
def steps(facts: Facts) -> Drawn | None:
    """Updates of one epoch; asked only where the history agrees."""
    first, batch = facts.at("history.validations[0]"), facts.at("configs.finetune.batch_size")
    rows = facts.rows("train")
    if not (first and batch and rows) or ceil(rows / batch) != first["step"] + 1 or first["epoch"] != 1:
        return None
    done = len(facts.json["history"]["steps"])
    wrong = {"all": done, "rows": rows, "batch": batch, "validated": ceil((rows + facts.rows("validation")) / batch)}
    return Drawn(ceil(rows / batch), wrong, {"rows": rows, "batch": batch})


@template(
    "finetuning.gap",
    MEDIUM,
    ask="After epoch {epoch} accuracy is {training} in training and {validation} on validation. How large is the gap?",
    hint="By how much is the model better on what it learned from?",
    steps=["{training} − {validation} = {right}"],
    check="{validation} + {right} = {training}. A large gap says that rows were learned by heart.",
    terms=["overfitting", "validation"],
    ratio="{wrong} is a ratio, not a difference.",
    turned="{wrong} takes them the other way round.",
    mistakes="{wrong} is the share of mistakes on validation.",
    loss="{wrong} is the difference of the losses, which are on another scale.",
)
def gap(facts: Facts) -> Drawn | None:
    """Gap between training and validation."""
    epoch = _epoch(facts, "training_accuracy")
    if epoch is None:
        return None
    training, validation = epoch["training_accuracy"], epoch["accuracy"]
    wrong = {
        "ratio": training / validation if validation else None,
        "turned": validation - training,
        "mistakes": 1 - validation,
        "loss": epoch["loss"] - epoch["training_loss"],
    }
    return Drawn(training - validation, wrong, {"epoch": epoch["epoch"], "training": training, "validation": validation})


@template(
    "finetuning.best_epoch",
    MEDIUM,
    ask="The epochs went like this: {table}. Kept is {rule}. Which epoch is that?",
    hint="Read the figures of validation, unless the last epoch is kept.",
    steps=["The rule: {rule}.", "That is epoch {right}."],
    check="The report marks it with a star: `history.best_epoch` is {right}.",
    terms=["epoch", "early stopping", "validation"],
    last="Epoch {wrong} is the last one, which need not be the best.",
    lowest_loss="Epoch {wrong} has the lowest loss on validation; that does not choose here.",
    training="Epoch {wrong} has the lowest training loss: there, learning by heart looks like progress.",
    first="Epoch {wrong} is the first one.",
)
def best_epoch(facts: Facts) -> Drawn | None:
    """Which epoch is kept; asked only where the figures shown decide it."""
    epochs, best, monitor = facts.at("history.validations"), facts.at("history.best_epoch"), facts.at("history.monitor")
    if not epochs or best is None or not 2 <= len(epochs) <= MAX_EPOCHS_SHOWN:
        return None
    by = {item["epoch"]: item for item in epochs}
    if monitor == "last":
        rule, right = "the last one", max(by)
    elif monitor in ("accuracy", "loss"):
        sign = 1 if monitor == "loss" else -1
        right = min(by, key=lambda epoch: (sign * by[epoch][monitor], by[epoch]["loss"]))
        rule = f"the one with the best {monitor} on validation, of equal ones that with the lowest loss"
    else:
        return None
    if right != best:
        return None
    said = "; ".join(
        f"{item['epoch']}: training loss {item['training_loss']:.3f}, validation loss {item['loss']:.3f}, accuracy "
        f"{item['accuracy']:.3f}"
        for item in epochs
    )
    wrong = {
        "last": max(by),
        "lowest_loss": min(by, key=lambda epoch: by[epoch]["loss"]),
        "training": min(by, key=lambda epoch: by[epoch]["training_loss"]),
        "first": min(by),
    }
    return Drawn(right, wrong, {"table": said, "rule": rule})


@template(
    "finetuning.first_loss",
    EASY,
    ask="Before it has learned anything, a model gives each of {classes} classes the probability 1 ÷ {classes}. Which "
    "loss, in nats, is that?",
    hint="The loss of a row is −ln(probability of its class).",
    steps=["−ln(1 ÷ {classes}) = ln {classes} = {right}"],
    check="The first update of this run had a loss of {first}{why}.",
    terms=["loss"],
    probability="{wrong} is the probability itself.",
    bits="{wrong} is the logarithm to base 2: bits, not nats.",
    rest="{wrong} is the probability of the other classes.",
    count="{wrong} is the number of classes.",
)
def first_loss(facts: Facts) -> Drawn | None:
    """The loss of a model that knows nothing of the classes."""
    classes, first = facts.at("classes"), facts.at("history.steps[0].loss")
    if not classes or len(classes) < 2 or first is None:
        return None
    num = len(classes)
    wrong = {"probability": 1 / num, "bits": log(num, 2), "rest": 1 - 1 / num, "count": float(num)}
    why = ": less, as its head did not begin from nothing" if first < WELL_BELOW * log(num) else ""
    return Drawn(log(num), wrong, {"classes": num, "first": first, "why": why})


@template(
    "finetuning.probability",
    MEDIUM,
    ask="The validation loss after epoch {epoch} is {loss} nats. Which probability does the model give to the right "
    "class, as a geometric mean?",
    hint="The loss is the mean of −ln(probability).",
    steps=["e to the power of −{loss} = {right}"],
    check="−ln {right} = {loss}, but for rounding.",
    terms=["loss", "accuracy"],
    accuracy="{wrong} is the accuracy: how often the right class comes first.",
    rest="{wrong} is 1 less it.",
    less_loss="{wrong} is 1 less the loss; that holds for very small losses only.",
    bits="{wrong} takes the loss for bits.",
)
def probability(facts: Facts) -> Drawn | None:
    """The geometric mean of the probabilities of right classes."""
    epoch = _epoch(facts, "loss")
    if epoch is None:
        return None
    loss = epoch["loss"]
    wrong = {"accuracy": epoch["accuracy"], "rest": 1 - exp(-loss), "less_loss": 1 - loss, "bits": 2.0**-loss}
    return Drawn(exp(-loss), wrong, {"epoch": epoch["epoch"], "loss": loss})


@template(
    "finetuning.trained_share",
    MEDIUM,
    ask="The model has {weights} weights, and {trained} numbers were trained (--freeze {freeze}). What share of the "
    "weights is that?",
    hint="Frozen layers have weights as well.",
    steps=["{trained} ÷ {weights} = {right}"],
    check="It is 1 where all layers are trained, and small where only the head is, or adapters are.",
    terms=["freeze boundary", "trunk", "head"],
    frozen="{wrong} is the share that stays as it was.",
    upside_down="{wrong} divides the other way round.",
    head="{wrong} is no share of this model's weights: it divides by the rows.",
)
def trained_share(facts: Facts) -> Drawn | None:
    """Share of the weights that are trained."""
    weights, trained = facts.at("history.num_weights"), facts.at("history.num_trained_weights")
    rows = facts.rows("train")
    if not weights or not trained:
        return None
    wrong = {"frozen": 1 - trained / weights, "upside_down": weights / trained, "head": trained / rows if rows else None}
    return Drawn(
        trained / weights, wrong, {"weights": weights, "trained": trained, "freeze": facts.at("configs.freeze") or "none"}
    )


@template(
    "finetuning.clipped",
    MEDIUM,
    ask="At step {step} the gradient had a norm of {norm}; the most that is allowed is {limit}. By what was the gradient "
    "multiplied before the update?",
    hint="A gradient that is too long is scaled to the limit; a shorter one stays.",
    steps=["{limit} ÷ {norm} = {ratio}; more than 1 would leave it as it is", "so: {right}"],
    check="{norm} × {right} = {after}, which is not above {limit}.",
    terms=["gradient norm", "step"],
    norm="{wrong} would make it longer still, or shorter than it has to be.",
    difference="{wrong} is the distance from the limit, not a factor.",
    limit="{wrong} would scale without need, or too little.",
    rate="{wrong} is the learning rate, which comes after.",
)
def clipped(facts: Facts) -> Drawn | None:
    """By what a gradient is scaled."""
    steps_made, limit = facts.json["history"] and facts.json["history"]["steps"], facts.at("configs.finetune.max_gradient_norm")
    if not steps_made or not limit:
        return None
    over = [place for place, item in enumerate(steps_made) if (item["gradient_norm"] or 0) > limit]
    made = facts.at(f"history.steps[{facts.pick(over or range(len(steps_made)))}]")
    norm = made["gradient_norm"]
    if not norm:
        return None
    factor = min(1.0, limit / norm)
    wrong = {
        "norm": norm / limit,
        "difference": abs(norm - limit),
        "limit": limit / (norm + limit),
        "rate": made["learning_rate"],
    }
    given = {"step": made["index"], "norm": norm, "limit": float(limit), "ratio": limit / norm, "after": norm * factor}
    return Drawn(factor, wrong, given)


@template(
    "finetuning.rate_left",
    MEDIUM,
    ask="The learning rate reached {peak} at its highest and was {now} at step {step}. What share of the peak is left there?",
    hint="After the warm-up the rate falls, so that late updates move little.",
    steps=["{now} ÷ {peak} = {right}"],
    check="The schedule is {decay}; with “constant” the share stays 1.",
    terms=["learning rate", "warm-up"],
    gone="{wrong} is the share that is gone.",
    upside_down="{wrong} divides the other way round.",
    warmup="{wrong} is the share of the steps that warm up.",
)
def rate_left(facts: Facts) -> Drawn | None:
    """What is left of the rate at some step."""
    made = facts.json["history"] and facts.json["history"]["steps"]
    if not made or len(made) < 10:
        return None
    rates = [item["learning_rate"] for item in made]
    top = max(range(len(rates)), key=rates.__getitem__)
    place = facts.draw.randrange(len(rates) // 4, len(rates) - 1)
    peak, now = facts.at(f"history.steps[{top}].learning_rate"), facts.at(f"history.steps[{place}].learning_rate")
    if not peak or not now:
        return None
    wrong = {"gone": 1 - now / peak, "upside_down": peak / now, "warmup": facts.at("configs.finetune.warmup_share")}
    given = {"peak": f"{peak:.3g}", "now": f"{now:.3g}", "step": made[place]["index"]}
    return Drawn(now / peak, wrong, given | {"decay": facts.at("configs.finetune.decay") or ""}, digits=2)


@template(
    "finetuning.next",
    HARD,
    ask="The last epoch is called “{observation}”: training loss {training}, validation loss {loss}, accuracy "
    "{training_accuracy} in training and {accuracy} on validation. What is worth trying next?",
    hint="Ask first whether training still improves, then whether validation follows.",
    steps=["“{observation}” is computed from the losses of all epochs.", "So: {right}"],
    check="Change one thing, compare on validation, and leave the test sealed.",
    terms=["overfitting", "underfitting", "learning rate", "dropout"],
    longer="The validation loss does not fall any more as it did: further epochs bring little.",
    regularize="Validation has not turned: nothing is learned by heart that would have to be held back.",
    lower="Training does not diverge.",
    raise_rate="It did learn: the losses have moved.",
    judge="It is not at rest: something is still to be changed before the test is opened.",
    peek="The test is for the end: chosen on, it says nothing any more.",
)
def next_training(facts: Facts) -> Drawn | None:
    """What to try next, by the words of the last epoch."""
    last = facts.at("history.validations[-1]")
    if not last or last["observation"] in ("", "first epoch") or last["training_accuracy"] is None:
        return None
    words = last["observation"]
    options = {
        "longer": (words == "learning", "Train for more epochs: validation still improves."),
        "regularize": (
            words.startswith("overfitting"),
            "Stop earlier, or regularize more: dropout, weight decay, frozen layers.",
        ),
        "lower": (words == "diverging", "Lower the learning rate."),
        "raise_rate": (words == "not learning", "Raise the learning rate, or free more layers; then read some rows."),
        "judge": (words == "converging", "Nothing: judge this model."),
        "peek": (False, "Open the test, and see which of the epochs is best there."),
    }
    given = {name: last[name] for name in ("observation", "loss", "accuracy", "training_accuracy")}
    return choose(facts, options, **given, training=last["training_loss"])


def _epoch(facts: Facts, needed: str) -> Json | None:
    """Draw one epoch that has this figure; one in which training is ahead of validation, if there is any."""
    epochs = (facts.json["history"] or {}).get("validations") or ()
    places = [place for place, item in enumerate(epochs) if item[needed] is not None]
    ahead = [place for place in places if (epochs[place]["training_accuracy"] or 0.0) > epochs[place]["accuracy"]]
    places = ahead or places
    return facts.at(f"history.validations[{facts.pick(places)}]") if places else None


FINETUNING = (steps, gap, best_epoch, first_loss, probability, trained_share, clipped, rate_left, next_training)
