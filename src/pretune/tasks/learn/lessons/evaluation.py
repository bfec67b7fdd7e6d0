"""Evaluation: a confusion matrix by hand, two thresholds, the accuracy paradox, a planted leak, loss against accuracy."""

from dataclasses import replace
from math import log
from random import Random
from typing import TYPE_CHECKING

from pretune.records import Evidence, Example
from pretune.report.words import one_line
from pretune.tasks.learn.lesson import Found, Lab, Table, read_lesson
from pretune.tasks.learn.lessons import evaluation_questions as asked
from pretune.tasks.learn.messages import count_cells, divided_messages, fit_filter, move_threshold, shares_of
from pretune.tasks.learn.notes import URGENT, make_notes
from pretune.tasks.learn.reviews import clear_reviews
from pretune.tasks.learn.tries import num_right

if TYPE_CHECKING:
    from pretune.evaluate.baselines import LinearModel

SPAM = "spam"
NUM_SHOWN, LENGTH = 16, 66  # messages shown by hand; characters of each
# So many of each kind are shown, as far as there are: mistakes are rare, and one of each has to be counted.
WANTED = {"tp": 4, "fp": 2, "fn": 3, "tn": 7}
STRICT = 0.3  # threshold of the messages by hand: a little below the usual one, so that ham is called spam as well
NUM_NOTES = 3_000
RARE_SHARE = 0.02
LEAK_SHARE = 0.3
# Messages are real ones; those with such words are counted as all others, and not shown one by one.
RUDE = ("sex", "cum", "pussy", "naked", "porn", "fuck", "shaved", "xxx", "kinky")
# Of the two models: rows, right answers, and the probability that each gives to the truth where it is right.
NUM_MADE, MADE = 1_000, {"a": (900, 0.97, 0.25), "b": (850, 0.92, 0.20)}


def show_messages(_lab: Lab) -> Found:
    """Show messages of each kind with what the filter says."""
    train, held = divided_messages()
    shares = shares_of(fit_filter(), held, SPAM)
    kinds: dict[str, list[tuple[Example, float]]] = {name: [] for name in WANTED}
    for row, share in zip(held, shares, strict=True):
        cell = next(name for name, number in count_cells([row], [share], SPAM, STRICT).items() if number)
        if not any(word in row.text.lower() for word in RUDE):
            kinds[cell].append((row, share))
    shown = [item for name, number in WANTED.items() for item in kinds[name][:number]]
    Random(0).shuffle(shown)
    rows = tuple((one_line(row.text, LENGTH), str(row.label), SPAM if share >= STRICT else "ham") for row, share in shown)
    cells = count_cells([row for row, _ in shown], [share for _, share in shown], SPAM, STRICT)
    facts = {"num_train": len(train), "num_validation": len(held), "num_shown": len(shown), **cells}
    return Found(facts=facts, tables=(Table(title="Messages", columns=("message", "is", "called"), rows=rows),))


def move_spam(_lab: Lab) -> Found:
    """Move the threshold of the filter over all messages."""
    _, held = divided_messages()
    found, table = move_threshold(held, shares_of(fit_filter(), held, SPAM), SPAM, "The spam filter")
    return Found(facts={"spam_table": found}, tables=(table,))


def move_notes(_lab: Lab) -> Found:
    """Train on notes, and move the threshold over others."""
    from pretune.evaluate.baselines import fit_linear

    train, held = make_notes(NUM_NOTES, seed=1), make_notes(NUM_NOTES, seed=2)
    found, table = move_threshold(held, shares_of(fit_linear(train), held, URGENT), URGENT, "The screening of notes")
    return Found(facts={"notes_table": found, "num_notes": len(held)}, tables=(table,))


def count_paradox(_lab: Lab) -> Found:
    """Count what a filter that never acts is worth where spam is rare."""
    _, held = divided_messages()
    ham, spam = ([row for row in held if (row.label == SPAM) == is_spam] for is_spam in (False, True))
    spam = spam[: round(len(ham) * RARE_SHARE)]
    rows = [*ham, *spam]
    shares = shares_of(fit_filter(), rows, SPAM)
    drawn = []
    for name, cells in (
        ("never spam", count_cells(rows, [0.0] * len(rows), SPAM)),
        ("filter", count_cells(rows, shares, SPAM)),
    ):
        right = (cells["tp"] + cells["tn"]) / len(rows)
        drawn.append((name, f"{right:.3f}", f"{cells['tp'] / len(spam):.3f}", str(cells["tp"]), str(cells["fp"])))
    facts = {"rare_rows": len(rows), "rare_spam": len(spam), "rare_accuracy": len(ham) / len(rows)}
    columns = ("model", "accuracy", "recall of spam", "spam found", "ham lost")
    return Found(facts=facts, tables=(Table(title="Little spam", columns=columns, rows=tuple(drawn)),))


def plant_leak(_lab: Lab) -> Found:
    """Copy validation rows into training, see the figure rise, and let the check find them."""
    from pretune.diagnose.leakage import check_validation_texts
    from pretune.evaluate.baselines import fit_linear

    data = clear_reviews()
    leaked = data.validation[: round(len(data.validation) * LEAK_SHARE)]
    others = data.validation[len(leaked) :]
    copies = [replace(row, id=f"copy-{row.id}", text=row.text.upper() + " ") for row in leaked]
    clean, leaky = fit_linear(data.train), fit_linear([*data.train, *copies])

    def accuracy(model: "LinearModel", rows: tuple[Example, ...]) -> float:
        return num_right(model.predict(rows, split="validation")) / len(rows)

    finding = check_validation_texts(Evidence(train=(*data.train, *copies), validation=data.validation))
    facts = {
        "leak_percent": round(100 * LEAK_SHARE),
        "clean_accuracy": accuracy(clean, data.validation),
        "leaky_accuracy": accuracy(leaky, data.validation),
        "leaked_accuracy": accuracy(leaky, leaked),
        "unleaked_accuracy": accuracy(leaky, others),
        "before_accuracy": accuracy(clean, others),
        "finding": finding.summary,
    }
    named = {
        "all, without the leak": "clean",
        "all, with it": "leaky",
        "leaked rows, with it": "leaked",
        "other rows, without": "before",
        "other rows, with it": "unleaked",
    }
    rows = tuple((name, f"{facts[f'{key}_accuracy']:.3f}") for name, key in named.items())
    return Found(facts=facts, tables=(Table(title="A leak", columns=("validation rows", "accuracy"), rows=rows),))


def make_models(_lab: Lab) -> Found:
    """Make two sets of answers: one more often right, one with the lower loss."""
    facts: dict[str, object] = {"num_rows": NUM_MADE}
    for name, (right, share, loss) in MADE.items():
        mistake = 2.718281828459045 ** -((loss * NUM_MADE + right * log(share)) / (NUM_MADE - right))
        losses = [-log(share)] * right + [-log(mistake)] * (NUM_MADE - right)
        facts |= {
            f"{name}_loss": round(sum(losses) / NUM_MADE, 4),
            f"{name}_accuracy": right / NUM_MADE,
            f"{name}_mistake": mistake,
            f"{name}_right": share,
            f"{name}_share": (NUM_MADE - right) * -log(mistake) / sum(losses),
        }
    names = {"accuracy": "accuracy", "loss": "loss", "right": "probability of the truth, right", "mistake": "the same, wrong"}
    rows = tuple((text, *(f"{facts[f'{name}_{key}']:.3f}" for name in MADE)) for key, text in names.items())
    return Found(facts=facts, tables=(Table(title="Two models", columns=("", "A", "B"), rows=rows),))


EVALUATION = read_lesson(
    "evaluation",
    work=(show_messages, move_spam, move_notes, count_paradox, plant_leak, make_models),
    questions=asked.QUESTIONS,
)
