"""Questions about findings: what a check measured, what its severity means, and what to repair first."""

from math import log

from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

SEVERITIES = {
    "ok": "It passed, and the number that shows it stands beside it.",
    "note": "Something to know; it weighs nothing in the verdict.",
    "warning": "Something to look at; alone it does not decide the verdict.",
    "blocking": "The verdict cannot be ship while it stands.",
    "unknown": "It should have run and could not, which is never a pass.",
    "not_applicable": "The question does not arise in this run.",
}
# Check → what is done about it, where it is not ok.
ACTIONS = {
    "leakage.seen_texts": "Take the texts that training has too out of the split: --repair does it.",
    "leakage.near_texts": "Keep near copies on one side of the split.",
    "leakage.signature_token": "Find out why one word tells the class, and whether it will be there in use.",
    "labels.conflicts": "Read the texts that carry two labels, and decide on one for each.",
    "labels.starved_class": "Label more rows of the smallest class.",
    "labels.imbalance": "Judge by recall and precision of the rare class, not by accuracy.",
    "labels.few_test_rows": "Label more test rows of the class that has so few.",
    "texts.duplicates": "Collect texts that differ: repeated ones prove nothing new.",
    "texts.truncation": "Raise --max-length.",
    "texts.unknown_tokens": "Choose a model whose vocabulary has these words.",
    "results.accuracy_paradox": "Look at the class that is rare: accuracy is reached by a constant answer too.",
    "results.dead_class": "Find out why one class is never predicted.",
    "results.size": "Label more test rows: the intervals are too wide to decide.",
    "training.overfitting": "Regularize more, or stop earlier.",
    "training.undertraining": "Train for more epochs.",
    "training.learning": "Raise the learning rate, or free more layers.",
}
ORDER = ("blocking", "warning")


@template(
    "diagnosis.severity",
    EASY,
    ask="The check {check} is “{severity}”: {summary}. What does “{severity}” say?",
    hint="A check always reports something, also when all is well, and also when it could not run.",
    steps=["The severity is {severity}.", "So: {right}"],
    check="The glossary has all six: `pretune explain severity`.",
    terms=["severity", "finding"],
    ok="That is “ok”.",
    note="That is “note”.",
    warning="That is “warning”.",
    blocking="That is “blocking”.",
    unknown="That is “unknown”.",
    not_applicable="That is “not applicable”.",
)
def severity(facts: Facts) -> Drawn | None:
    """What the severity of a finding says."""
    findings = facts.json["findings"]
    kinds = sorted({item["severity"] for item in findings})
    if not kinds:
        return None
    kind = facts.pick(kinds)
    place = facts.pick([place for place, item in enumerate(findings) if item["severity"] == kind])
    found = facts.at(f"findings[{place}]")
    options = {name: (name == kind, text) for name, text in SEVERITIES.items()}
    return choose(facts, options, check=found["check"], severity=kind.replace("_", " "), summary=found["summary"])


@template(
    "diagnosis.not_run",
    MEDIUM,
    ask="Of {total} checks {ok} came out ok; beside them are notes ({note}), warnings ({warning}) and blocking findings "
    "({blocking}). The others did not run, or the question did not arise. How many are these?",
    hint="Every check is counted once.",
    steps=["{ok} + {note} + {warning} + {blocking} = {ran}", "{total} − {ran} = {right}"],
    check="The report lists them under “not checked”. None of them is a pass.",
    terms=["finding", "severity"],
    not_ok="{wrong} counts notes, warnings and blocking ones as well.",
    ran="{wrong} are those that ran.",
    ok="{wrong} are those that are ok.",
)
def not_run(facts: Facts) -> Drawn | None:
    """How many checks did not run."""
    findings = facts.at("findings")
    if not findings:
        return None
    held = {kind: sum(item["severity"] == kind for item in findings) for kind in ("ok", "note", "warning", "blocking")}
    total, ran = len(findings), sum(held.values())
    return Drawn(total - ran, {"not_ok": total - held["ok"], "ran": ran, "ok": held["ok"]}, held | {"total": total, "ran": ran})


@template(
    "diagnosis.over_constant",
    MEDIUM,
    ask="Accuracy on the test is {accuracy}. The largest class holds {largest} of its rows. How far above a constant "
    "answer is the model?",
    hint="The constant answer is right on every row of the largest class.",
    steps=["{accuracy} − {largest} = {right}"],
    check="Near 0 it would be the accuracy paradox, however high the accuracy is.",
    terms=["accuracy paradox", "majority class"],
    accuracy="{wrong} compares with nothing.",
    ratio="{wrong} is a ratio.",
    even="{wrong} compares with guessing evenly among the classes.",
    rest="{wrong} compares with the share of the other classes.",
)
def over_constant(facts: Facts) -> Drawn | None:
    """How far accuracy lies above the share of the largest class."""
    score, labels = facts.score("accuracy"), facts.at("receipt.splits[name=test].labels")
    if score is None or not labels:
        return None
    value, largest = score["value"], max(labels.values()) / sum(labels.values())
    wrong = {
        "accuracy": value,
        "ratio": value / largest,
        "even": value - 1 / len(labels),
        "rest": value - (1 - largest),
    }
    return Drawn(value - largest, wrong, {"accuracy": value, "largest": largest})


@template(
    "diagnosis.allowed",
    MEDIUM,
    ask="The check leakage.seen_texts allows a share of {limit} of the {rows} test texts to be seen in training. How many "
    "texts is that at most?",
    hint="Whole texts, and not more than the share allows.",
    steps=["{limit} × {rows} = {exact}", "rounded down: {right}"],
    check="One more would be a share of {more}, over the limit. Measured was {measured}.",
    terms=["leak", "finding"],
    one_more="{wrong} are one too many: over the limit.",
    tenfold="{wrong} takes the limit for ten times what it is.",
    all="{wrong} are all test texts.",
)
def allowed(facts: Facts) -> Drawn | None:
    """How many texts a limit allows."""
    found, rows = facts.finding("leakage.seen_texts"), facts.rows("test")
    if found is None or found["limit"] is None or found["measured"] is None or not rows:
        return None
    limit = found["limit"]
    right = int(limit * rows + 1e-9)
    given = {"limit": limit, "rows": rows, "exact": limit * rows, "more": (right + 1) / rows, "measured": found["measured"]}
    return Drawn(right, {"one_more": right + 1, "tenfold": int(10 * limit * rows), "all": rows}, given)


@template(
    "diagnosis.slice",
    MEDIUM,
    ask="Of {rows} rows with {column} = {value}, {hits} were answered right; on the other rows accuracy is {rest}. How "
    "far is this slice below the others?",
    hint="Compute the accuracy of the slice first.",
    steps=["{hits} ÷ {rows} = {accuracy}", "{rest} − {accuracy} = {right}"],
    check="A negative number means that the slice is better. Whether it is chance says the corrected p value: {p}.",
    terms=["slice", "p value"],
    accuracy="{wrong} is the accuracy of the slice.",
    turned="{wrong} takes them the other way round.",
    mistakes="{wrong} is the share of mistakes in the slice.",
    ratio="{wrong} is a ratio.",
)
def slice_gap(facts: Facts) -> Drawn | None:
    """How far a slice lies below the other rows."""
    slices = facts.json["slices"]
    if not slices:
        return None
    item = facts.at(f"slices[{facts.pick(range(min(5, len(slices))))}]")
    value, rest = item["num_hits"] / item["num_examples"], item["rest"]
    wrong = {"accuracy": value, "turned": value - rest, "mistakes": 1 - value, "ratio": value / rest if rest else None}
    given = {
        "rows": item["num_examples"],
        "column": item["column"],
        "value": item["value"],
        "hits": item["num_hits"],
        "rest": rest,
        "accuracy": value,
        "p": item["p_value"],
    }
    return Drawn(rest - value, wrong, given)


@template(
    "diagnosis.mistake",
    MEDIUM,
    ask="The row {id} is {label}; the model said {predicted} with a probability of {p}. There are two classes. What does "
    "this row add to the loss, in nats?",
    hint="The loss of a row is −ln of the probability that its true class got.",
    steps=["probability of {label}: 1 − {p} = {other}", "−ln {other} = {right}"],
    check="A row that is right with {p} would add only {easy}: being sure and wrong is what costs.",
    terms=["mistake", "loss", "calibration error"],
    predicted="{wrong} takes the probability of the wrong class.",
    zero_one="{wrong} counts the mistake as one, however certain it was.",
    probability="{wrong} is the probability of the true class itself.",
    brier="{wrong} is the squared distance, as in the Brier score.",
)
def mistake(facts: Facts) -> Drawn | None:
    """What a confident mistake costs."""
    items = [place for place, item in enumerate(facts.json["mistakes"]) if item["probability"] < 0.9999]
    if len(facts.at("classes") or ()) != 2 or not items:
        return None
    item = facts.at(f"mistakes[{facts.pick(items[:10])}]")
    p = round(item["probability"], 3)
    if not 0 < p < 1:
        return None
    wrong = {"predicted": -log(p), "zero_one": 1.0, "probability": 1 - p, "brier": p**2}
    given = {"id": item["id"], "label": item["label"], "predicted": item["predicted"], "p": p, "other": 1 - p, "easy": -log(p)}
    return Drawn(-log(1 - p), wrong, given, digits=2)


@template(
    "diagnosis.overfits",
    HARD,
    ask="The check of overfitting says: {summary}. It measured {measured} and allows {limit}. What follows?",
    hint="Compare what was measured with what is allowed; the severity is {severity}.",
    steps=["measured {measured}, limit {limit}: {severity}", "So: {right}"],
    check="The losses of training and validation in the timeline show the same.",
    terms=["overfitting", "dropout", "early stopping"],
    keep="The check is not ok.",
    regularize="The check is ok: there is no gap that regularization would have to close.",
    more_layers="More freedom lets it learn more by heart, if anything; the check does not ask for it.",
    test="Rows of the test must never be learned.",
    accuracy="High accuracy in training is what overfitting looks like; alone it says nothing.",
)
def overfits(facts: Facts) -> Drawn | None:
    """What follows from the check of overfitting."""
    found = facts.finding("training.overfitting")
    if found is None or found["measured"] is None or found["limit"] is None:
        return None
    is_off = found["severity"] in ORDER
    options = {
        "keep": (not is_off, "Nothing has to change on its account."),
        "regularize": (is_off, "Regularize more or stop earlier: rows are learned by heart."),
        "more_layers": (False, "Free more layers, so that training gets even better."),
        "test": (False, "Add the test rows to training."),
        "accuracy": (False, "Trust the accuracy in training: it is the highest figure."),
    }
    return choose(facts, options, **{name: found[name] for name in ("summary", "measured", "limit", "severity")})


@template(
    "diagnosis.first_repair",
    HARD,
    ask="Checks of this run that are not ok: {named}. What is to be done first?",
    hint="Blocking findings come before warnings; a check that is ok asks for nothing.",
    steps=["The gravest finding: {worst} ({severity}).", "So: {right}"],
    check="The finding itself says how to repair it: {summary}",
    terms=["finding", "severity"],
)
def first_repair(facts: Facts) -> Drawn | None:
    """What the gravest finding asks for; the others would help against checks that are ok here."""
    findings = {item["check"]: (place, item) for place, item in enumerate(facts.json["findings"])}
    known = [check for check in ACTIONS if check in findings]
    off = [(ORDER.index(item["severity"]), check) for check, (_, item) in findings.items() if item["severity"] in ORDER]
    fine = [check for check in known if findings[check][1]["severity"] == "ok"]
    if not off or len(fine) < 3:
        return None
    gravest = min(rank for rank, _ in off)
    worst = [check for rank, check in off if rank == gravest and check in ACTIONS]
    if not worst:
        return None
    place, found = findings[facts.pick(worst)]
    facts.at(f"findings[{place}]")
    kept = facts.draw.sample(fine, 3)
    for check in kept:
        facts.finding(check)
    wrong: dict[str, str | int | float | None] = {f"repairs {check}": ACTIONS[check] for check in kept}
    why = {f"repairs {check}": f"That would help against {check}, which is ok here." for check in kept}
    given = {
        "named": ", ".join(check for _, check in sorted(off)),
        "worst": found["check"],
        "severity": found["severity"],
        "summary": found["summary"],
    }
    return Drawn(ACTIONS[found["check"]], wrong, given, why)


DIAGNOSIS = (severity, not_run, over_constant, allowed, slice_gap, mistake, overfits, first_repair)
