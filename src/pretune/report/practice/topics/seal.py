"""Questions about the seal: who has seen the test, and what looking again costs."""

from pretune.intervals import proportion_bounds
from pretune.report.practice.facts import Facts
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

ERROR = 0.05  # of the first look


@template(
    "seal.next_confidence",
    MEDIUM,
    ask="This run is look {look} at its test rows: its intervals have a confidence of {now}. The error allowed at look j is "
    "0.05 ÷ j². What confidence will the next look have?",
    hint="The next look is number {next}; confidence is 1 less the error.",
    steps=["error at look {next}: 0.05 ÷ {squared} = {error}", "1 − {error} = {right}"],
    check="It is larger than {now}: the same rows, looked at again, must convince more.",
    terms=["look", "confidence"],
    same="{wrong} stays as it is: then every further look would be another chance to be lucky.",
    not_squared="{wrong} divides by the number of the look; all errors together would have no bound.",
    multiplied="{wrong} multiplies confidences, and so falls with each look.",
)
def next_confidence(facts: Facts) -> Drawn | None:
    """The confidence of the next look."""
    look, stated = facts.at("look"), facts.at("scores[split=test,source=$judged].confidence")
    if not look or stated is None or abs(stated - (1 - ERROR / look**2)) > 1e-9:
        return None
    now, following = 1 - ERROR / look**2, look + 1
    wrong = {"same": now, "not_squared": 1 - ERROR / following, "multiplied": now**2}
    given = {"look": look, "now": now, "next": following, "squared": following**2, "error": ERROR / following**2}
    return Drawn(1 - ERROR / following**2, wrong, given, digits=4)


@template(
    "seal.all_errors",
    HARD,
    ask="Look j at the same rows may be wrong with probability 0.05 ÷ j². How much can that come to over looks 1 to {looks} of "
    "this test?",
    hint="The errors add up; each is smaller than the one before.",
    steps=["0.05 × ({terms}) = {right}"],
    check="However many looks there are, it stays below 0.05 × 1.645 = 0.0823.",
    terms=["look", "confidence"],
    first="{wrong} is the error of the first look alone.",
    constant="{wrong} allows the first look's error to each.",
    last="{wrong} is the error of the last look alone.",
)
def all_errors(facts: Facts) -> Drawn | None:
    """The errors of several looks together."""
    look = facts.at("look")
    if not look:
        return None
    looks = look + facts.draw.randint(1, 3)
    wrong = {"first": ERROR, "constant": ERROR * looks, "last": ERROR / looks**2}
    parts = " + ".join("1" if place == 1 else f"1/{place * place}" for place in range(1, looks + 1))
    total = ERROR * sum(1 / place**2 for place in range(1, looks + 1))
    return Drawn(total, wrong, {"looks": looks, "terms": parts}, digits=4)


@template(
    "seal.who",
    EASY,
    ask="The test of this run has {test} rows. Who has read their labels so far?",
    hint="The ledger counts every opening, and the run keeps the number of its own.",
    steps=["The record of the run says: look {look}.", "So: {right}"],
    check="`look` in `run.json`: empty before the seal was opened, else the number of the opening.",
    terms=["seal", "opening", "look"],
    training="Training reaches no sealed row.",
    validation="The epoch is chosen on validation rows or not at all.",
    nobody="The seal was opened: this run is look {look}.",
    judge="The seal is still closed: the run has no look.",
    threshold="The threshold is chosen on validation rows.",
)
def who(facts: Facts) -> Drawn | None:
    """Who has read the labels of the test."""
    test, look = facts.rows("test"), facts.at("look")
    if not test:
        return None
    options = {
        "judge": (look is not None, "Only the judgement at the end, which the ledger counted."),
        "nobody": (look is None, "Nobody: the seal has not been opened."),
        "training": (False, "Training, once in every epoch."),
        "validation": (False, "The choice of the best epoch."),
        "threshold": (False, "The choice of the threshold."),
    }
    return choose(facts, options, test=test, look=look or "none yet")


@template(
    "seal.wider",
    HARD,
    ask="Accuracy on the test is {value} ({hits} of {rows} rows), with an interval of {now} at look {look}. The same model is "
    "judged again on the same rows and answers the same. Which interval will look {next} show?",
    hint="Nothing about the rows or the answers has changed; only how sure an interval must be.",
    steps=["Confidence at look {next}: 1 − 0.05 ÷ {squared} = {confidence}.", "A higher confidence widens it: {right}"],
    check="The old interval {now} lies inside the new one.",
    terms=["look", "interval"],
    same="As if looking again cost nothing.",
    narrower="More looks are not more rows: nothing new was learned.",
    higher="The answers are the same, so the interval cannot move up.",
)
def wider(facts: Facts) -> Drawn | None:
    """The interval of the same hits at the next look."""
    score, look = facts.score("accuracy"), facts.at("look")
    if not look or score is None or score["low"] is None or score["num_hits"] is None or score["units"] is not None:
        return None
    hits, rows, following = score["num_hits"], score["num_examples"], look + 1
    confidence = 1 - ERROR / following**2
    low, high = (float(end) for end in proportion_bounds(hits, rows, confidence))
    gap = max(low - score["low"], score["low"] - low, high - score["high"])
    if gap < 0.002:
        return None
    wrong = {
        "same": _span(score["low"], score["high"]),
        "narrower": _span(score["low"] + gap / 2, score["high"] - (score["high"] - score["value"]) / 2),
        "higher": _span(score["low"] + gap, score["high"] + gap),
    }
    given = {
        "value": score["value"],
        "hits": hits,
        "rows": rows,
        "now": wrong["same"],
        "look": look,
        "next": following,
        "squared": following**2,
        "confidence": confidence,
    }
    return Drawn(_span(low, high), wrong, given)


@template(
    "seal.reach",
    MEDIUM,
    ask="{train} training, {validation} validation and {test} test rows: how many of them may be read, labels included, before "
    "the seal is opened?",
    hint="Sealed is the test, and nothing else.",
    steps=["{train} + {validation} = {right}"],
    check="With the {test} test rows it makes all {total} of them.",
    terms=["seal", "split"],
    all="{wrong} are all rows; the test is sealed.",
    training="{wrong} are the training rows; validation may be read as well.",
    test="{wrong} are the rows that may not be read.",
    held="{wrong} are those held out of training; the test among them is sealed.",
)
def reach(facts: Facts) -> Drawn | None:
    """Rows that may be read before the seal is opened."""
    train, validation, test = (facts.rows(name) for name in ("train", "validation", "test"))
    if not (train and validation and test):
        return None
    total = train + validation + test
    wrong = {"all": total, "training": train, "test": test, "held": validation + test}
    return Drawn(train + validation, wrong, {"train": train, "validation": validation, "test": test, "total": total})


@template(
    "seal.units",
    MEDIUM,
    ask="{rows} judged rows count as {units} units, because copies and groups are joined. By what share do they count "
    "less than {rows} independent rows would?",
    hint="Compare the units with the rows.",
    steps=["units per row: {units} ÷ {rows} = {kept}", "1 − {kept} = {right}"],
    check="It is 0 where every row stands alone.",
    terms=["unit", "group"],
    kept="{wrong} is the share that remains.",
    more="{wrong} compares the rows with the units, the other way round.",
    test="{wrong} takes the rows of the test for a part of all rows.",
)
def units(facts: Facts) -> Drawn | None:
    """By how much joined rows count less."""
    sample = facts.at("sample")
    if not sample or not sample["num_units"]:
        return None
    rows, num = sample["num_rows"], sample["num_units"]
    used = facts.at("receipt.num_used")
    wrong = {"kept": num / rows, "more": rows / num, "test": rows / used if used else None}
    return Drawn(1 - num / rows, wrong, {"rows": rows, "units": num, "kept": num / rows})


def _span(low: float, high: float) -> str:
    return f"{max(0.0, low):.3f} to {min(1.0, high):.3f}"


SEAL = (next_confidence, all_errors, who, wider, reach, units)
