"""The rows of docs/honesty.md on rows that do not stand alone, from the kept rows alone."""

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Draw = Callable[[Row], str]
LEAST_COVERED, MOST_WRONG = 0.935, 0.03
LEAST_MISSED, MOST_MISSED = 0.01, 0.04


def share(found: list[float | None]) -> str:
    """Write a share with its interval."""
    return "–" if found[0] is None else f"{100 * found[0]:.1f} % [{100 * (found[1] or 0):.1f}, {100 * (found[2] or 0):.1f}]"


def met(holds: bool) -> str:
    """Write whether a target is reached."""
    return "met" if holds else "**not met**"


def _judge(cell: Row) -> str:
    """Say of a cell of coverage what is not reached, and where the interval is wider than it would have to be."""
    if cell["covered"][0] is None:
        return "no interval, gate open"
    if cell["none"] > 0.5 and cell["covered"][0] >= LEAST_COVERED:
        return "no interval, but where every group agrees throughout"
    missed = [] if cell["covered"][0] >= LEAST_COVERED else ["covered under 93.5 %"]
    missed += [] if cell["wrong"][0] <= MOST_WRONG else ["wrong *ship* over 3 %"]
    missed += [f"{side} over 4 %" for side in ("above", "below") if cell[side][0] > MOST_MISSED]
    cautious = [f"{side} under 1 %" for side in ("above", "below") if cell[side][0] < LEAST_MISSED]
    return ("**" + "; ".join(missed) + "**" if missed else "met") + (f"; cautious: {', '.join(cautious)}" if cautious else "")


def draw_groups(row: Row) -> str:
    """Coverage of a share where rows come in groups."""
    lines = [
        "## Groups: covered at least 93.5 %, both tails 1 to 4 %, or no interval\n",
        "The interval of a share of right answers (accuracy, or the recall of a class). *Above* is how often it lies above the truth: with a gate",
        "at the truth, a wrong *ship*.\n",
        "| groups × rows | truth | rates of groups | intraclass correlation | covered | above | below | `null` | target |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell['sizes']} | {cell['truth']:.2f} | {cell['rates']} | {cell['alike']:g} | {share(cell['covered'])} | {share(cell['above'])} "
        f"| {share(cell['below'])} | {100 * cell['none']:.0f} % | {_judge(cell)} |"
        for cell in row["cells"]
    ]
    lines += [f"\n{row['cells'][0]['sets']:,} simulated test sets each.\n", GROUPS, *_figures(row["figures"])]
    return "\n".join(lines) + "\n"


GROUPS = """*Cautious* is an interval wider than it would have to be if one knew how far rows agree. Ten groups cannot tell that they do not
(correlation 0), and with a truth of 0.95 and as few as 30 rows' worth, an interval that never misses below cannot miss above: 30 of 30 right are
still compatible with 0.88, whatever the rule.

*Good and bad* groups are of two kinds. Where none of the bad ones is in the test, nothing in it says that there are any: with ten groups, of which
22 % are bad (correlation 0.5), that happens in 8 % of tests. Only a rule that takes each group as one row could allow for it (10 of 10: at least
0.69), and with ten groups it would never ship.
"""


def _figures(cells: list[Row]) -> list[str]:
    heads = [cell["world"] for cell in cells]
    lines = ["Every figure, its coverage:\n", f"| figure | {' | '.join(heads)} |", "|---|" + "---|" * len(cells)]
    for name in cells[0]["scores"]:
        found = [cell["scores"][name] for cell in cells]
        lines.append(f"| {name} | {' | '.join('`null`' if not given else share(rest) for given, *rest in found)} |")
    return [
        *lines,
        f"\n{cells[0]['sets']:,} simulated test sets each; the interval of a measured coverage is 1 to 4 points wide.\n",
    ]


def draw_copies(row: Row) -> str:
    """Coverage where texts have copies."""
    lines = [
        "## Copies in the test: covered at least 93.5 %, both tails 1 to 4 %, or no interval\n",
        "All copies of a text are answered alike. The last column is how often the interval would miss if every copy counted as a row.\n",
        "| copies | truth | covered | above | below | `null` | target | missed, copies as rows |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell['copies']} | {cell['truth']:.2f} | {share(cell['covered'])} | {share(cell['above'])} | {share(cell['below'])} "
        f"| {100 * cell['none']:.0f} % | {_judge(cell)} | {100 * cell['as_rows']:.1f} % |"
        for cell in row["cells"]
    ]
    lines += [f"\n{row['cells'][0]['sets']:,} simulated test sets each.\n", COPIES, *_figures(row["figures"])]
    return "\n".join(lines) + "\n"


COPIES = """*Cautious*: where a few texts make most of the rows, they are all right or all wrong together, and a figure of 38 or 15 rows' worth jumps by 7 points
with each. Its interval cannot miss in 1 to 4 % on both sides; it misses seldom rather than too often.
"""


def draw_slices(row: Row) -> str:
    """False alarms of slices under groups."""
    lines = [
        "## Slices under groups, called worse although none is: at most 5 %\n",
        "A column that is constant within groups.\n",
        "| groups × rows | correlation | values of the column | called worse | target | if rows stood alone |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell['groups']} × {cell['size']} | {cell['alike']:g} | {cell['kinds']} | {share(cell['units'])} "
        f"| {met(cell['units'][0] <= 0.05)} | {share(cell['rows'])} |"
        for cell in row["cells"]
    ]
    return "\n".join(lines) + f"\n\n{row['cells'][0]['sets']:,} simulated test sets each.\n"


def draw_looks(row: Row) -> str:
    """Wrong decisions at later looks."""
    lines = [
        "## Looks: what the 3 % holds for\n",
        "One model after another, each exactly at a gate of 0.85, on tests of 1,000 rows. At look j the error is 0.05 / j², of which half lies",
        "above: the wrong *ship* of one look is at most 2.5 %, of all looks together at most 0.025 × π² / 6 = 4.1 %. The 3 % is promised for the",
        "first look; it holds for each later one, and not for the sum of them all.\n",
        "| look | wrong *ship* at this look | target 3 % | at any look so far | bound 4.1 % |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {cell['look']} | {share(cell['at'])} | {met(cell['at'][0] <= MOST_WRONG)} | {share(cell['so_far'])} "
        f"| {met(cell['so_far'][0] <= 0.041)} |"
        for cell in row["cells"]
    ]
    return "\n".join(lines) + f"\n\n{row['cells'][0]['sets']:,} simulated series.\n"


def draw_pooled(row: Row) -> str:
    """Decisions after the rows that were asked for."""
    lines = [
        "## After “N more test rows”, pooled as `judge --more` pools them: decided at least 90 %, wrongly at most 3 %\n",
        "A first test of 200 rows that leaves a gate of 0.85 on accuracy open; truths of 0.76, 0.80, 0.90 and 0.94.\n",
        "| rows | open first tests | no N | decided | target | wrongly | target | median N |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + _followed(row)) + "\n"


def draw_rows_of_limits(row: Row) -> str:
    """Decisions after the rows that were asked for where something else than a gate is open."""
    lines = [
        "## After “N more test rows” for limits, margins and class shares: decided at least 90 %, wrongly at most 3 %\n",
        f"A first test of {row['first']:,} rows that leaves the bound open; truths 5 and 9 points to either side of it.\n",
        "| bound | open first tests | no N | decided | target | wrongly | target | median N |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + _followed(row)) + "\n"


def _followed(row: Row) -> list[str]:
    return [
        f"| {cell['world']} | {cell['opened']:,} | {cell['no_number']:,} | {share(cell['decided'])} | {met(cell['decided'][0] >= 0.90)} "
        f"| {share(cell['wrong'])} | {met(cell['wrong'][0] <= MOST_WRONG)} | {cell['median']:,.0f} |"
        for cell in row["cells"]
    ]


DRAWN: tuple[tuple[str, Draw], ...] = (
    ("groups", draw_groups),
    ("copies", draw_copies),
    ("slices", draw_slices),
    ("looks", draw_looks),
    ("pooled", draw_pooled),
    ("rows-of-limits", draw_rows_of_limits),
)
