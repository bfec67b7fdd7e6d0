"""The row of docs/honesty.md on gates besides accuracy, precision and recall, from the kept row alone."""

from typing import Any

from units_page import MOST_WRONG, met, share

LEAST_POWER = 0.80


def draw_at_precision(row: dict[str, Any]) -> str:
    """Recall at a precision, and within a budget of alerts."""
    lines = [
        "## Recall at a precision or within a budget of alerts: the same targets\n",
        f"The threshold is chosen on {row['rows']:,} validation rows and judged on as many test rows. At the edge no threshold has both. *No rule* is",
        "the chance that both pass at the best threshold if that and the noise were known: 5 points of recall leave little room for two gates.\n",
        *_table(row),
    ]
    return "\n".join(lines) + f"\n\n{row['sets']:,} simulated pairs of sets each.\n"


def draw_gates(row: dict[str, Any]) -> str:
    """Wrong *ship* at the edge, and power."""
    lines = [
        "## Gates of the policy: wrong *ship* at the edge at most 3 %, power 5 points above at least 80 %, or no rule can\n",
        f"{row['rows']:,} rows. At the edge the truth lies exactly at the limit; 5 points above, recall and specificity, the area, the calibration",
        "error, the difference, or the recall of every class is 0.05 better. *No rule* is how often the value seen lies beyond what 2.5 % of the",
        "values at the edge exceed: what a test of this figure reaches that knows the noise.\n",
        *_table(row),
    ]
    return "\n".join(lines) + f"\n\n{_sets(row)}\n"


def _sets(row: dict[str, Any]) -> str:
    of_cells = {cell.get("sets", row["sets"]) for cell in row["cells"]}
    fewer = [cell["gate"].partition(",")[0] for cell in row["cells"] if cell.get("sets", row["sets"]) < max(of_cells)]
    last = f"; {min(of_cells):,} from \u201c{fewer[0]}\u201d on" if fewer else ""
    return f"{max(of_cells):,} simulated test sets each{last}."


def _table(row: dict[str, Any]) -> list[str]:
    lines = [
        "| gate | wrong *ship* at the edge | target | power | no rule reaches more than | target |",
        "|---|---|---|---|---|---|",
    ]
    for cell in row["cells"]:
        target = met(cell["power"][0] >= LEAST_POWER) if cell["most"][0] >= LEAST_POWER else "no rule can"
        lines.append(
            f"| {cell['gate']} | {share(cell['wrong'])} | {met(cell['wrong'][0] <= MOST_WRONG)} | {share(cell['power'])} "
            f"| {100 * cell['most'][0]:.1f} % | {target} |"
        )
    return lines
