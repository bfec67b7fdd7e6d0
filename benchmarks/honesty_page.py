"""docs/honesty.md, from the kept rows alone."""

from typing import Any

import gates_page
import people_page
import units_page
from wrapped import wrapped

HEAD = """# Honesty: the verdict, tested as a measuring instrument

Written by `benchmarks/honesty.py` (`make honesty`) from `benchmarks/results/honesty/*.json`. Predictions are simulated where the truth has to
be known; texts are real. Brackets are 95 % intervals of the measurement itself. **met** and **not met** compare the point with the target.
"""
Cells = list[dict[str, Any]]


def write_page(kept: dict[str, dict[str, Any]], expected: list[str]) -> str:
    """Return the page; rows that were not measured are named."""
    parts = [HEAD, _about(kept)]
    parts += [
        draw(kept[name])
        for name, draw in (
            ("coverage", _coverage),
            ("wrong-ship", lambda row: _rates(row, "Ship, although the truth is below a gate", "at most 3 %", most=0.03)),
            ("right-ship", lambda row: _rates(row, "Ship, where it is deserved", "at least 90 %", least=0.90) + RIGHT_SHIP),
            ("wrong-refusal", lambda row: _rates(row, "Do not ship, 3 points above every gate", "at most 3 %", most=0.03)),
            ("right-refusal", lambda row: _rates(row, "Do not ship, 5 points below", "at least 90 %", least=0.90) + REFUSAL),
            ("rows-needed", _rows_needed),
            *units_page.DRAWN,
            ("gates", gates_page.draw_gates),
            ("at-precision", gates_page.draw_at_precision),
            ("people", people_page.draw_people),
            ("paired", _paired),
            ("many-classes", _many_classes),
            ("confounds", _confounds),
            ("near-duplicates", _near),
            ("labels-sms-spam", lambda row: _labels(row, 0.60)),
            ("labels-movie-reviews", lambda row: _labels(row, 0.45)),
            ("thorough-sms-spam", lambda row: _thorough(row, 0.60)),
            ("thorough-movie-reviews", lambda row: _thorough(row, 0.45)),
            ("detectors-clean", _detectors_clean),
            ("detectors-data", lambda row: _detectors_planted(row, "data")),
            ("detectors-training", lambda row: _detectors_planted(row, "answers and training")),
        )
        if name in kept
    ]
    missing = [name for name in expected if name not in kept]
    if missing:
        parts.append("## Not measured yet\n\n" + "\n".join(f"- `{name}`" for name in missing) + "\n")
    return wrapped("\n".join(parts))


RIGHT_SHIP = """
On balanced rows, precision and recall of 0.83 are an accuracy of 0.83, which is under the default policy's gate of 0.85; it rightly does not ship
(last two rows). The target is about the gates of precision and recall, so it is measured with these two alone, and, with all three, where each is cleared by
that much.
"""
REFUSAL = """
The target is met where every gate is missed by 5 points, and for accuracy alone. For recall alone, 1,000 balanced rows hold 500 positive ones, and the
95 % interval of 375 of 500 reaches 0.786 on average: no rule that is wrong in 2.5 % of cases at the gate refuses in more than 78 % of cases here (92 % with a
rule that is wrong in 10 % of them, which would refuse what its own interval leaves open).
"""


PAIRED = """
pretune's test is McNemar's, mid-p. What pairing gains depends on how far the mistakes of the two models overlap: at an accuracy of 0.88, 21 % of the rows would be right in one
model only if they did not overlap at all, and then pairing gains nothing. At 16 % the two hardly overlap, and no test of these rows can have 1.5 × the power.
"""


def _about(kept: dict[str, dict[str, Any]]) -> str:
    timed = {name: found["processor_seconds"] for name, found in kept.items() if "processor_seconds" in found}
    untimed = ", ".join(f"`{name}` {kept[name]['seconds']:,.0f}" for name in kept if name not in timed)
    commits = sorted({found["commit"] for found in kept.values()})
    return (
        f"Measured in {sum(timed.values()) / 60:.0f} minutes of one core, on two at a time; seconds by the clock, beside other work, where that was not "
        f"taken: {untimed or 'none'}. Rows with `--thorough` train models and are measured by name. At commit {', '.join(commits)}.\n"
    )


def _percent(share: list[float | None]) -> str:
    if share[0] is None:
        return "–"
    low, high = share[1] or 0.0, share[2] or 0.0
    return f"{100 * share[0]:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def _is_met(share: list[float | None], least: float | None, most: float | None) -> str:
    if share[0] is None:
        return ""
    met = (least is None or share[0] >= least) and (most is None or share[0] <= most)
    return "met" if met else "**not met**"


def _rates(row: dict[str, Any], title: str, target: str, *, least: float | None = None, most: float | None = None) -> str:
    lines = [
        f"## {title}: {target}\n",
        "| truth | rows | policy | measured | target | as `decide` itself |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell['truth']} | {cell['num_rows']:,} | {cell['policy']} | {_percent(cell['rate'])} | {_is_met(cell['rate'], least, most)} "
        f"| {cell['agrees_with_decide'][0]} of {cell['agrees_with_decide'][1]} |"
        for cell in row["cells"]
    ]
    return "\n".join(lines) + f"\n\n{row['cells'][0]['sets']:,} simulated test sets each.\n"


def _rows_needed(row: dict[str, Any]) -> str:
    lines = [
        "## After “N more rows would decide”: decided at least 90 %, wrongly at most 3 %\n",
        "| truths | open first sets | no N | decided, given N | target | wrongly | target | median N | decided, from 100 / 200 / 500 / 1,000 first rows |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in row["cells"]:
        first = " / ".join("–" if item[0] is None else f"{100 * item[0]:.0f} %" for item in cell["by first rows"].values())
        lines.append(
            f"| {cell['truth']} | {cell['open']:,} | {_percent(cell['without a number'])} | {_percent(cell['decided given N more'])} "
            f"| {_is_met(cell['decided given N more'], 0.90, None)} | {_percent(cell['decided wrongly'])} "
            f"| {_is_met(cell['decided wrongly'], None, 0.03)} | {_number(cell['median N'])} | {first} |"
        )
    return (
        "\n".join(lines)
        + "\n\nTruths are uniform in the range named; first and further rows are judged together, at the second look. The narrow ranges are hard\non purpose: half of their truths lie within 5 points of a gate.\n"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _paired(row: dict[str, Any]) -> str:
    names = ("pretune", "exact McNemar", "mid-p McNemar", "unpaired z")
    head = "| rows | only one is right | " + " | ".join(names) + " | target |\n|" + "---|" * (len(names) + 3)
    lines = [
        "## Paired test: false alarm 4 to 6 % when A = B; power at least 1.5 × the unpaired test\n",
        "False alarms:\n",
        head,
    ]
    for cell in row["alarms"]:
        rates = " | ".join(_percent(cell[name]) for name in names)
        met = _is_met(cell["pretune"], 0.04, 0.06)
        lines.append(f"| {cell['num_rows']:,} | {100 * cell['discordant']:.0f} % | {rates} | {met} |")
    lines += ["\nPower at a true gain of 2 points:\n", head]
    for cell in row["power"]:
        rates = " | ".join(_percent(cell[name]) for name in names)
        ratio = cell["pretune"][0] / cell["unpaired z"][0]
        met = "met" if ratio >= 1.5 else "**not met**"
        lines.append(f"| {cell['num_rows']:,} | {100 * cell['discordant']:.0f} % | {rates} | {ratio:.2f} ×, {met} |")
    return "\n".join(lines) + PAIRED


def _coverage(row: dict[str, Any]) -> str:
    cells, names = row["cells"], list(row["cells"][0]["figures"])
    lines = [
        "## Coverage of every 95 % interval: at least 93.5 %; at most 97.5 % where 20 hits and misses are expected\n",
        f"{cells[0]['sets']:,} simulated test sets in each of {len(cells)} cells (rows × share of positives). “Too high” counts cells where "
        "20 hits and misses are expected.\n",
        "| figure | cells with a figure | lowest | below 93.5 % | highest with 20 expected | above 97.5 % | `null`, mean over cells |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        shown = [(cell, cell["figures"][name]) for cell in cells]
        given = [(cell, item["covered"] / item["given"], item) for cell, item in shown if item["given"] >= 0.05 * cell["sets"]]
        plenty = [(share, cell) for cell, share, item in given if item["is_plenty"]]
        nulls = sum(1 - item["given"] / cell["sets"] for cell, item in shown) / len(shown)
        if not given:
            lines.append(f"| {name} | 0 | – | – | – | – | {100 * nulls:.0f} % |")
            continue
        least = min(given, key=lambda entry: entry[1])
        low = f"{100 * least[1]:.1f} % ({least[0]['num_rows']:,} rows, {100 * least[0]['prevalence']:.0f} %)"
        high = f"{100 * max(share for share, _ in plenty):.1f} %" if plenty else "–"
        short, over = sum(entry[1] < 0.935 for entry in given), sum(share > 0.975 for share, _ in plenty)
        lines.append(f"| {name} | {len(given)} | {low} | {short} | {high} | {over} | {100 * nulls:.0f} % |")
    return "\n".join(lines) + "\n\nCells in which a figure is given in under 5 % of the sets are left out of the shares.\n"


def _many_classes(row: dict[str, Any]) -> str:
    num_again = sum(cell["sets"] > 1_000 for cell in row["cells"])
    again = f" ({num_again} of {len(row['cells'])} cells)"
    lines = [
        "## Macro figures of 3 to 151 classes, even and long-tailed: coverage at least 93.5 %, each tail at most 4 %\n",
        f"The lowest coverage and the largest share missed below and above, over accuracies of 0.85, 0.95 and 0.988 and two to four numbers of rows each, two rows a class the fewest. 1,000 sets a cell; a cell that misses its target there is measured in 10,000 further sets, which count alone{again}. Where over one class in twenty has a single row macro F1 has no interval: *null*.\n",
        "| classes | rows by class | figure | cells | lowest coverage | missed: interval too high | too low | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kinds = dict.fromkeys((cell["classes"], cell["shape"]) for cell in row["cells"])
    for classes, shape in kinds:
        of_kind = [cell for cell in row["cells"] if (cell["classes"], cell["shape"]) == (classes, shape)]
        for metric in ("recall", "precision", "f1"):
            cells = [cell for cell in of_kind if cell[metric] is not None]
            if not cells:
                lines.append(f"| {classes} | {shape} | {metric} | {len(of_kind)} | null | | | met |")
                continue
            lowest = min(1 - sum(cell[metric]) for cell in cells)
            tails = [max(cell[metric][side] for cell in cells) for side in (0, 1)]
            met = "met" if lowest >= 0.935 and max(tails) <= 0.04 else "**not met**"
            shown = " | ".join(f"{100 * value:.1f} %" for value in (lowest, *tails))
            lines.append(f"| {classes} | {shape} | {metric} | {len(cells)} | {shown} | {met} |")
    good, edge = row["ship"].values()
    lines += [
        f"\n77 classes in 3,000 rows, one of them with 12: *ship* in {_percent(good)} of sets with a truth 5 points above every gate "
        f"(at least 90 %: {_is_met(good, 0.9, None)}), in {_percent(edge)} with a true accuracy of 0.849 (at most 3 %: {_is_met(edge, None, 0.03)}).\n",
        "A first test of few rows a class that leaves the policy's gates open, then the further rows that its verdict asks for; truths of 0.76, 0.80, 0.90 and 0.94. Decided at least 90 %, wrongly at most 3 %.\n",
        "| classes × rows each | open first tests | no N | decided | | wrongly | | median N |",
        "|---|---|---|---|---|---|---|---|",
        *map(_grown, row["grown"]),
        "",
    ]
    return "\n".join(lines)


def _grown(cell: dict[str, Any]) -> str:
    decided, wrong = cell["decided"], cell["wrong"]
    return (
        f"| {cell['classes']} × {cell['rows']} | {cell['opened']} | {cell['no_number']} | {_percent(decided)} | {_is_met(decided, 0.9, None)} "
        f"| {_percent(wrong)} | {_is_met(wrong, None, 0.03)} | {cell['median']:,.0f} |"
    )


def _confounds(row: dict[str, Any]) -> str:
    lines = [
        "## A word that is the class, told from a mark on the texts: false alarms at most 5 %, planted marks found at least 95 %\n",
        f"False alarms: {_percent(row['false alarms'])} ({_is_met(row['false alarms'], None, 0.05)}). Found: {_percent(row['found'])} "
        f"({_is_met(row['found'], 0.95, None)}). {row['draws']} draws of each set as it is, and as many with a mark on 95 to 100 % of one class; each draw's seed is made of the set's name and "
        "its number, from 0.\n",
        "| set | false alarms | told by a word of its matter | planted marks found |",
        "|---|---|---|---|",
    ]
    names = ("false alarms", "told by a word of their matter", "found")
    lines += [f"| {name} | " + " | ".join(_percent(item[key]) for key in names) + " |" for name, item in row["by set"].items()]
    lines += ["", "| kind of mark | found |", "|---|---|"]
    lines += [f"| {kind} | {_percent(share)} |" for kind, share in row["by kind"].items()]
    lines += ["", "What the false alarms name: " + ("; ".join(row["false alarms name"]) or "nothing") + ".", ""]
    lines += ["Missed: " + ("; ".join(row["missed"]) or "nothing") + ".", ""] if "missed" in row else []
    for name, item in row["marked already"].items():
        named = ", ".join(item["they name"]) or "nothing"
        lines += [
            f"Not counted, since their classes do come from different sources: {name}, alarms {_percent(item['alarms'])}, naming {named}.",
            "",
        ]
    return "\n".join([*lines, CONFOUNDS])


CONFOUNDS = """Where each of two or three classes is made from a template of its own ("What are the symptoms of …?"), a stamp at its beginning cannot be
told from the template: no text of another class goes on as the rest does.
"""


def _near(row: dict[str, Any]) -> str:
    wall, own = row["wall seconds"], row["processor seconds"]
    met = "**not met**" if (own or wall) >= 60 else "met"
    seconds = f"{wall:.0f} by the clock, with other work beside" + ("" if own is None else f", {own:.0f} of one core")
    lines = [
        f"## Near-duplicate leakage in {row['num_texts']:,} texts of at least 10 words\n",
        f"Recall for up to 3 characters or 1 word changed: {_percent(row['recall'])} (at least 98 %: {_is_met(row['recall'], 0.98, None)}). "
        f"Precision: {_percent(row['precision'])} (at least 95 %: {_is_met(row['precision'], 0.95, None)}). "
        f"Seconds: {seconds} (under 60: {met}).\n",
        "| changed | found |",
        "|---|---|",
        *(f"| {kind} | {_percent(share)} |" for kind, share in row["curve"].items()),
    ]
    return "\n".join(lines) + "\n"


def _labels(row: dict[str, Any], least: float) -> str:
    return (
        f"## Wrong labels planted at {100 * row['share']:.0f} %, looked for by TF-IDF + logistic regression: `{row['data']}`\n\nPrecision at the planted count, {row['rows']:,} rows, "
        f"{row['seeds']} seeds: {_percent(row['precision'])} (at least {100 * least:.0f} %: {_is_met(row['precision'], least, None)}).\n"
    )


def _thorough(row: dict[str, Any], least: float) -> str:
    share, low, high = (100 * value for value in row["estimated share"])
    return (
        f"## The same with `--thorough`: `{row['data']}`\n\nPrecision at the planted count, {row['rows']:,} rows, one seed, three models fine-tuned for an "
        f"epoch (accuracy out of fold {row['accuracy out of fold']:.3f}): {_percent(row['precision'])} (at least {100 * least:.0f} %: "
        f"{_is_met(row['precision'], least, None)}). The check estimates {share:.1f} % wrong labels [{low:.1f}, {high:.1f}].\n"
    )


def _detectors_clean(row: dict[str, Any]) -> str:
    lines = [
        f"## Detectors on {row['twins']} clean twins: false alarms at most 5 % each\n",
        f"All *blocking* findings together: {_percent(row['false blocking'])} (at most 3 %: "
        f"{_is_met(row['false blocking'], None, 0.03)}). A twin is evidence over other real film-review sentences, with simulated answers and "
        "histories.\n",
        "| check | ran on | false alarms | |",
        "|---|---|---|---|",
    ]
    for check, alarms in row["false alarms"].items():
        lines.append(f"| {check} | {row['ran on'][check]} | {_percent(alarms)} | {_is_met(alarms, None, 0.05)} |")
    return "\n".join(lines) + "\n"


def _detectors_planted(row: dict[str, Any], where: str) -> str:
    lines = [
        f"## Detectors on faults planted in {where}: at least 95 % of the clear ones found\n",
        f"At least {row['clear faults']} clear faults, each in a clean twin of its own, and as many of each faint strength as of each clear one. Without a planter: "
        f"{', '.join(row['without a planter']) or 'none'}.\n",
        "| check | strength | found, by strength | clear from | clear ones found | |",
        "|---|---|---|---|---|---|",
    ]
    for check, item in row["planted"].items():
        curve = ", ".join(f"{strength}: {100 * share[0]:.0f} %" for strength, share in item["curve"].items())
        found = item["clear ones found"]
        lines.append(
            f"| {check} | {item['unit']} | {curve} | {item['clear from']:g} | {_percent(found)} | {_is_met(found, 0.95, None)} |"
        )
    return "\n".join(lines) + "\n"
