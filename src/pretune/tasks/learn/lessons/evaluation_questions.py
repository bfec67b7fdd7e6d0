"""Questions of the evaluation lesson: counts, shares of counts, thresholds, and what follows."""

from collections.abc import Sequence

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, Template, choose, template
from pretune.tasks.learn.lessons.loss_questions import a_or_b_share, act_on_answers, act_on_probabilities

CELLS = {
    "tp": ("spam that is called spam", "spam", "spam"),
    "fp": ("ham that is called spam", "ham", "spam"),
    "fn": ("spam that is called ham", "spam", "ham"),
}
FLOOR = 0.98  # precision that a spam filter has to keep, and recall that a screening has to
SCREENING = 0.9


def _count(cell: str) -> Template:
    text, label, called = CELLS[cell]

    @template(
        f"evaluation.count_{cell}",
        EASY,
        ask=f"How many of the {{number}} messages above are {text}?",
        hint=f"Count the rows with {label} under “is” and {called} under “called”.",
        steps=["{right} rows are " + f"{label} and called {called}"],
        check="The four counts together are {number}.",
        terms=["confusion matrix"],
        other="{wrong} is another cell of the matrix.",
        called=f"{{wrong}} counts all that are called {called}.",
        there=f"{{wrong}} counts all that are {label}.",
    )
    def count(facts: Facts) -> Drawn | None:
        cells = {name: facts.at(name) for name in ("tp", "fp", "fn", "tn")}
        if None in cells.values():
            return None
        others = {"fp": "fn", "fn": "fp", "tp": "tn"}
        by_called = sum(number for name, number in cells.items() if (name in ("tp", "fp")) == (called == "spam"))
        by_label = sum(number for name, number in cells.items() if (name in ("tp", "fn")) == (label == "spam"))
        wrong = {"other": cells[others[cell]], "called": by_called, "there": by_label}
        return Drawn(cells[cell], wrong, {"number": sum(cells.values())})

    return count


@template(
    "evaluation.hand_precision",
    MEDIUM,
    ask="What is the precision of spam on these messages?",
    hint="Of all that is called spam, which share is spam?",
    steps=["called spam: {tp} + {fp} = {called}", "{tp} ÷ {called} = {right}"],
    check="1 − {right} is the share of what is called spam that is ham.",
    terms=["precision"],
    recall="{wrong} is recall: it divides by the spam that is there.",
    accuracy="{wrong} is accuracy.",
    odds="{wrong} divides by the false positives alone.",
)
def hand_precision(facts: Facts) -> Drawn | None:
    """Precision from four counts."""
    return _share_of(facts, "fp", "called", "recall", "fn")


@template(
    "evaluation.hand_recall",
    MEDIUM,
    ask="And the recall of spam?",
    hint="Of all spam that is there, which share is found?",
    steps=["spam that is there: {tp} + {fn} = {there}", "{tp} ÷ {there} = {right}"],
    check="1 − {right} is the share of the spam that is missed.",
    terms=["recall"],
    precision="{wrong} is precision: it divides by what is called spam.",
    accuracy="{wrong} is accuracy.",
    odds="{wrong} divides by the false negatives alone.",
)
def hand_recall(facts: Facts) -> Drawn | None:
    """Recall from four counts."""
    return _share_of(facts, "fn", "there", "precision", "fp")


def _share_of(facts: Facts, missed: str, name: str, other: str, other_missed: str) -> Drawn | None:
    cells = {cell: facts.at(cell) for cell in ("tp", "fp", "fn", "tn")}
    if None in cells.values() or not cells["tp"]:
        return None
    tp, total = cells["tp"], cells["tp"] + cells[missed]
    wrong = {
        other: tp / (tp + cells[other_missed]),
        "accuracy": (tp + cells["tn"]) / sum(cells.values()),
        "odds": tp / cells[missed] if cells[missed] else None,
    }
    return Drawn(tp / total, wrong, {**cells, name: total})


@template(
    "evaluation.spam_threshold",
    HARD,
    ask="Which is the lowest of these thresholds at which precision is at least {floor}?",
    hint="Go down the column of precision from the first row.",
    steps=["precision is at least {floor} at: {kept}", "the lowest of these: {right}"],
    check="A higher one finds less spam and gains nothing that was asked for.",
    terms=["threshold", "precision"],
    highest="{wrong} keeps it too, but finds less spam.",
    half="{wrong} is only the usual one.",
    lowest="{wrong} has a lower precision.",
)
def spam_threshold(facts: Facts) -> Drawn | None:
    """The lowest threshold that keeps a precision."""
    table = facts.at("spam_table")
    kept = [item["threshold"] for item in table or () if (item["precision"] or 0.0) >= FLOOR]
    if not kept:
        return None
    wrong = {"highest": max(kept), "half": 0.5, "lowest": table[0]["threshold"]}
    return Drawn(min(kept), wrong, {"floor": FLOOR, "kept": _listed(kept)}, digits=1)


@template(
    "evaluation.notes_threshold",
    HARD,
    ask="The clinic wants a recall of at least {floor}. Which is the highest threshold that keeps it?",
    hint="Recall falls as the threshold rises: go down the column as long as it is kept.",
    steps=["recall is at least {floor} at: {kept}", "the highest of these: {right}"],
    check="The next higher one misses more patients than allowed.",
    terms=["threshold", "recall"],
    lowest="{wrong} keeps it too, but calls more notes than needed.",
    half="{wrong} is only the usual one.",
    highest="{wrong} has the best precision and misses too many.",
)
def notes_threshold(facts: Facts) -> Drawn | None:
    """The highest threshold that keeps a recall."""
    table = facts.at("notes_table")
    kept = [item["threshold"] for item in table or () if item["recall"] >= SCREENING]
    if not kept:
        return None
    wrong = {"lowest": min(kept), "half": 0.5, "highest": table[-1]["threshold"]}
    return Drawn(max(kept), wrong, {"floor": SCREENING, "kept": _listed(kept)}, digits=1)


@template(
    "evaluation.notes_alarms",
    MEDIUM,
    ask="At the threshold {threshold}, how many notes does the clinic have to read?",
    hint="Everything that is called urgent has to be read.",
    steps=["true positives {tp} + false positives {fp} = {right}"],
    check="{tp} ÷ {right} is the precision.",
    terms=["precision"],
    found="{wrong} counts only those that are urgent.",
    alarms="{wrong} counts only the false alarms.",
    urgent="{wrong} is the number of urgent notes.",
)
def notes_alarms(facts: Facts) -> Drawn | None:
    """What a recall costs in notes to read."""
    table = facts.at("notes_table")
    if not table:
        return None
    item = table[0]
    wrong = {"found": item["tp"], "alarms": item["fp"], "urgent": item["tp"] + item["fn"]}
    given = {"threshold": f"{item['threshold']:g}", "tp": item["tp"], "fp": item["fp"]}
    return Drawn(item["tp"] + item["fp"], wrong, given)


@template(
    "evaluation.which_first",
    HARD,
    ask="A missed urgent note costs {cost} times as much as one read in vain. Which threshold of the screening costs least?",
    hint="Cost of a row: {cost} × false negatives + false positives.",
    steps=["{costs}", "the least is at {right}"],
    check="With other costs it is another threshold: work it out for one missed note as one read in vain.",
    terms=["threshold"],
    half="{wrong} is only the usual one; it costs more.",
    precise="{wrong} has the fewest false alarms, and its misses cost more.",
    equal="{wrong} would be best if both mistakes cost the same.",
    lowest="{wrong} misses least, but reads too much in vain.",
)
def which_first(facts: Facts) -> Drawn | None:
    """The threshold of least cost."""
    table, cost = facts.at("notes_table"), 10
    if not table:
        return None
    costs = {item["threshold"]: cost * item["fn"] + item["fp"] for item in table}
    equal = {item["threshold"]: item["fn"] + item["fp"] for item in table}
    right = min(costs, key=lambda item: costs[item])
    if list(costs.values()).count(costs[right]) > 1:
        return None
    wrong = {
        "half": 0.5,
        "precise": table[-1]["threshold"],
        "equal": min(equal, key=lambda item: equal[item]),
        "lowest": table[0]["threshold"],
    }
    said = ", ".join(
        f"{item['threshold']:g}: {cost} × {item['fn']} + {item['fp']} = {costs[item['threshold']]}" for item in table
    )
    return Drawn(right, wrong, {"cost": cost, "costs": said}, digits=1)


@template(
    "evaluation.paradox",
    MEDIUM,
    ask="A new filter has an accuracy of {claimed} on these messages. What does that say?",
    hint="What accuracy does somebody have who does nothing?",
    steps=["never calling anything spam is right for {nothing}", "so: {right}"],
    check="Ask for precision and recall of spam.",
    terms=["accuracy paradox"],
    good="It is good, since it is over 0.9: so is doing nothing.",
    recall="Accuracy is not recall: it may find none of the spam.",
    certain="Accuracy on these rows is an estimate, and no promise.",
)
def paradox(facts: Facts) -> Drawn | None:
    """What accuracy says where one class is rare."""
    nothing = facts.at("rare_accuracy")
    if nothing is None:
        return None
    claimed = nothing - 0.002
    options = {
        "worse": (claimed < nothing, "nothing: doing nothing at all is right more often"),
        "good": (False, "it is good: nearly all messages are answered right"),
        "recall": (False, f"it finds {claimed:.0%} of the spam"),
        "certain": (False, f"it will be right for {claimed:.0%} of all messages to come"),
    }
    return choose(facts, options, claimed=claimed, nothing=nothing)


@template(
    "evaluation.leak_gain",
    EASY,
    ask="By how much does the leak raise validation accuracy?",
    hint="With the leak, less without it.",
    steps=["{leaky} − {clean} = {right}"],
    check="Most of it is memory: compare the rows that did not leak, with and without the copies.",
    terms=["leak"],
    leaked="{wrong} is the rise on the leaked rows alone.",
    rest="{wrong} compares leaked rows with the others.",
    turned="{wrong} takes them the other way round.",
)
def leak_gain(facts: Facts) -> Drawn | None:
    """What a leak is worth."""
    held = {name: facts.at(f"{name}_accuracy") for name in ("clean", "leaky", "leaked", "unleaked")}
    if None in held.values() or held["leaky"] <= held["clean"]:
        return None
    wrong = {
        "leaked": held["leaked"] - held["clean"],
        "rest": held["leaked"] - held["unleaked"],
        "turned": held["clean"] - held["leaky"],
    }
    return Drawn(held["leaky"] - held["clean"], wrong, {"clean": held["clean"], "leaky": held["leaky"]})


@template(
    "evaluation.leak_next",
    HARD,
    ask="The check says: {finding}. What do you do?",
    hint="Which figure would still be one about new sentences?",
    steps=["the leaked rows measure memory", "so: {right}"],
    check="`pretune run` divides so that copies and near copies stay together.",
    terms=["leak", "split"],
    keep="The figure on the leaked rows says how well rows are remembered.",
    report="Naming a fault does not mend the figure.",
    regularize="Regularization hides the copies no better than it removes them.",
)
def leak_next(facts: Facts) -> Drawn | None:
    """What to do about a leak."""
    finding, gained = facts.at("finding"), facts.at("leaky_accuracy")
    if finding is None or gained is None:
        return None
    options = {
        "remove": (gained > facts.at("unleaked_accuracy"), "take the copies out of training, train again, and measure again"),
        "keep": (False, "keep the model: its accuracy is higher"),
        "report": (False, "keep the figure, and mention the copies in a note"),
        "regularize": (False, "train with more dropout, so that the copies matter less"),
    }
    return choose(facts, options, finding=finding)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


QUESTIONS = (
    *map(_count, CELLS), hand_precision, hand_recall, spam_threshold, notes_threshold, notes_alarms, which_first, paradox,
    leak_gain, leak_next, act_on_answers, act_on_probabilities, a_or_b_share,
)  # fmt: skip
