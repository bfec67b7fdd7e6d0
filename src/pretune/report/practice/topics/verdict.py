"""Questions about the verdict: what holds, what is open, and what to do next."""

from math import floor

from pretune.report.practice.facts import Facts, Json
from pretune.report.practice.question import EASY, HARD, MEDIUM
from pretune.report.practice.template import Drawn, choose, template

OUTCOMES = {
    "ship": "Every gate, comparison and required check holds.",
    "do_not_ship": "A gate is missed with its whole interval, or a finding or a comparison forbids it.",
    "not_enough_evidence": "Nothing forbids it, but something is still open: the rows do not settle it.",
}
STATES = {True: "holds", False: "fails", None: "is open"}


@template(
    "verdict.outcome",
    EASY,
    ask="The verdict of this run is “{outcome}”. What does that say?",
    hint="A verdict looks at intervals, not at points, and at every required check.",
    steps=["The outcome is {outcome}.", "So: {right}"],
    check="Its reasons are listed with what they rest on: {holding} hold, {failing} fail, {open} are open.",
    terms=["verdict", "gate"],
    ship="That would be “ship”.",
    do_not_ship="That would be “do not ship”.",
    not_enough_evidence="That would be “not enough evidence”.",
    average="No average decides: one gate that fails is enough.",
    certain="A verdict is about what the rows show, with the error that its confidence allows.",
)
def outcome(facts: Facts) -> Drawn | None:
    """What the outcome says."""
    verdict = facts.at("verdict")
    if not verdict:
        return None
    states = [item["holds"] for item in verdict["reasons"]]
    options = {name: (name == verdict["outcome"], text) for name, text in OUTCOMES.items()}
    options |= {
        "average": (False, "The mean of all figures lies on that side of one half."),
        "certain": (False, "The model answers every text in use as it answered the test."),
    }
    counts = {"holding": states.count(True), "failing": states.count(False), "open": states.count(None)}
    return choose(facts, options, outcome=verdict["outcome"].replace("_", " "), **counts)


def _gated(facts: Facts) -> tuple[Json, Json, float] | None:
    """Draw a figure that has a gate; return its score, the reason that names it, and the gate."""
    reasons, gates = (facts.json["verdict"] or {}).get("reasons", ()), _gates(facts)
    found = []
    for place, item in enumerate(reasons):
        metric = item["name"].partition("[")[0]
        if item["kind"] == "score" and metric in gates:
            found.append((place, metric))
    facts.draw.shuffle(found)
    for place, metric in found:
        name = facts.json["verdict"]["reasons"][place]["name"]
        label = name[len(metric) + 1 : -1] if name != metric else None
        score = facts.score(metric, label)
        if score is not None and score["low"] is not None:
            return score, facts.at(f"verdict.reasons[{place}]"), gates[metric]
    return None


def _gates(facts: Facts) -> dict[str, float]:
    """Return the gates of the policy's goal by metric, where the judgement set no other ones."""
    asked = facts.at("configs.judge") or {}
    policy = facts.at("verdict.policy") or {}
    goals = policy.get("goals", {}).get(policy.get("goal", ""), ())
    gates = {item["metric"]: item["minimum"] for item in goals if not (item.get("at_precision") or item.get("at_alerts"))}
    own = {metric: asked.get(f"min_{metric}") for metric in ("precision", "recall", "accuracy")}
    return gates | {metric: value for metric, value in own.items() if value is not None}


@template(
    "verdict.gate",
    MEDIUM,
    ask="{name} is {value} with an interval of {low} to {high}; the gate is {gate}. What does the verdict say of this gate?",
    hint="It holds if the whole interval reaches it, fails if the whole interval misses it, and is open in between.",
    steps=["lower end {low}, upper end {high}, gate {gate}", "So: {right}"],
    check="The reason in the verdict: it {state}.",
    terms=["gate", "interval"],
    holds="The lower end, {low}, would have to reach {gate}.",
    fails="The upper end, {high}, would have to lie below {gate}.",
    open="The gate would have to lie inside the interval.",
    validation="Gates are about the test.",
    ignored="Every gate of the policy counts.",
)
def gate(facts: Facts) -> Drawn | None:
    """What a gate says; asked only where record and interval agree."""
    found = _gated(facts)
    if found is None:
        return None
    score, reason, limit = found
    low, high = score["low"], score["high"]
    state = True if low >= limit else False if high < limit else None
    if state is not reason["holds"]:
        return None
    options = {
        "holds": (state is True, "It holds."),
        "fails": (state is False, "It fails."),
        "open": (state is None, "It is open: more rows would settle it."),
        "validation": (False, "Nothing: it is a gate on validation figures."),
        "ignored": (False, "Nothing: one gate does not count."),
    }
    return choose(
        facts, options, name=reason["name"], value=score["value"], low=low, high=high, gate=limit, state=STATES[state]
    )


@template(
    "verdict.margin",
    MEDIUM,
    ask="{name} is {value} with an interval of {low} to {high}; the gate is {gate}. By how much does the end that counts "
    "reach or miss the gate? (Positive: it reaches it.)",
    hint="A gate is held against the lower end.",
    steps=["lower end − gate", "{low} − {gate} = {right}"],
    check="Positive means that the gate holds.",
    terms=["gate", "interval"],
    value="{wrong} takes the value, as if it were known exactly.",
    high="{wrong} takes the upper end: the best case.",
    turned="{wrong} takes them the other way round.",
)
def margin(facts: Facts) -> Drawn | None:
    """How far the lower end lies above a gate."""
    found = _gated(facts)
    if found is None:
        return None
    score, reason, limit = found
    low, high, value = score["low"], score["high"], score["value"]
    given = {"name": reason["name"], "value": value, "low": low, "high": high, "gate": limit}
    return Drawn(low - limit, {"value": value - limit, "high": high - limit, "turned": limit - low}, given)


@template(
    "verdict.rows",
    MEDIUM,
    ask="The test has {rows} rows, and about {needed} more would probably settle the verdict. How many test rows would "
    "there be then?",
    hint="The new rows join the old ones.",
    steps=["{rows} + {needed} = {right}"],
    check="“{note}”",
    terms=["rows needed", "look"],
    needed="{wrong} are the new ones alone.",
    rows="{wrong} are those that there are.",
    difference="{wrong} takes the old ones off.",
    all="{wrong} counts the rows of training and validation as well, which prove nothing.",
)
def rows(facts: Facts) -> Drawn | None:
    """Test rows with those that are needed."""
    needed, have = facts.at("verdict.rows_needed"), facts.rows("test")
    if not needed or not have:
        return None
    used = facts.at("receipt.num_used") or 0
    wrong = {"needed": needed, "rows": have, "difference": needed - have, "all": used + needed}
    return Drawn(have + needed, wrong, {"rows": have, "needed": needed, "note": facts.at("verdict.rows_needed_note") or ""})


@template(
    "verdict.open",
    MEDIUM,
    ask="The verdict has these reasons: {listed}. How many of them are open?",
    hint="Open is what neither holds nor fails.",
    steps=["{holding} hold, {failing} fail", "{total} − {holding} − {failing} = {right}"],
    check="With none open and none failing it would be “ship”.",
    terms=["verdict", "gate"],
    holding="{wrong} hold.",
    not_holding="{wrong} do not hold: that counts those that fail too.",
    total="{wrong} are all of them.",
    failing="{wrong} fail.",
)
def open_reasons(facts: Facts) -> Drawn | None:
    """How many reasons are open."""
    reasons = facts.at("verdict.reasons")
    if not reasons:
        return None
    states = [item["holds"] for item in reasons]
    holding, failing, right = states.count(True), states.count(False), states.count(None)
    listed = "; ".join(f"{item['name']} {STATES[item['holds']]}" for item in reasons)
    wrong = {"holding": holding, "not_holding": right + failing, "total": len(states), "failing": failing}
    return Drawn(right, wrong, {"listed": listed, "holding": holding, "failing": failing, "total": len(states)})


@template(
    "verdict.largest_gate",
    HARD,
    ask="{name} is {value} with an interval of {low} to {high} on {rows} rows. Which is the largest gate, in whole "
    "hundredths, that it would hold?",
    hint="The lower end must reach it.",
    steps=["lower end: {low}", "rounded down to hundredths: {right}"],
    check="A gate of {next} would be above the lower end.",
    terms=["gate", "interval"],
    value="{wrong} is reached by the value, but not by the lower end.",
    high="{wrong} is reached by the upper end only.",
    next="{wrong} lies just above the lower end.",
)
def largest_gate(facts: Facts) -> Drawn | None:
    """The largest gate that the lower end reaches."""
    score = facts.score("accuracy")
    if score is None or score["low"] is None:
        return None
    right = floor(score["low"] * 100 + 1e-9) / 100
    wrong = {"value": floor(score["value"] * 100) / 100, "high": floor(score["high"] * 100) / 100, "next": right + 0.01}
    given = {"name": "accuracy", "rows": score["num_examples"], "next": f"{right + 0.01:.2f}"}
    return Drawn(right, wrong, given | {name: score[name] for name in ("value", "low", "high")})


@template(
    "verdict.next",
    HARD,
    ask="The verdict is “{outcome}”: {summary} What is the one thing to do next?",
    hint="Ask what decided: a finding, a comparison, a gate that fails, or rows that are too few.",
    steps=["outcome: {outcome}; blocking findings: {blocking}; rows needed: {needed}", "So: {right}"],
    check="The first reason of the verdict: {first}",
    terms=["verdict", "rows needed", "linear model"],
    ship="The verdict is not “ship”.",
    repair="No finding blocks.",
    linear="No other source of the run is shown to be better or as good.",
    unchecked="No required check is open.",
    label="No number of further rows would settle it, or something else decides first.",
    model="No gate fails with its whole interval.",
    close="The verdict names a number of rows, or something else decides first.",
    again="Looking again at the same rows until it ships is what the look count is there for.",
    loosen="A gate that is lowered after the figure is known is none.",
)
def next_step(facts: Facts) -> Drawn | None:
    """What to do next, by what decided."""
    verdict = facts.at("verdict")
    if not verdict:
        return None
    result, reasons = verdict["outcome"], verdict["reasons"]
    blocking = sum(item["severity"] == "blocking" for item in facts.at("findings") or ())
    needed, better = verdict["rows_needed"], verdict["better_source"]
    is_no, is_open = result == "do_not_ship", result == "not_enough_evidence"
    failed = {item["kind"] for item in reasons if item["holds"] is False}
    is_unchecked = any(item["kind"] == "finding" and item["holds"] is None for item in reasons)
    options = {
        "ship": (result == "ship", "Use the model, and watch its answers."),
        "repair": (blocking > 0, "Repair what the blocking finding names, and run again."),
        "linear": (better is not None or "comparison" in failed, "Use the source of the run that is simpler or better."),
        "model": (is_no and "score" in failed, "Find a better model or better labels: more test rows would only confirm it."),
        "unchecked": (is_open and is_unchecked, "Give the required check that is open what it needs to run."),
        "label": (is_open and bool(needed), "Label about as many further test rows as the verdict names."),
        "close": (is_open and not needed, "Accept that these rows cannot settle it, or improve the model."),
        "again": (False, "Judge again on the same rows until it ships."),
        "loosen": (False, "Lower the gate to just under the figure."),
    }
    given = {
        "outcome": result.replace("_", " "),
        "summary": verdict["summary"],
        "blocking": blocking,
        "needed": needed or "none",
    }
    return choose(facts, options, **given, first=reasons[0]["text"] if reasons else "")


VERDICT = (outcome, gate, margin, rows, open_reasons, largest_gate, next_step)
