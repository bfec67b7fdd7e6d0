"""Did pre-training pay off? Drawn for a terminal."""

from rich.console import Group

from pretune.records import PretrainingProof
from pretune.report.proof import proof_rows
from pretune.report.terminal.drawing import columns, heading, named, plain
from pretune.report.words import UNDEFINED, chance, span


def draw_proof(proof: PretrainingProof) -> Group:
    """Draw the accuracies from every start, the paired gains, and what they say."""
    table = columns("labels", "start", "validation", "test", "gain of pre-training", "interval", "p", right=("labels", "p"))
    for row in proof_rows(proof):
        gain, bounds, p_value = "", "", ""
        if row.compared is not None:
            gain = f"{row.compared.difference:+.3f}"
            bounds = span(row.compared.low, row.compared.high, signed=True) or UNDEFINED
            p_value = chance(row.compared.p_value)
        table.add_row(f"{row.num_labels:,}", named(row.name), row.validation, row.test, gain, bounds, p_value)
    methods = "; ".join(dict.fromkeys(item.method for item in proof.comparisons))
    return Group(heading("Did pre-training pay off?"), table, plain(proof.statement), plain(methods, "dim"))
