"""docs/performance.md, from the kept runs and the text beside this file."""

import statistics
from pathlib import Path
from typing import Any

from wrapped import wrapped

WANTED = {  # work → at least so many times as fast as the rival: at its best, as it comes
    "frozen": (15.0, 40.0), "last-2": (2.5, 6.0), "all": (1.5, 5.0), "accuracy": (2.0, 6.0), "scoring": (3.0, 8.0)
}  # fmt: skip
WORDS = {
    "frozen": "trunk frozen, head trained, 20 epochs",
    "last-2": "last 2 layers + head, 5 epochs",
    "all": "all layers, 3 epochs",
    "accuracy": "to the rival's 3-epoch validation accuracy",
    "scoring": "scoring texts",
}
KINDS = {
    "": "Whole runs",
    "steady": "70 steady steps per pair, multiplied; whole runs of pretune under a frozen trunk; 2,000 texts scored",
    "quick": "40 steady steps, multiplied; whole runs of pretune under a wholly frozen trunk, two epochs of its last layers, the second counted for the rest; 2,000 texts scored",
    "fp32": "Whole runs, bf16 switched off",
    "steady.fp32": "bf16 switched off: 70 steady steps per pair, multiplied; whole runs of pretune under a frozen trunk; 2,000 texts scored",
    "quick.fp32": "bf16 switched off: 40 steady steps, multiplied; whole runs of pretune under a wholly frozen trunk",
}


def write_page(
    kept: list[dict[str, Any]], profile: dict[str, Any] | None = None, memory: list[dict[str, Any]] | None = None
) -> str:
    """Return the page; works that were not measured are absent from it.

    Args:
        kept: Runs, as ``speed.py`` keeps them.
        profile: What ``step_profile.py`` keeps.
        memory: What ``memory.py`` keeps.
    """
    parts = [Path(__file__).with_name("performance_text.md").read_text()]
    seen = {(run["about"]["data"], run["about"]["kind"]) for run in kept}
    for data in ("movie-reviews", "imdb-2500"):
        for kind, title in KINDS.items():
            if (data, kind) in seen:
                runs = [run for run in kept if (run["about"]["data"], run["about"]["kind"]) == (data, kind)]
                head, _, how = title.partition("; ")
                how = f"{how[0].upper()}{how[1:]}.\n\n" if how else ""
                parts.append(f"## {data}: {head[0].lower() + head[1:]}\n\n{how}{_table(runs)}")
    parts += [] if profile is None else [_where_time_goes(profile)]
    parts += [] if not memory else [_memory(memory)]
    machines = {f"{run['machine']['cores']} cores, torch {run['versions']['torch']}" for run in kept}
    commits = ", ".join(sorted({run["commit"] for run in kept}))
    parts.append(
        f"Measured on {'; '.join(sorted(machines))}, at {commits}. Each run is a file in `benchmarks/results/speed/`.\n"
    )
    return wrapped("\n".join(parts))


def _table(runs: list[dict[str, Any]]) -> str:
    lines = [
        "| work | pretune | rival at its best | as it comes | × best (spread; wanted) | × as it comes (spread; wanted) | validation accuracy: pretune, best, as it comes | share of peak: pretune, best, as it comes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for work, words in WORDS.items():
        of = {side: _runs(runs, work, side) for side in ("pretune", "rival-best", "rival-plain")}
        if not of["pretune"]:
            continue
        rivals = {side: of[side] or _runs(runs, "all", side) if work == "accuracy" else of[side] for side in of}
        seconds = {side: {seed: _seconds(run, work, rivals, seed) for seed, run in rivals[side].items()} for side in rivals}
        cells = [_middle(list(seconds[side].values())) for side in of]
        ratios = [
            _ratio(seconds["pretune"], seconds[side], wanted)
            for side, wanted in zip(("rival-best", "rival-plain"), WANTED[work], strict=True)
        ]
        accuracy = ", ".join(_mean([run.get("last_accuracy") for run in rivals[side].values()]) for side in of)
        share = ", ".join(_share(list(of[side].values())) for side in of) if work == "all" else ""
        lines.append(f"| {words} | {' | '.join([*cells, *ratios])} | {accuracy} | {share} |")
    return "\n".join(lines) + "\n"


def _runs(runs: list[dict[str, Any]], work: str, side: str) -> dict[int, dict[str, Any]]:
    return {r["about"]["seed"]: r for r in runs if (r["about"]["work"], r["about"]["side"]) == (work, side)}


def _seconds(run: dict[str, Any], work: str, rivals: dict[str, dict[int, dict[str, Any]]], seed: int) -> float | None:
    """Return the seconds of a run; in the race to an accuracy, those until it was reached."""
    if work != "accuracy" or run["about"]["side"] != "pretune":
        return float(run["seconds"])
    rival = rivals["rival-best"].get(seed) or {}
    if "last_accuracy" not in rival:
        return None
    return next((at for at, accuracy in run["validations"] if accuracy >= rival["last_accuracy"]), None)


def _middle(seconds: list[float | None]) -> str:
    known = [value for value in seconds if value is not None]
    return f"{statistics.median(known):,.0f} s" if known and len(known) == len(seconds) else "–"


def _ratio(ours: dict[int, float | None], theirs: dict[int, float | None], wanted: float) -> str:
    pairs = [(ours[seed], theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]
    ratios = [their / our for our, their in pairs if our is not None and their is not None]
    if not ratios:
        return "–"
    if len(ratios) == 1:
        return f"**{ratios[0]:.1f}** (1 pair; {wanted:g})"
    return f"**{statistics.median(ratios):.1f}** ({min(ratios):.1f}–{max(ratios):.1f}, {len(ratios)} pairs; {wanted:g})"


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.mean(known):.3f}" if known else "–"


def _share(runs: list[dict[str, Any]]) -> str:
    """Floating-point operations of an epoch ÷ seconds of its steps ÷ the best measured matrix product in bf16."""
    shares = [
        run["work_done"]["tokens"] * run["work_done"]["flop_a_token"] / run["epoch_seconds"] / 1e12 / run["peak"]["bf16"]
        for run in runs
    ]
    return f"{statistics.median(shares):.0%}" if shares else "–"


def _where_time_goes(profile: dict[str, Any]) -> str:
    """Return the table of one step's time."""
    total = sum(profile["kinds_ms"].values())
    lines = [
        "## Where the time of a step goes\n",
        f"All layers, 32 texts ({profile['tokens']:,.0f} tokens) a step: {profile['step_ms']:.0f} ms; {profile['profiled_ms']:.0f} ms under the profiler, of which:\n",
        "| | ms | share |",
        "|---|---|---|",
    ]
    return (
        "\n".join([*lines, *(f"| {kind} | {value:.1f} | {value / total:.0%} |" for kind, value in profile["kinds_ms"].items())])
        + "\n"
    )


def _memory(runs: list[dict[str, Any]]) -> str:
    """Return the table of peaks: of the whole command, and of the stages that took most."""
    lines = [
        "## Memory\n",
        "Peak anonymous memory of a whole command, to its verdict (`python benchmarks/memory.py`). Wanted: at most 1,500 MB for `movie-reviews`, and 3,000 MB for a table of 1,000,000 rows.\n",
        "| command | rows | took | peak | where most |",
        "|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: run["num_rows"]):
        most = sorted(run["stages_mb"].items(), key=lambda item: -item[1])[:3]
        stages = ", ".join(f"{stage} {peak:,}" for stage, peak in most)
        lines.append(
            f"| `{run['command']}` | {run['num_rows']:,} | {run['took']:,.0f} s | **{run['peak_mb']:,} MB** | {stages} |"
        )
    return "\n".join(lines) + "\n"
