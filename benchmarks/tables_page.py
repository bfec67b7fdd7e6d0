"""docs/tables.md, from the kept rows alone."""

import statistics
import textwrap
from collections import defaultdict
from typing import Any

from pretune.evaluate.choose_source import CANDIDATES, LEAST_ROWS
from table_cells import CHOOSING

HEAD = """# Other people's tables

Written by `benchmarks/tables.py` from `benchmarks/results/tables/*.json`. Test accuracy (macro F1 in brackets) on at most 1,000
rows, means over the seeds that were run; every model starts from the same encoder and sees the same rows; a rival trains on all
of them, pretune holds out its validation rows. Rivals read up to 512 tokens a text, pretune what it chooses (128, or up to 512
where a small table has long texts). Seconds are those of a processor, of the whole command: pretune's judges, fits the
baselines and checks what it saved as well. Settings of the default were chosen on the first half of the sets; the other half
had no say. With 1,000 rows and one seed, a difference of less than three points may be chance.

Not measured yet: the tables that `python benchmarks/tables.py --list` has beyond these, more seeds, SetFit, budgets, and the
Trainer at the best of a grid. `intents-500` is refused: some of its 150 classes have one row, which cannot be divided.

Until 2026-12-01 this page had the Trainer at the level of chance: its answers came in the order of lengths, and were compared
with the rows' own (`findings/transformers-trainer-predicts-in-another-order.sh`).
"""
ORDER = ("tfidf", "frozen", "trainer-1e-4x3", "setfit", "pretune", "pretune-1m", "pretune-5m")
NAMES = {"tfidf": "TF-IDF + LR", "frozen": "frozen + LR", "trainer-1e-4x3": "Trainer 1e-4", "setfit": "SetFit"}
VALIDATION_SHARE = 0.15
RIVALS = ("tfidf", "frozen", "trainer-1e-4x3")


def write_page(rows: list[dict[str, Any]], scoring: dict[str, Any] | None = None) -> str:
    """Return the page."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["table"]][row["model"]].append(row)
    choosing = {name: of for name, of in found.items() if _first(of)["set"] in CHOOSING}
    others = {name: of for name, of in found.items() if name not in choosing}
    parts = [
        HEAD,
        "## Summary\n",
        *_summary("sets that settings were chosen on", choosing),
        *_summary("other sets", others),
        *_rungs(rows),
        "",
    ]
    commits = sorted({row["commit"] for row in rows if row["model"].startswith("pretune")})
    parts.insert(1, f"pretune's rows are those of {', '.join(f'`{commit}`' for commit in commits)}.\n")
    parts += ["## Sets that settings were chosen on\n", _table(choosing), "## Other sets\n", _table(others)]
    return "\n".join([*parts, *([_scoring(scoring)] if scoring else [])])


def _scoring(found: dict[str, Any]) -> str:
    """Return what `benchmarks/scoring.py` measured; how many times as fast is by processor seconds."""
    rivals = [side for side in found["sides"] if side.startswith("sentence-transformers")]
    bf16 = "fast" if found["machine"]["bf16"] else "slow"
    lines = [
        "## Scoring\n",
        textwrap.fill(
            f"{found['texts']:,} texts of about 100 characters, whole commands; medians of rounds in turn, here "
            f"{found['rounds']} (`benchmarks/scoring.py`, {found['machine']['cores']} cores on which bf16 is {bf16}).",
            120,
        )
        + "\n",
        "| | processor seconds | seconds | " + " | ".join(f"× {name.removesuffix(' + LR')}" for name in rivals) + " |",
        "|---" * (3 + len(rivals)) + "|",
    ]
    for side, seconds in found["sides"].items():
        times = [f"{found['sides'][name]['processor'] / seconds['processor']:.2f}" for name in rivals]
        lines.append(f"| {side} | {seconds['processor']:.0f} | {seconds['wall']:.0f} | {' | '.join(times)} |")
    return "\n".join(lines) + "\n"


def _first(of: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return next(iter(of.values()))[0]


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return statistics.fmean(row[key] for row in rows)


def _summary(title: str, tables: dict[str, dict[str, list[dict[str, Any]]]]) -> list[str]:
    gains = []
    for of in tables.values():
        known = [_mean(of[name], "accuracy") for name in RIVALS if of.get(name)]
        if of.get("pretune") and len(known) == len(RIVALS):
            gains.append(100 * (_mean(of["pretune"], "accuracy") - max(known)))
    if not gains:
        return [f"- {title}: no table has the default and all rivals yet"]
    lost = sum(gain < -1 for gain in gains)
    won = sum(gain > 0 for gain in gains)
    says = (
        f"- {title}: {len(gains)} tables; the default against the best of TF-IDF, frozen + LR and Trainer: "
        f"{statistics.fmean(gains):+.1f} points in the mean, better on {won}, worse by more than a point on {lost} "
        f"(worst {min(gains):+.1f})"
    )
    return [textwrap.fill(says, 124, subsequent_indent="  ")]


def _rungs(rows: list[dict[str, Any]]) -> list[str]:
    """Say how far what validation chooses is from the best of the run's models in hindsight, where accuracy decides."""
    known = [row for row in rows if row["model"] == "pretune" and row.get("on_validation", {}).get("majority", 1.0) <= 0.6]
    if not known:
        return []
    lost, kept = [], []
    for row in known:
        is_doubted = VALIDATION_SHARE * row["num_train"] < LEAST_ROWS  # that another is clearly better is left out of account
        chosen = "finetuned" if is_doubted else max(CANDIDATES, key=lambda name: row["on_validation"].get(name, 0.0))
        best = max(row["sources"].get(name, 0.0) for name in CANDIDATES)
        lost.append(100 * (best - row["sources"][chosen]))
        kept.append(100 * (best - row["sources"]["finetuned"]))
    says = (
        f"- the run's own three models on {len(known)} tables where no class has over 60 % of validation: what `--choose best` "
        f"takes (the greatest accuracy on validation, with under {LEAST_ROWS} rows the fine-tuned one) lies "
        f"{statistics.fmean(lost):.1f} points below the best in hindsight in the mean (most {max(lost):.1f}), the fine-tuned one "
        f"always {statistics.fmean(kept):.1f} (most {max(kept):.1f})"
    )
    return [textwrap.fill(says, 124, subsequent_indent="  ")]


def _table(tables: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    models = [name for name in ORDER if any(of.get(name) for of in tables.values())]
    lines = [
        "| table | rows × classes | seeds | " + " | ".join(NAMES.get(name, name) for name in models) + " |",
        "|---" * (3 + len(models)) + "|",
    ]
    for title, of in sorted(tables.items(), key=lambda item: (_first(item[1])["set"], _first(item[1])["num_train"])):
        one = _first(of)
        cells = [_cell(of.get(name, [])) for name in models]
        seeds = max(map(len, of.values()))
        lines.append(f"| {title} | {one['num_train']:,} × {one['num_classes']} | {seeds} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "–"
    figures = f"{_mean(rows, 'accuracy'):.3f} ({_mean(rows, 'macro_f1'):.3f})"
    return f"{figures}, {_mean(rows, 'processor_seconds'):.0f} s"
