"""Questions about figures: how far they can be trusted, and what follows from them."""

from collections.abc import Sequence
from math import sqrt

from pretune.report.practice.facts import Facts, Json
from pretune.report.practice.question import HARD, MEDIUM
from pretune.report.practice.template import Drawn, template
from pretune.report.practice.topics.matrix import MATRIX

Z = 1.96  # of 95 %
MAX_THRESHOLDS, APART = 6, 0.005  # of the thresholds that are asked about


@template(
    "evaluation.half_width",
    MEDIUM,
    ask="{metric} is {value} on {rows} rows. About how far does a 95 % interval reach on either side? Use 1.96 × √(p(1 − "
    "p) ÷ n).",
    hint="Put the share in for p and the rows for n.",
    steps=["p(1 − p) = {spread}", "{spread} ÷ {rows} = {per_row}", "1.96 × √{per_row} = {right}"],
    check="The interval that pretune computes is {low} to {high}, half as wide as {width}.",
    terms=["interval", "confidence"],
    no_root="{wrong} forgets the root.",
    deviation="{wrong} is one standard error: without the 1.96.",
    rows="{wrong} divides by the rows after the root.",
    whole="{wrong} is the width of both sides together.",
)
def half_width(facts: Facts) -> Drawn | None:
    """Half the width of an interval, roughly."""
    score = facts.score("accuracy")
    if score is None or score["low"] is None or not 0 < score["value"] < 1:
        return None
    p, n = score["value"], score["num_examples"]
    spread, error = p * (1 - p), sqrt(p * (1 - p) / n)
    wrong = {"no_root": Z * spread / n, "deviation": error, "rows": Z * sqrt(spread) / n, "whole": 2 * Z * error}
    given = {
        "metric": "accuracy",
        "value": p,
        "rows": n,
        "spread": spread,
        "per_row": f"{spread / n:.3g}",
        "low": score["low"],
        "high": score["high"],
        "width": score["high"] - score["low"],
    }
    return Drawn(Z * error, wrong, given)


@template(
    "evaluation.rows_for_width",
    HARD,
    ask="With {rows} test rows the interval of {metric} is {low} to {high}. About how many test rows would make it half "
    "as wide?",
    hint="The width falls with the root of the number of rows.",
    steps=["half the width needs 2² = 4 times the rows", "4 × {rows} = {right}"],
    check="√({right} ÷ {rows}) = 2.",
    terms=["interval", "rows needed"],
    twice="{wrong} are twice the rows: these make it narrower by a factor of 1.41 only.",
    half="{wrong} are fewer rows; these make it wider.",
    more="{wrong} are three times the rows: these make it narrower by a factor of 1.73.",
    squared="{wrong} squares the rows.",
)
def rows_for_width(facts: Facts) -> Drawn | None:
    """Rows for half the width."""
    score = facts.score("accuracy")
    if score is None or score["low"] is None:
        return None
    n = score["num_examples"]
    given = {"rows": n, "metric": "accuracy", "low": score["low"], "high": score["high"]}
    return Drawn(4 * n, {"twice": 2 * n, "half": n // 2, "more": 3 * n, "squared": n * n}, given)


@template(
    "evaluation.gain",
    MEDIUM,
    ask="On the same {rows} test rows {a} has {metric} {value_a}, {b} has {value_b}. How large is the gain of {a} over {b}?",
    hint="A gain is a difference, in the unit of the figure.",
    steps=["{value_a} − {value_b} = {right}"],
    check="The comparison in the report says the same, with an interval of {low} to {high}.",
    terms=["paired test", "source"],
    turned="{wrong} takes them the other way round.",
    ratio="{wrong} is the ratio.",
    relative="{wrong} is the gain relative to {b}.",
    closed="{wrong} is the share of the mistakes of {b} that are gone.",
)
def gain(facts: Facts) -> Drawn | None:
    """The difference of two sources."""
    items = [place for place, item in enumerate(facts.json["comparisons"]) if item["low"] is not None]
    if not items:
        return None
    item = facts.at(f"comparisons[{facts.pick(items)}]")
    a, b = item["value_a"], item["value_b"]
    wrong = {
        "turned": b - a,
        "ratio": a / b if b else None,
        "relative": (a - b) / b if b else None,
        "closed": (a - b) / (1 - b) if 0 <= b < 1 and 0 <= a <= 1 else None,
    }
    given = {name: item[name] for name in ("a", "b", "value_a", "value_b", "low", "high")}
    return Drawn(a - b, wrong, given | {"rows": item["num_examples"], "metric": item["metric"].replace("_", " ")})


@template(
    "evaluation.threshold",
    HARD,
    ask="Validation gives these thresholds for {name}: {table}. Which is the highest of them that keeps a recall of {floor}?",
    hint="Recall falls as the threshold rises: go up as long as it is kept.",
    steps=["kept by: {kept}", "the highest of these: {right}"],
    check="The next higher one has a recall below {floor}.",
    terms=["threshold", "recall", "precision"],
    too_high="{wrong} has a recall below {floor}.",
    lowest="{wrong} keeps it too, but gives precision away: it is not the highest.",
    precise="{wrong} has the best precision of the table.",
)
def threshold(facts: Facts) -> Drawn | None:
    """The highest threshold that keeps a recall."""
    choice = facts.at("threshold")
    table = _told_apart((choice or {}).get("table") or ())
    recalls = sorted({round(item["recall"], 3) for item in table})
    if not choice or choice["positive"] is None or len(recalls) < 4:
        return None
    floor = facts.pick(recalls[1:-1])
    holding = [item for item in table if round(item["recall"], 3) >= floor]
    right = max(item["threshold"] for item in holding)
    higher = [item["threshold"] for item in table if item["threshold"] > right]
    wrong = {
        "too_high": min(higher) if higher else None,
        "lowest": min(item["threshold"] for item in holding),
        "precise": max(table, key=lambda item: item["precision"])["threshold"],
    }
    said = "; ".join(
        f"{item['threshold']:.3f}: precision {item['precision']:.3f}, recall {item['recall']:.3f}" for item in table
    )
    kept = ", ".join(f"{item['threshold']:.3f}" for item in holding)
    return Drawn(right, wrong, {"name": choice["positive"], "table": said, "floor": floor, "kept": kept})


def _told_apart(table: Sequence[Json]) -> list[Json]:
    """Return a few rows of the table, in order, whose thresholds and recalls differ as they are written."""
    kept: list[Json] = []
    for item in sorted(table, key=lambda item: item["threshold"]):
        if all(abs(item[name] - other[name]) >= APART for other in kept for name in ("threshold", "recall")):
            kept.append(item)
    step = max(1, len(kept) // MAX_THRESHOLDS)
    return kept[::step][:MAX_THRESHOLDS]


EVALUATION = (*MATRIX, half_width, rows_for_width, gain, threshold)
