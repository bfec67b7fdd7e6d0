"""docs/results.md, from the kept rows alone."""

from typing import Any

from wrapped import wrapped

HEAD = """# Results

Written by `benchmarks/results.py` from `benchmarks/results/*.json`; figures are on test rows unless said otherwise, with 95 % intervals.
Runs on one data set share its test rows, and each had a ledger of its own: the intervals are those of a first look, though these rows were
looked at by every row below and by pilot runs (`docs/log.md`). Seconds were taken while other work ran beside.

{machine}
"""


def write_page(kept: dict[str, dict[str, Any]], expected: list[str]) -> str:
    """Return the page; rows that were not measured are named."""
    parts = [HEAD.format(machine=_machines(kept))]
    parts += [
        _runs(kept),
        _recipes(kept.get("recipes")),
        *(_overfitting(name, found) for name, found in kept.items() if name.startswith("overfitting")),
    ]
    parts.append(_start_up(kept.get("start-up")))
    missing = [name for name in expected if name not in kept]
    if missing:
        parts.append("## Not measured yet\n\n" + "\n".join(f"- `{name}`" for name in missing) + "\n")
    return wrapped("\n".join(part for part in parts if part))


def _machines(kept: dict[str, dict[str, Any]]) -> str:
    seen = {str(found["machine"]): found for found in kept.values()}
    lines = []
    for found in seen.values():
        machine, versions = found["machine"], ", ".join(f"{name} {value}" for name, value in found["versions"].items())
        bf16 = "with" if machine["bf16"] else "**without**"
        lines.append(
            f"Measured on {machine['cores']} cores, {machine['threads']} threads, {bf16} fast bf16 products; {versions}."
        )
    return "\n".join(lines)


def _measured(found: dict[str, Any]) -> str:
    return f"Measured at {found['commit']}, {'with' if found['machine']['bf16'] else 'without'} fast bf16 products."


def _runs(kept: dict[str, dict[str, Any]]) -> str:
    rows = {name: found for name, found in kept.items() if "test" in found}
    lines = [
        "## Whole runs\n",
        "| command | accuracy | precision | recall | TF-IDF + LR accuracy | rows | kept epoch | texts cut | bf16 | seconds | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for found in rows.values():
        label = next(
            (
                name[name.index("[") :]
                for name in found["test"]
                if name.startswith("finetuned precision[") and "macro" not in name and _has_positive(found, name)
            ),
            "[macro]",
        )
        cells = [
            _figure(found["test"].get(name))
            for name in ("finetuned accuracy", f"finetuned precision{label}", f"finetuned recall{label}", "linear accuracy")
        ]
        train = found["tokens"][0]
        cut = f"{train['num_cut_texts'] / max(1, train['num_texts']):.1%}"
        lines.append(
            f"| `{found['command']}` | {' | '.join(cells)} | {found['num_test']:,} | {found['best_epoch']} of {len(found['epochs'])} "
            f"| {cut} | {'yes' if found['machine']['bf16'] else 'no'} | {found['command_seconds']:.0f} | {found['outcome'].replace('_', ' ')} |"
        )
    shared = [item for found in rows.values() for item in found["shared"] if item["num_exact"]]
    if shared:
        first = shared[0]
        lines.append(
            f"\nThe official IMDB halves share {first['num_exact']} distinct texts; {len(first['removed'])} rows were taken out of {first['first']}."
        )
    seeds = [found["test"]["finetuned accuracy"][0] for name, found in rows.items() if name.startswith("movie-reviews-seed")]
    if seeds:
        lines.append(
            f"\n`movie-reviews`, all layers, {len(seeds)} seeds: mean accuracy {sum(seeds) / len(seeds):.3f}, from {min(seeds):.3f} to {max(seeds):.3f}."
        )
    return "\n".join(lines) + "\n"


def _has_positive(found: dict[str, Any], name: str) -> bool:
    return f"of {name[name.index('[') + 1 : -1]} " in found["summary"] or f"f1{name[name.index('[') :]}" in found["summary"]


def _recipes(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    lines = [
        "## The published movie-review recipe\n",
        f"`benchmarks/recipes.py`: six models, {found['num_test']:,} test rows, one opening; intervals at {found['confidence']:.4g}. {_measured(found)}\n",
        "| model | validation loss | validation accuracy | test accuracy | fit seconds |",
        "|---|---|---|---|---|",
    ]
    for name, figure in found["accuracy"].items():
        validation = found["validation"].get(name, {"loss": None, "accuracy": None})
        lines.append(
            f"| {name} | {_number(validation['loss'])} | {_number(validation['accuracy'])} | {_figure(figure)} | {found['fit seconds'].get(name, '')} |"
        )
    lines.append("")
    lines += [
        f"- {p['a']} against {p['b']}: {p['difference']:+.3f} ({p['low']:+.3f} to {p['high']:+.3f}), p = {p['p_value']:.2g}, {p['method']}"
        for p in found["paired"]
    ]
    for name, tried in found["rates tried"].items():
        shown = [
            f"{rate}: loss {item['loss']}, accuracy {item['accuracy']}"
            for rate, item in tried.items()
            if isinstance(item, dict)
        ]
        lines.append(f"- validation at each rate, {name}: {'; '.join(shown)}; chosen {tried['chosen']}")
    return "\n".join(lines) + "\n"


def _overfitting(name: str, found: dict[str, Any]) -> str:
    lines = [
        f"## Overfitting and its cure: {name.removeprefix('overfitting-')}\n",
        f"`python benchmarks/overfitting.py {name.removeprefix('overfitting-')}`; {found['num_train']:,} training and {found['num_validation']:,} validation rows. {_measured(found)}\n",
        "| recipe | settings | kept epoch | training accuracy | validation accuracy | gap |",
        "|---|---|---|---|---|---|",
    ]
    for recipe in ("overfits", "cured"):
        one = found[recipe]
        settings = ", ".join(f"{key} {value}" for key, value in one["settings"].items())
        gap = one["training"][0] - one["validation"][0]
        lines.append(
            f"| {recipe} | {settings} | {one['kept_epoch']} | {_figure(one['training'])} | {_figure(one['validation'])} | {gap:.3f} |"
        )
    return "\n".join(lines) + "\n"


def _start_up(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    rows = [
        f"| `{name}` | {item['best']} | {item['median']} |"
        for name, item in found.items()
        if isinstance(item, dict) and "best" in item
    ]
    loaded = "loads torch" if found["torch loaded by import"] else "does not load torch"
    return (
        "\n".join(
            [
                "## Starting\n",
                "| what | best of ten, seconds | median |",
                "|---|---|---|",
                *rows,
                "",
                f"`import pretune` {loaded}.",
            ]
        )
        + "\n"
    )


def _figure(figure: list[float | None] | None) -> str:
    if figure is None or figure[0] is None:
        return "–"
    low, high = figure[1], figure[2]
    return f"{figure[0]:.3f}" + (f" ({low:.3f}–{high:.3f})" if low is not None and high is not None else "")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
