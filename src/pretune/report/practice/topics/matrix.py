"""Questions about figures that are read from the confusion matrix."""

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import HARD, MEDIUM
from pretune.report.practice.template import Drawn, template
from pretune.report.practice.topics.counts import MAX_CLASSES, of_class, read_matrix

LEAST_APART = 0.01  # of precision and recall whose F1 is asked for
MAX_ROUNDED = 900  # rows up to which a share of three digits gives back a count


@template(
    "evaluation.accuracy",
    MEDIUM,
    ask="{matrix} What is the accuracy?",
    hint="Right answers stand where the true class is the predicted one.",
    steps=["right: {hits} rows", "{hits} ÷ {rows} = {right}"],
    check="The share of mistakes is {wrong_rows} ÷ {rows}; both add up to 1.",
    terms=["accuracy", "confusion matrix"],
    mistakes="{wrong} is the share of mistakes.",
    odds="{wrong} divides by the mistakes, not by all rows.",
    largest="{wrong} is what the constant answer with the commonest class reaches.",
    even="{wrong} is chance for so many classes.",
)
def accuracy(facts: Facts) -> Drawn | None:
    """Accuracy by the confusion matrix."""
    found = read_matrix(facts)
    if found is None:
        return None
    counts, said = found[1], found[2]
    rows, hits = sum(map(sum, counts)), sum(counts[place][place] for place in range(len(counts)))
    wrong = {
        "mistakes": 1 - hits / rows,
        "odds": hits / (rows - hits) if rows > hits else None,
        "largest": max(map(sum, counts)) / rows,
        "even": 1 / len(counts),
    }
    return Drawn(hits / rows, wrong, {"matrix": said, "hits": hits, "rows": rows, "wrong_rows": rows - hits})


@template(
    "evaluation.missed",
    MEDIUM,
    ask="On {split} {true} rows are {name}, and the recall of {name} is {recall}. How many of them did the model miss?",
    hint="Recall is the share of them that was found.",
    steps=["found: {recall} × {true}, rounded, is {hits}", "{true} − {hits} = {right}"],
    check="The model called {called} rows {name}, and {hits} of these rightly.",
    terms=["recall"],
    found="{wrong} are those that were found.",
    false="{wrong} are false alarms: called {name}, and something else.",
    mistakes="{wrong} counts its false alarms as well.",
    others="{wrong} are the rows of other classes.",
)
def missed(facts: Facts) -> Drawn | None:
    """From a recall back to rows."""
    found = of_class(facts)
    if found is None or not 0 < found[2] - found[1] <= found[2] <= MAX_ROUNDED:
        return None
    given, hits, true, called, rows = found
    wrong = {"found": hits, "false": called - hits, "mistakes": true + called - 2 * hits, "others": rows - true}
    return Drawn(true - hits, wrong, given | {"recall": hits / true})


@template(
    "evaluation.false_alarms",
    MEDIUM,
    ask="On {split} the model called {called} rows {name}, with a precision of {precision}. How many of these are "
    "something else?",
    hint="Precision is the share of them that really is {name}.",
    steps=["really {name}: {precision} × {called}, rounded, is {hits}", "{called} − {hits} = {right}"],
    check="Found were {hits} of the {true} rows that are {name}.",
    terms=["precision", "false-positive rate"],
    right="{wrong} are those that are {name}.",
    missed="{wrong} were missed: they are {name} and were called something else.",
    others="{wrong} are all rows of other classes.",
    true="{wrong} are all rows that are {name}.",
)
def false_alarms(facts: Facts) -> Drawn | None:
    """From a precision back to rows."""
    found = of_class(facts)
    if found is None or not 0 < found[3] - found[1] <= found[3] <= MAX_ROUNDED:
        return None
    given, hits, true, called, rows = found
    wrong = {"right": hits, "missed": true - hits, "others": rows - true, "true": true}
    return Drawn(called - hits, wrong, given | {"precision": hits / called})


@template(
    "evaluation.recall",
    MEDIUM,
    ask="{matrix} What is the recall of {name}?",
    hint="Of the rows that truly are {name}: which share was found?",
    steps=["rows that are {name}: {true}; found: {hits}", "{hits} ÷ {true} = {right}"],
    check="Missed rows of {name}: {missed}; {hits} + {missed} = {true}.",
    terms=["recall", "confusion matrix"],
    precision="{wrong} is the precision: it divides by the {called} rows that were called {name}.",
    missed="{wrong} is the share that was missed.",
    of_all="{wrong} divides by all rows.",
    prevalence="{wrong} is how common {name} is.",
)
def recall(facts: Facts) -> Drawn | None:
    """Recall of a class."""
    found = of_class(facts)
    if found is None or not found[2]:
        return None
    given, hits, true, called, rows = found
    wrong = {
        "precision": hits / called if called else None,
        "missed": 1 - hits / true,
        "of_all": hits / rows,
        "prevalence": true / rows,
    }
    return Drawn(hits / true, wrong, given | {"missed": true - hits})


@template(
    "evaluation.precision",
    MEDIUM,
    ask="{matrix} What is the precision of {name}?",
    hint="Of the rows that were called {name}: which share really is?",
    steps=["rows called {name}: {called}; right: {hits}", "{hits} ÷ {called} = {right}"],
    check="Rows called {name} that are not: {false}; {hits} + {false} = {called}.",
    terms=["precision", "confusion matrix"],
    recall="{wrong} is the recall: it divides by the {true} rows that are {name}.",
    alarms="{wrong} is the share of false alarms among them.",
    of_all="{wrong} divides by all rows.",
    called="{wrong} is how often {name} is predicted.",
)
def precision(facts: Facts) -> Drawn | None:
    """Precision of a class."""
    found = of_class(facts)
    if found is None or not found[3]:
        return None
    given, hits, true, called, rows = found
    wrong = {
        "recall": hits / true if true else None,
        "alarms": 1 - hits / called,
        "of_all": hits / rows,
        "called": called / rows,
    }
    return Drawn(hits / called, wrong, given | {"false": called - hits})


@template(
    "evaluation.f1",
    MEDIUM,
    ask="{name} has a precision of {precision} and a recall of {recall}. What is its F1?",
    hint="It is the harmonic mean: near the lower of the two.",
    steps=["2 × {precision} × {recall} = {top}", "{precision} + {recall} = {bottom}", "{top} ÷ {bottom} = {right}"],
    check="It lies between the two, and not above their plain mean, {mean}.",
    terms=["F1", "precision", "recall"],
    mean="{wrong} is the plain mean, which forgives one very low figure.",
    product="{wrong} is the product.",
    half="{wrong} forgets the 2.",
    lower="{wrong} is the lower of the two.",
)
def f1(facts: Facts) -> Drawn | None:
    """F1 of a class."""
    found = of_class(facts)
    if found is None or not (found[1] and found[2] and found[3]):
        return None
    given, hits, true, called, _ = found
    p, r = hits / called, hits / true
    if abs(p - r) < LEAST_APART:
        return None  # nothing to work out
    wrong = {"mean": (p + r) / 2, "product": p * r, "half": p * r / (p + r), "lower": min(p, r)}
    facts_of = {"name": given["name"], "precision": p, "recall": r, "top": 2 * p * r, "bottom": p + r, "mean": (p + r) / 2}
    return Drawn(2 * p * r / (p + r), wrong, facts_of)


@template(
    "evaluation.balanced",
    MEDIUM,
    ask="{matrix} What is the balanced accuracy?",
    hint="Each class weighs the same, however many rows it has.",
    steps=["recalls: {recalls}", "their mean: {right}"],
    check="A constant answer reaches {chance}; where all classes have as many rows it is the accuracy.",
    terms=["balanced accuracy", "recall", "macro average"],
    accuracy="{wrong} is the accuracy, in which large classes weigh more.",
    lowest="{wrong} is the lowest recall.",
    highest="{wrong} is the highest recall.",
    precision="{wrong} is the mean precision.",
)
def balanced(facts: Facts) -> Drawn | None:
    """Mean recall of the classes."""
    found = read_matrix(facts)
    if found is None or not all(sum(row) for row in found[1]):
        return None
    counts, said = found[1], found[2]
    places = range(len(counts))
    recalls = [counts[place][place] / sum(counts[place]) for place in places]
    columns = [sum(row[place] for row in counts) for place in places]
    precisions = [counts[place][place] / columns[place] if columns[place] else 0.0 for place in places]
    right = sum(recalls) / len(recalls)
    hits = sum(counts[place][place] for place in places)
    wrong = {
        "accuracy": hits / sum(map(sum, counts)),
        "lowest": min(recalls),
        "highest": max(recalls),
        "precision": sum(precisions) / len(precisions),
    }
    given = {"matrix": said, "recalls": ", ".join(f"{item:.3f}" for item in recalls), "chance": 1 / len(counts)}
    return Drawn(right, wrong, given)


@template(
    "evaluation.constant",
    MEDIUM,
    ask="The test has {counts}. A model that always answers {name}, the commonest class of training, has which accuracy?",
    hint="It is right on every row of that class, and on no other.",
    steps=["{count} ÷ {rows} = {right}"],
    check="`majority` in the table of figures: {stated}.",
    terms=["majority class", "accuracy paradox"],
    even="{wrong} is the accuracy of guessing evenly among the classes.",
    rest="{wrong} is the share of all other classes.",
    sum="{wrong} is what guessing by the shares of the classes reaches.",
    perfect="{wrong} would need every row to be {name}.",
)
def constant(facts: Facts) -> Drawn | None:
    """Accuracy of a constant answer; asked only where the record agrees."""
    labels, stated = facts.at("receipt.splits[name=test].labels"), facts.score("accuracy", source="majority")
    trained = facts.at("receipt.splits[name=train].labels")
    if not labels or not trained or stated is None or len(labels) > MAX_CLASSES:
        return None
    rows = sum(labels.values())
    name = next(
        (
            item
            for item in trained
            if abs(labels.get(item, 0) / rows - stated["value"]) < 1e-9 and trained[item] == max(trained.values())
        ),
        None,
    )
    if name is None:
        return None
    right = labels[name] / rows
    shares = [count / rows for count in labels.values()]
    wrong = {"even": 1 / len(labels), "rest": 1 - right, "sum": sum(share**2 for share in shares), "perfect": 1.0}
    said = ", ".join(f"{count:,} rows of {label}" for label, count in labels.items())
    return Drawn(right, wrong, {"counts": said, "name": name, "count": labels[name], "rows": rows, "stated": stated["value"]})


@template(
    "evaluation.prevalence",
    HARD,
    ask="On the test {name} has a recall of {recall}; of the rows that are not {name}, {false_share} are called so. In "
    "use only {prevalence} of the texts are {name}. Which precision can be expected there?",
    hint="Think of 1,000 texts: how many are {name} and found, how many are not and called so?",
    steps=[
        "of 1,000 texts found: 1,000 × {prevalence} × {recall} = {found}",
        "called by mistake: 1,000 × {others} × {false_share} = {false}",
        "{found} ÷ ({found} + {false}) = {right}",
    ],
    check="With the share of the test, {test_share}, the same sum gives the precision of the test, {precision}.",
    terms=["prevalence", "precision", "recall"],
    test="{wrong} is the precision of the test, where {name} is commoner or rarer.",
    recall="{wrong} is the recall, which does not depend on the share.",
    scaled="{wrong} scales the precision with the share.",
    false="{wrong} is the share of the others that are called so.",
)
def prevalence(facts: Facts) -> Drawn | None:
    """Precision under another prevalence."""
    found = of_class(facts)
    if found is None:
        return None
    given, hits, true, called, rows = found
    if not (hits and called > hits and rows > true):
        return None
    r, f, test_share = hits / true, (called - hits) / (rows - true), true / rows
    share = facts.pick([item for item in (0.01, 0.02, 0.05, 0.1, 0.2) if abs(item - test_share) > 0.05])
    right, precision_of_test = r * share / (r * share + f * (1 - share)), hits / called
    wrong = {"test": precision_of_test, "recall": r, "scaled": precision_of_test * share / test_share, "false": f}
    return Drawn(
        right,
        wrong,
        {
            "name": given["name"],
            "recall": r,
            "false_share": f,
            "prevalence": share,
            "others": 1 - share,
            "found": 1000 * share * r,
            "false": 1000 * (1 - share) * f,
            "test_share": test_share,
            "precision": precision_of_test,
        },
    )


MATRIX = (accuracy, recall, precision, missed, false_alarms, f1, balanced, constant, prevalence)
