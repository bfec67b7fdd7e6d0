"""The row of docs/honesty.md on people, from the kept row alone."""

from typing import Any

from units_page import LEAST_COVERED, MOST_MISSED, MOST_WRONG, met, share


def draw_people(row: dict[str, Any]) -> str:
    """Coverage of a person's figures, and the margin to people at its edge and above."""
    lines = [
        "## Beside people: intervals covered at least 93.5 %, each tail at most 4 %; wrong within the margin at most 3 %\n",
        "Each vote against the majority of the others, and the model against the same. Annotators are right in 96 % of easy rows and in 68 % of hard",
        "ones, a quarter of all. Of all intervals of a person's figures (accuracy, and precision, recall and F1 of one class) and of the difference to",
        f"the model, the one that is covered least. At the edge the model is worse than a person by just the margin of {row['margin']:g}; *power* is",
        "how often it is found within the margin with a truth 5 points better, so better than a person by two.\n",
        "| votes per row | classes | rows | a person | covered least | missed: interval too high | too low | target | wrong at the edge | target | power |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(cell) for cell in row["cells"]]
    return "\n".join(lines) + f"\n\n{row['sets']:,} simulated test sets each.\n"


def _line(cell: dict[str, Any]) -> str:
    given = {name: found for name, found in cell["intervals"].items() if found["none"] < 0.95}
    least = min(given, key=lambda name: given[name]["covered"][0])
    above, below = (max(found[side] for found in given.values()) for side in ("above", "below"))
    holds = given[least]["covered"][0] >= LEAST_COVERED and max(above, below) <= MOST_MISSED
    rows = f"{cell['rows']:,}" + (f" of {cell['rows'] // cell['copies']:,} texts" if cell["copies"] > 1 else "")
    return (
        f"| {cell['annotators']} | {cell['classes']} | {rows} | {cell['person']:.3f} | {share(given[least]['covered'])}, {least} "
        f"| {100 * above:.1f} % | {100 * below:.1f} % | {met(holds)} | {share(cell['wrong'])} | {met(cell['wrong'][0] <= MOST_WRONG)} "
        f"| {share(cell['power'])} |"
    )
